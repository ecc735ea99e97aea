using System.Diagnostics;
using System.Globalization;
using Spectre.Console;

namespace WeakLink.Cli;

/// <summary>
/// What a person sees: a bar with throughput and time left on a terminal, plain lines when piped. With <c>--json</c> all of it
/// goes to standard error, so that standard output holds the document alone.
/// </summary>
internal sealed class Screen : IRunObserver
{
    private static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan BarInterval = TimeSpan.FromMilliseconds(100);

    private const int TableWidth = 200;

    // A longer name would leave no room for the numbers beside it.
    private const int CellWidth = 80;

    private readonly TextWriter _writer;
    private readonly IAnsiConsole _console;
    private readonly bool _terminal;
    private readonly int _width;
    private string _name = "";
    private string _unit = "";
    private long _total;
    private long _first;
    private long _start;
    private long _shown;
    private bool _barVisible;
    private bool _underAttack;
    private bool _taught;
    private string _epochHeader = "";

    /// <summary>A screen on standard output, or on standard error where <paramref name="json"/> needs the other.</summary>
    public Screen(bool json)
    {
        _writer = json ? Console.Error : Console.Out;
        _terminal = !(json ? Console.IsErrorRedirected : Console.IsOutputRedirected) && Environment.GetEnvironmentVariable("TERM") != "dumb";
        _console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(_writer) });
        _width = _console.Profile.Width;
        // A file is as wide as its lines, and a terminal that is narrower than a table breaks its lines better than its words.
        _console.Profile.Width = Math.Max(_width, TableWidth);
    }

    /// <summary>Prints a line of text.</summary>
    public void Line(string text = "")
    {
        ClearBar();
        _writer.WriteLine(string.Join('\n', text.Split('\n').Select(Printable.Of)));
    }

    /// <summary>Prints a table: the first column to the left, the others to the right.</summary>
    public void Table(IReadOnlyList<string> header, IEnumerable<IReadOnlyList<string>> rows)
    {
        ClearBar();
        var table = new Table { Border = TableBorder.Simple };
        for (var i = 0; i < header.Count; i++)
        {
            table.AddColumn(new TableColumn(Markup.Escape(Printable.Of(header[i]))) { Alignment = i == 0 ? Justify.Left : Justify.Right, NoWrap = true });
        }

        foreach (var row in rows)
        {
            table.AddRow([.. row.Select(cell => Markup.Escape(Short(Printable.Of(cell))))]);
        }

        _console.Write(table);
    }

    /// <inheritdoc/>
    public void Begin(string name, long total, string unit, long done = 0)
    {
        ClearBar();
        (_name, _total, _unit, _first) = (name, total, unit, done);
        _start = _shown = Stopwatch.GetTimestamp();
        // What follows may be another run's training, with other columns.
        (_underAttack, _taught, _epochHeader) = (false, false, "");
    }

    /// <inheritdoc/>
    public void Advance(long done, string detail = "")
    {
        if (Stopwatch.GetElapsedTime(_shown) < (_terminal ? BarInterval : PlainInterval))
        {
            return;
        }

        _shown = Stopwatch.GetTimestamp();
        var elapsed = Stopwatch.GetElapsedTime(_start);
        var rate = (done - _first) / Math.Max(elapsed.TotalSeconds, 1e-3);
        var left = _total > 0 && rate > 0 ? $", {Duration(TimeSpan.FromSeconds((_total - done) / rate))} left" : "";
        var extra = detail.Length > 0 ? $", {detail}" : "";
        // A large network attacked may take a minute an image.
        var pace = rate is > 0 and < 10 ? $"{rate:0.00} {_unit}/s" : $"{rate:n0} {_unit}/s";
        var amount = _total > 0 ? $"{100 * done / _total}%" : $"{done:n0} {_unit}";
        if (!_terminal)
        {
            _writer.WriteLine($"{_name}: {amount}{left}, {pace}{extra}");
            return;
        }

        // A narrow terminal gets a shorter bar, then no bar, then as much of the text as it can show whole.
        var width = Math.Max(1, _width - 1);
        var text = $"{amount}{left}, {pace}{extra}";
        var cells = Math.Clamp(width - text.Length - Math.Max(_name.Length, 10) - 2, 0, 24);
        var filled = _total > 0 ? (int)Math.Clamp(cells * done / _total, 0, cells) : 0;
        var line = $"{_name,-10} {new string('━', filled)}{new string('╌', cells - filled)} {text}";
        while (line.Length > width && line.LastIndexOf(", ", StringComparison.Ordinal) is > 0 and var end)
        {
            line = line[..end];
        }

        _writer.Write("\r\e[2K" + line[..Math.Min(line.Length, width)]);
        _writer.Flush();
        _barVisible = true;
    }

    /// <inheritdoc/>
    public void Epoch(EpochMetrics metrics)
    {
        // Adversarial objectives are validated under attack too, which is what selects their checkpoint.
        _underAttack |= metrics.ValidationRobustTop1 is not null;
        // Without EWS there are no subnets to diverge.
        _taught |= metrics.Divergence is not null;
        var header = $" epoch     rate     loss{(_taught ? "  divergence" : "")}   train   valid{(_underAttack ? "  robust" : "")}  images/s  waited";
        if (header != _epochHeader)
        {
            Line(header);
            _epochHeader = header;
        }

        var robust = _underAttack ? $"  {Measured(metrics.ValidationRobustTop1),6}" : "";
        Line($"{metrics.Epoch,6}  {metrics.LearningRate,7:0.00000}  {metrics.Loss,7:0.0000}{(_taught ? $"  {metrics.Divergence?.ToString("0.0000", CultureInfo.InvariantCulture) ?? "-",10}" : "")}  {Percent(metrics.TrainTop1),6}  {Measured(metrics.ValidationTop1),6}{robust}  {metrics.ImagesPerSecond,8:n0}  {100 * metrics.WaitedForData,5:0.0}%");

        static string Measured(double? fraction) => fraction is { } value ? Percent(value) : "-";
    }

    /// <inheritdoc/>
    public void Note(string sentence) => Line(sentence);

    /// <summary>A fraction as per cent with one digit.</summary>
    public static string Percent(double fraction) => (fraction * 100).ToString("0.0", CultureInfo.InvariantCulture) + "%";

    /// <summary>A duration as people say it: 42 s, 3:05 min, 1:02 h.</summary>
    public static string Duration(TimeSpan time) => time.TotalSeconds < 60
        ? $"{Math.Ceiling(time.TotalSeconds):0} s"
        : time.TotalMinutes < 60 ? $"{(int)time.TotalMinutes}:{time.Seconds:00} min" : $"{(int)time.TotalHours}:{time.Minutes:00} h";

    private static string Short(string cell) => cell.Length <= CellWidth ? cell : cell[..(CellWidth - 3)] + "...";

    private void ClearBar()
    {
        if (_barVisible)
        {
            _writer.Write("\r\e[2K");
            _barVisible = false;
        }
    }
}
