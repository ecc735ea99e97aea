using WeakLink.Imaging;

namespace WeakLink.Sources;

/// <summary>Which images, and how they are read and split.</summary>
public sealed record DataRecipe
{
    /// <summary><c>shapes</c> (embedded), <c>cifar10</c>, <c>cifar100</c>, a folder, an archive, packed images, or a list of images (<c>.csv</c>, <c>.jsonl</c>).</summary>
    [Setting(SettingKind.Place)]
    public string Source { get; init; } = "shapes";

    /// <summary>Height and width in pixels at which images are stored; 0: as they are, where all have one size.</summary>
    [Limits(0, 4096)]
    [Setting(SettingKind.FilledIn)]
    public int Size { get; init; }

    /// <summary>How images of other sizes are scaled: <c>bilinear</c>, as torchvision's networks are measured, or <c>bicubic</c>, as most of timm's are.</summary>
    public ResizeFilter Filter { get; init; }

    /// <summary>Part of the training images held out to select the best checkpoint, where the data have no validation split; in [0, 1). 0: all are trained on, and the last weights are kept.</summary>
    [Limits(0, 1, BelowMost = true)]
    public double Validation { get; init; } = 0.05;

    /// <summary>Part of the images held out as the test set, where the data have none; in (0, 1).</summary>
    [Limits(0, 1, AboveLeast = true, BelowMost = true)]
    public double Test { get; init; } = 0.2;

    /// <summary>Pass over unreadable images instead of stopping.</summary>
    public bool SkipBadImages { get; init; }

    /// <summary>Memory for decoded images in MiB; more than that is decoded anew in every epoch.</summary>
    [Limits(0, int.MaxValue)]
    [Setting(SettingKind.Incidental)]
    public int CacheMegabytes { get; init; } = 4096;

    /// <summary>Use only this many training images (the first of a seeded, stratified order); 0: all.</summary>
    [Limits(0, int.MaxValue)]
    public int Limit { get; init; }

    /// <summary>Folders of further training images (DeepAugment's, generated or pseudo-labelled ones), with commas between; each holds one folder of images a class, of some of the classes, or <c>image.npy</c> and <c>label.npy</c>; or is a list of images.</summary>
    [Setting(SettingKind.Place)]
    public IReadOnlyList<string> Extra { get; init; } = [];

    /// <summary>Part of every batch that comes from <c>data.extra</c>; 0: their images are added to the others, all equally likely. In [0, 1).</summary>
    [Limits(0, 1, BelowMost = true)]
    public double ExtraFraction { get; init; }

    /// <summary>Checksum of the images' pixels, classes and split; filled in by a run, which then refuses images that changed. Empty: not checked.</summary>
    [Setting(SettingKind.FilledIn | SettingKind.OfTheSeed)]
    public string Fingerprint { get; init; } = "";

    /// <summary>The same data as something to measure on: extra training images need not be there.</summary>
    public DataRecipe WithoutExtra() => this with { Extra = [], ExtraFraction = 0, Fingerprint = Fingerprint.Split('-')[0] };
}
