namespace WeakLink.Files;

/// <summary>
/// What the authors of other code call the parameters of the networks that WeakLink knows. WeakLink's own names are torchvision's
/// for ResNets and RobustBench's for PreAct and wide ones.
/// </summary>
internal static class ParameterNames
{
    private const int LongestShown = 100;

    // Data parallelism names the module that it wraps; compilation, sharding and others put an underscore before the names of theirs.
    private const string Parallel = "module";

    // In EWS checkpoints the masks of the last subnet; beside them those of channels and unused scales of the paths, which in other networks are activations that learn (RobustBench's PSSiLU).
    private static readonly string[] EwsMasks = [".active_index", ".path_beta"];
    private static readonly string[] UnusedBesideMasks = [".beta", ".alpha"];

    // In EWS's and RobustBench's wide networks a block that nothing runs; in modules that train themselves their loss, with its class weights.
    private static readonly string[] UnusedBeginnings = ["sub_block1.", "criterion.", "loss.", "loss_fn.", "loss_func.", "loss_function."];

    // The CIFAR ResNets of RobustBench and EWS write torchvision's "downsample" and "fc" in another way.
    private static readonly (string Theirs, string Ours)[] Synonyms = [(".shortcut.", ".downsample."), ("linear.", "fc."), ("fc.", "linear.")];

    // Buffers of models that normalise their input themselves, in a module of their own or not.
    private static readonly (string Mean, string Deviation)[] Normalisations =
        [("mean", "std"), ("mu", "sigma"), ("new_mean", "new_std"), ("means", "stds"), ("means", "sds"), ("image_mean", "image_std"), ("mean", "standard_deviation")];

    /// <summary>A name without the modules that wrap others and compute nothing, wherever they stand.</summary>
    public static string Plain(string name) => string.Join('.', name.Split('.').Where(part => part != Parallel && !part.StartsWith('_')));

    /// <summary>Whether a bare name belongs to something that does not change what the network computes.</summary>
    /// <param name="bare">The name.</param>
    /// <param name="isEws">Whether the checkpoint is of the EWS authors' code (see <see cref="AreOfEws"/>).</param>
    public static bool IsUnused(string bare, bool isEws) =>
        EndsWithOne(bare, EwsMasks) || (isEws && EndsWithOne(bare, UnusedBesideMasks)) || UnusedBeginnings.Any(beginning => bare.StartsWith(beginning, StringComparison.Ordinal));

    /// <summary>Whether names are those of a checkpoint of the EWS authors' code.</summary>
    public static bool AreOfEws(IEnumerable<string> names) => names.Any(name => EndsWithOne(name, EwsMasks));

    private static bool EndsWithOne(string name, string[] endings) => endings.Any(ending => name.EndsWith(ending, StringComparison.Ordinal));

    /// <summary>WeakLink's name for a bare one; the bare one itself where the network has nothing of the kind.</summary>
    public static string Ours(string bare, IReadOnlySet<string> wanted)
    {
        if (wanted.Contains(bare))
        {
            return bare;
        }

        return Synonyms
            .Where(synonym => synonym.Theirs[0] == '.' ? bare.Contains(synonym.Theirs, StringComparison.Ordinal) : bare.StartsWith(synonym.Theirs, StringComparison.Ordinal))
            .Select(synonym => bare.Replace(synonym.Theirs, synonym.Ours, StringComparison.Ordinal))
            .FirstOrDefault(wanted.Contains, bare);
    }

    /// <summary>The names of an input's mean and standard deviation, wherever a checkpoint has both side by side.</summary>
    public static IEnumerable<(string Mean, string Deviation)> NormalisationsIn(IReadOnlySet<string> names) =>
        from name in names
        let parent = name[..(name.LastIndexOf('.') + 1)]
        from pair in Normalisations
        where name == parent + pair.Mean && names.Contains(parent + pair.Deviation)
        select (name, parent + pair.Deviation);

    /// <summary>A name as a message shows it.</summary>
    public static string Shown(string name) =>
        string.Concat(name.Take(LongestShown).Select(letter => char.IsControl(letter) ? '?' : letter)) + (name.Length > LongestShown ? "..." : "");
}
