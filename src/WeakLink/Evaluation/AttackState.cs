using System.Diagnostics;
using System.Globalization;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Data;

namespace WeakLink.Evaluation;

/// <summary>How far an evaluation under attack is: kept in a file, so that hours of work survive an interruption.</summary>
internal sealed class AttackState
{
    public const int NotBroken = -1;
    public const int WrongFromTheStart = -2;

    /// <summary>Older versions, whose progress lacks this, drew by an image's place.</summary>
    public const string Draws = " by image";

    // Between the checksums; older versions had one, of some of the images.
    private const char Separator = '-';

    private static readonly TimeSpan SaveInterval = TimeSpan.FromSeconds(5);

    private readonly string? _path;
    private readonly string _evaluation;
    private long _saved = Stopwatch.GetTimestamp();

    private AttackState(string? path, string evaluation, Saved saved)
    {
        (_path, _evaluation) = (path, evaluation);
        (CleanDone, Stage, Run, NextIndex, BrokenBy, Stages) = (saved.CleanDone, saved.Stage, saved.Run, saved.NextIndex, saved.BrokenBy, saved.Stages);
        Robust = [.. Enumerable.Range(0, BrokenBy.Length).Where(i => BrokenBy[i] == NotBroken)];
    }

    private sealed record Saved(string Evaluation, bool CleanDone, int Stage, int Run, int NextIndex, int[] BrokenBy, AttackStage[] Stages);

    public bool CleanDone { get; private set; }

    /// <summary>The attack that is at work.</summary>
    public int Stage { get; private set; }

    /// <summary>The attempt of that attack.</summary>
    public int Run { get; private set; }

    /// <summary>Images before this one have been through that attempt.</summary>
    public int NextIndex { get; private set; }

    /// <summary>For each image the attack that broke it.</summary>
    public int[] BrokenBy { get; }

    public AttackStage[] Stages { get; }

    /// <summary>Whether this process writes the file; of several that share one the others don't.</summary>
    public bool Keeps { get; init; } = true;

    /// <summary>Images that are not broken yet.</summary>
    public List<int> Robust { get; }

    /// <exception cref="InputException">The file can't be read, or belongs to another evaluation.</exception>
    public static AttackState Open(string? path, string evaluation, int images, int attacks, IRunObserver observer, bool keeps = true)
    {
        if (path is null || !File.Exists(path))
        {
            return New(path, evaluation, images, attacks, keeps);
        }

        try
        {
            var saved = Json.Read<Saved>(path);
            if (!IsWhole(saved))
            {
                throw new JsonException();
            }

            if (!saved.Evaluation.Contains(Draws, StringComparison.Ordinal) || !saved.Evaluation.Split(", ")[^1].Contains(Separator))
            {
                observer.Note($"The progress in '{path}' is of an older version, which drew its random numbers otherwise or did not look at all of the images: the attacks begin again.");
                return New(path, evaluation, images, attacks, keeps);
            }

            return saved.Evaluation == evaluation && saved.BrokenBy.Length == images && saved.Stages.Length == attacks
                ? new AttackState(path, evaluation, saved) { Keeps = keeps }
                : throw new InputException($"'{path}' keeps the progress of another evaluation ({Difference(saved.Evaluation, evaluation)}): name another place for this one's progress, or delete the file.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new InputException($"The progress in '{path}' can't be read ({Json.Problem(exception)}): delete the file to begin again.", exception);
        }
    }

    private static AttackState New(string? path, string evaluation, int images, int attacks, bool keeps)
    {
        var untouched = new int[images];
        Array.Fill(untouched, NotBroken);
        return new AttackState(path, evaluation, new Saved(evaluation, false, 0, 0, 0, untouched, [.. Enumerable.Repeat(new AttackStage("", 0, 0, 0, 0, 0), attacks)])) { Keeps = keeps };
    }

    /// <summary>What the progress is of: a changed network or other images must not go on where these stopped.</summary>
    /// <param name="evaluator">Network and images.</param>
    /// <param name="name">What the attacks are called together.</param>
    /// <param name="attacks">The attacks.</param>
    /// <param name="attempts">The attempts of each.</param>
    public static string IdentityOf(Evaluator evaluator, string name, IReadOnlyList<Attack> attacks, IReadOnlyList<int> attempts)
    {
        var (images, crop) = (evaluator.Images, evaluator.Crop);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{name}, {attacks[0].Threat}, {string.Join(" ", attacks.Zip(attempts, (attack, times) => $"{times}x{attack.Name} ({attack.Settings})"))}, seed {evaluator.Recipe.Seed}{Draws}, {images.Name}, {images.Count} images of {crop.Height}x{crop.Width}, {ChecksumOf(evaluator)}");
    }

    /// <summary>A checksum of the network's numbers and one of the images and their classes, in hexadecimal digits.</summary>
    public static string ChecksumOf(Evaluator evaluator)
    {
        using var scope = torch.NewDisposeScope();
        var (network, hash) = (evaluator.Network, new XxHash3());
        foreach (var tensor in network.parameters().Concat<torch.Tensor>(network.buffers()))
        {
            hash.Append(MemoryMarshal.AsBytes<float>(tensor.detach().to(torch.float32).cpu().contiguous().data<float>().ToArray()));
        }

        // Progress is kept by an image's place: in another order they are others.
        var (known, images) = (KnownImages.Of(evaluator.Images, new SilentObserver(), evaluator.Stop), new XxHash3());
        images.Append(MemoryMarshal.AsBytes<UInt128>(known.Hashes.ToArray()));
        images.Append(MemoryMarshal.AsBytes<int>(known.Labels.ToArray()));
        // Images are known by their pixels before they are scaled.
        images.Append(Encoding.UTF8.GetBytes(FormattableString.Invariant($"{evaluator.Recipe.Data.Size} {evaluator.Recipe.Data.Filter}")));
        return string.Create(CultureInfo.InvariantCulture, $"{hash.GetCurrentHashAsUInt64():x16}{Separator}{images.GetCurrentHashAsUInt64():x16}");
    }

    // A file that was edited or damaged must not yield a number.
    private static bool IsWhole(Saved saved) =>
        saved is { Evaluation: not null, BrokenBy: not null, Stages: not null, Stage: >= 0, Run: >= 0, NextIndex: >= 0 }
        && saved.Stages.All(stage => stage is not null)
        && saved.Stage <= saved.Stages.Length
        && saved.NextIndex <= saved.BrokenBy.Length
        && saved.BrokenBy.All(by => by >= WrongFromTheStart && by < saved.Stages.Length);

    // Both are lists of what an evaluation depends on; the last item stands for the network and the images themselves.
    private static string Difference(string saved, string wanted)
    {
        var (its, mine) = (saved.Split(", "), wanted.Split(", "));
        var differing = its.Zip(mine).SkipLast(1).Where(pair => pair.First != pair.Second).Select(pair => $"{pair.First} instead of {pair.Second}").ToList();
        return its.Length != mine.Length ? $"{saved} instead of {wanted}" : differing.Count > 0 ? string.Join(", ", differing) : "its network or its images differ";
    }

    public void AddClean(List<int> indices, bool[] correct)
    {
        for (var i = 0; i < indices.Count; i++)
        {
            BrokenBy[indices[i]] = correct[i] ? NotBroken : WrongFromTheStart;
        }
    }

    public void EndClean()
    {
        CleanDone = true;
        Robust.RemoveAll(index => BrokenBy[index] != NotBroken);
    }

    public void Break(int index, int stage) => BrokenBy[index] = stage;

    public void Add(int stage, List<int> indices, int broken, double seconds, long forwards, long backwards)
    {
        var so = Stages[stage];
        // Every attempt is given what the first was, less what is broken.
        var attacked = so.Attacked + (Run == 0 ? indices.Count : 0);
        Stages[stage] = new AttackStage(so.Attack, attacked, so.Broken + broken, so.Seconds + seconds, so.Forwards + forwards, so.Backwards + backwards);
        NextIndex = indices[^1] + 1;
        Robust.RemoveAll(index => BrokenBy[index] != NotBroken);
        if (Stopwatch.GetElapsedTime(_saved) > SaveInterval)
        {
            Save();
        }
    }

    public void EndRun() => (Run, NextIndex) = (Run + 1, 0);

    public void EndStage()
    {
        (Stage, Run, NextIndex) = (Stage + 1, 0, 0);
        Save();
    }

    public void Save()
    {
        if (_path is not null && Keeps)
        {
            AtomicFile.Write(_path, JsonSerializer.Serialize(new Saved(_evaluation, CleanDone, Stage, Run, NextIndex, BrokenBy, Stages), Json.Line));
        }

        _saved = Stopwatch.GetTimestamp();
    }
}
