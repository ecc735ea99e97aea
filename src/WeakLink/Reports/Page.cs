using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;

namespace WeakLink.Reports;

/// <summary>A number that a page begins with.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Value">As it is shown.</param>
/// <param name="Note">A few words more; may be empty.</param>
public sealed record Headline(string Name, string Value, string Note = "");

/// <summary>
/// A web page in one file: it holds its style and pictures, runs no script, and forbids the browser every request. Parts appear in the
/// order in which they are added.
/// </summary>
/// <param name="title">Heading, and name of the window.</param>
/// <param name="under">A line below the heading.</param>
public sealed class Page(string title, string under)
{
    // Even a mistake in a page must not fetch anything.
    private const string Policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

    // What is longer is text, and may take several lines.
    private const int LongestNumber = 32;

    // What style sheet and screens of twice the density show, in pixels.
    private const int SmallPicture = 224;

    private static readonly Lazy<string> Style = new(() =>
    {
        using var reader = new StreamReader(typeof(Page).Assembly.GetManifestResourceStream("page.css")!);
        return reader.ReadToEnd();
    });

    private readonly StringBuilder _body = new();
    private readonly List<(string Id, string Title)> _sections = [];

    /// <summary>Numbers to see first.</summary>
    public void Headlines(IEnumerable<Headline> numbers)
    {
        _body.Append("<dl class=\"headline\">");
        foreach (var number in numbers)
        {
            _body.Append(CultureInfo.InvariantCulture, $"<div><dt>{Escape(number.Name)}</dt><dd>{Escape(number.Value)}<small>{Escape(number.Note)}</small></dd></div>");
        }

        _body.Append("</dl>\n");
    }

    /// <summary>Begins a section, which the page's contents list.</summary>
    public void Section(string heading)
    {
        var id = $"s{_sections.Count + 1}";
        _sections.Add((id, heading));
        _body.Append(CultureInfo.InvariantCulture, $"<h2 id=\"{id}\">{Escape(heading)}</h2>\n");
    }

    /// <summary>A section of which only the heading is seen until it is opened.</summary>
    /// <param name="heading">Its heading, which the page's contents list.</param>
    /// <param name="content">Adds what is in it.</param>
    public void Folded(string heading, Action content)
    {
        var id = $"s{_sections.Count + 1}";
        _sections.Add((id, heading));
        _body.Append(CultureInfo.InvariantCulture, $"<details class=\"section\" id=\"{id}\"><summary>{Escape(heading)}</summary>\n");
        content();
        _body.Append("</details>\n");
    }

    /// <summary>A heading inside of a section.</summary>
    public void Subsection(string heading) => _body.Append(CultureInfo.InvariantCulture, $"<h3>{Escape(heading)}</h3>\n");

    /// <summary>A paragraph.</summary>
    public void Text(string sentences) => _body.Append(CultureInfo.InvariantCulture, $"<p>{Escape(sentences)}</p>\n");

    /// <summary>A paragraph that must not be overlooked.</summary>
    public void Warning(string sentences) => _body.Append(CultureInfo.InvariantCulture, $"<p class=\"warning\">{Escape(sentences)}</p>\n");

    /// <summary>A table: the first column holds names, the others numbers.</summary>
    /// <param name="columns">Headings.</param>
    /// <param name="rows">A cell for each heading.</param>
    public void Table(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        BeginTable(columns);
        foreach (var row in rows)
        {
            _body.Append("<tr>").AppendJoin("", row.Select(cell => $"<td{(cell.Length > LongestNumber ? " class=\"text\"" : "")}>{Escape(cell)}</td>")).Append("</tr>\n");
        }

        _body.Append("</table></div>\n");
    }

    /// <summary>A table of rates, the higher the darker; each says its number too.</summary>
    /// <param name="columns">Headings, the first for the names.</param>
    /// <param name="rows">A name and rates in [0, 1]; null for a rate that was not measured.</param>
    public void HeatMap(IReadOnlyList<string> columns, IEnumerable<(string Name, IReadOnlyList<double?> Rates)> rows)
    {
        BeginTable(columns);
        foreach (var (name, rates) in rows)
        {
            _body.Append(CultureInfo.InvariantCulture, $"<tr><td>{Escape(name)}</td>");
            foreach (var rate in rates)
            {
                _body.Append(rate is { } known
                    ? string.Create(CultureInfo.InvariantCulture, $"<td class=\"heat\" style=\"--heat:{Math.Clamp(known, 0, 1):0.###}\">{100 * known:0.0}</td>")
                    : "<td>–</td>");
            }

            _body.Append("</tr>\n");
        }

        _body.Append("</table></div>\n");
    }

    /// <summary>A plot with a caption, which says what it shows to those who can't see it.</summary>
    /// <param name="svg">An element of <see cref="Chart.Svg"/>.</param>
    /// <param name="caption">What to see in it.</param>
    public void Figure(string svg, string caption) =>
        _body.Append(CultureInfo.InvariantCulture, $"<figure>{svg}<figcaption>{Escape(caption)}</figcaption></figure>\n");

    /// <summary>Pictures beside one another.</summary>
    /// <param name="pictures">PNG files with captions.</param>
    public void Pictures(IEnumerable<(byte[] Png, string Caption)> pictures)
    {
        _body.Append("<div class=\"pictures\">");
        foreach (var (png, caption) in pictures)
        {
            _body.Append(CultureInfo.InvariantCulture, $"<figure>{Image(png, caption)}<figcaption>{Escape(caption)}</figcaption></figure>");
        }

        _body.Append("</div>\n");
    }

    /// <summary>One wide picture.</summary>
    /// <param name="png">A PNG file.</param>
    /// <param name="caption">What to see in it.</param>
    public void Strip(byte[] png, string caption) =>
        _body.Append(CultureInfo.InvariantCulture, $"<figure class=\"strip\">{Image(png, caption)}<figcaption>{Escape(caption)}</figcaption></figure>\n");

    /// <summary>Links to other pages, in a paragraph.</summary>
    /// <param name="before">What they lead to.</param>
    /// <param name="links">Names and addresses, relative to this page.</param>
    public void Links(string before, IEnumerable<(string Name, string Address)> links) =>
        _body.Append(CultureInfo.InvariantCulture, $"<p>{Escape(before)} ").AppendJoin(", ", links.Select(link => $"<a href=\"{Escape(link.Address)}\">{Escape(link.Name)}</a>")).Append("</p>\n");

    /// <summary>Text as it is, behind a line that opens it.</summary>
    public void Details(string summary, string text) =>
        _body.Append(CultureInfo.InvariantCulture, $"<details><summary>{Escape(summary)}</summary><pre>{Escape(text)}</pre></details>\n");

    /// <summary>A command or other text as it is.</summary>
    public void Code(string text) => _body.Append(CultureInfo.InvariantCulture, $"<pre>{Escape(text)}</pre>\n");

    /// <summary>The whole page.</summary>
    public string ToHtml() => $"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="{Policy}">
        <title>{Escape(title)}</title>
        <style>
        {Style.Value}</style>
        </head>
        <body>
        <h1>{Escape(title)}</h1>
        <p class="under">{Escape(under)}</p>
        <nav>{string.Concat(_sections.Select(section => $"<a href=\"#{section.Id}\">{Escape(section.Title)}</a>"))}</nav>
        {_body}</body>
        </html>

        """;

    /// <summary>Writes the page, whole or not at all.</summary>
    /// <exception cref="InputException">The file can't be written.</exception>
    public void Write(string path) => AtomicFile.Write(path, ToHtml());

    // Small ones are enlarged, and their pixels must stay what they are; photographs must not become pixels.
    private static string Image(byte[] png, string caption) => $"<img alt=\"{Escape(caption)}\" src=\"data:image/png;base64,{Convert.ToBase64String(png)}\"{(Width(png) < SmallPicture ? " class=\"pixels\"" : "")}>";

    // Of a PNG file's first chunk.
    private static int Width(byte[] png) => png.Length < 20 ? 0 : BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(16));

    private static string Escape(string text) => WebUtility.HtmlEncode(text);

    private void BeginTable(IReadOnlyList<string> columns) =>
        _body.Append("<div class=\"scroll\"><table>\n<tr>").AppendJoin("", columns.Select(column => $"<th>{Escape(column)}</th>")).Append("</tr>\n");
}
