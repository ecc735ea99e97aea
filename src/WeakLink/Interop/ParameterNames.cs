namespace WeakLink.Interop;

/// <summary>
/// What the authors of other code call the parameters of the networks that WeakLink knows. WeakLink's own names are torchvision's
/// for ResNets and RobustBench's for PreAct and wide ones.
/// </summary>
internal static class ParameterNames
{
    // Put before every name by data parallelism, compilation, and models that keep the network in a field.
    private static readonly string[] Wrappers = ["module.", "_orig_mod.", "model.", "net.", "network."];

    // In EWS checkpoints the masks of the last subnet, unused scales of the paths; in EWS's and RobustBench's wide networks a block that nothing runs.
    private static readonly string[] UnusedEndings = [".beta", ".active_index", ".path_beta", ".alpha"];
    private static readonly string[] UnusedBeginnings = ["sub_block1."];

    // The CIFAR ResNets of RobustBench and EWS write torchvision's "downsample" and "fc" in another way.
    private static readonly (string Theirs, string Ours)[] Synonyms = [(".shortcut.", ".downsample."), ("linear.", "fc."), ("fc.", "linear.")];

    // Buffers of models that normalise their input themselves.
    private static readonly (string Mean, string Deviation)[] Normalisations =
        [("normalize.mean", "normalize.std"), ("normalizer.mean", "normalizer.std"), ("mu", "sigma"), ("mean", "std"), ("mean", "standard_deviation")];

    /// <summary>A name without what wraps the network.</summary>
    public static string Bare(string name)
    {
        while (Wrappers.FirstOrDefault(wrapper => name.StartsWith(wrapper, StringComparison.Ordinal)) is { } wrapper)
        {
            name = name[wrapper.Length..];
        }

        return name;
    }

    /// <summary>Whether a bare name belongs to something that does not change what the network computes.</summary>
    public static bool IsUnused(string bare) =>
        UnusedEndings.Any(ending => bare.EndsWith(ending, StringComparison.Ordinal)) || UnusedBeginnings.Any(beginning => bare.StartsWith(beginning, StringComparison.Ordinal));

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

    /// <summary>The bare names of the input's mean and standard deviation, where the checkpoint has both.</summary>
    public static (string Mean, string Deviation)? Normalisation(IReadOnlySet<string> bare)
    {
        foreach (var pair in Normalisations)
        {
            if (bare.Contains(pair.Mean) && bare.Contains(pair.Deviation))
            {
                return pair;
            }
        }

        return null;
    }

    /// <summary>The classifier's weight, whose length is the number of classes.</summary>
    public static IReadOnlyList<string> Classifiers { get; } = ["fc.weight", "linear.weight"];
}
