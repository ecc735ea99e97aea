namespace WeakLink.Corruptions;

/// <summary>The published corruptions, by name.</summary>
public static class CommonCorruptions
{
    /// <summary>The 15 of the benchmark and the 4 held out for validation, in the order of the publication.</summary>
    public static IReadOnlyList<Corruption> All { get; } =
    [
        new GaussianNoise(), new ShotNoise(), new ImpulseNoise(),
        new DefocusBlur(), new GlassBlur(), new MotionBlur(), new ZoomBlur(),
        new Snow(), new Frost(), new Fog(), new Brightness(),
        new Contrast(), new ElasticTransform(), new Pixelate(), new JpegCompression(),
        new SpeckleNoise(), new GaussianBlur(), new Spatter(), new Saturate(),
    ];

    /// <summary>The 15 that benchmark numbers are means of.</summary>
    public static IReadOnlyList<Corruption> Benchmark { get; } = [.. All.Where(corruption => !corruption.HeldOut)];

    /// <summary>Corruptions by name.</summary>
    /// <param name="names">"benchmark" (the 15), "all" (19), or names with commas between them.</param>
    /// <param name="frostTextures">A folder of pictures of ice for frost; null: the generated ones.</param>
    /// <exception cref="InputException">No such corruption, or no pictures.</exception>
    public static IReadOnlyList<Corruption> Named(string names, string? frostTextures = null)
    {
        var named = names switch
        {
            "all" => All,
            "benchmark" => Benchmark,
            _ => [.. names.Split(',', StringSplitOptions.TrimEntries).Select(Find).Distinct()],
        };
        if (frostTextures is null)
        {
            return named;
        }

        var frost = new Frost(FrostTextures.From(frostTextures));
        return [.. named.Select(corruption => corruption is Frost ? frost : corruption)];
    }

    private static Corruption Find(string name)
    {
        var wanted = name.Replace('-', '_').Replace(' ', '_');
        return All.FirstOrDefault(corruption => corruption.Name.Equals(wanted, StringComparison.OrdinalIgnoreCase))
            ?? throw new InputException(
                $"There is no corruption '{name}' (did you mean '{Nearest.To(wanted, All.Select(corruption => corruption.Name))}'?): choose benchmark, all, or some of {string.Join(", ", All.Select(corruption => corruption.Name))}.");
    }
}
