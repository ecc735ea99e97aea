namespace WeakLink.Models;

/// <summary>
/// Networks of one kind, by name. Registered with <see cref="NetworkCatalogue.Register"/>, its names are known wherever a recipe or a checkpoint names a network.
/// </summary>
public abstract class NetworkFamily
{
    /// <summary>Names of its networks; where there are too many, some that are of use.</summary>
    public abstract IReadOnlyList<string> Names { get; }

    /// <summary>What stands for all its names in a message, such as wide-resnet-DEPTH-WIDTH; null: they are <see cref="Names"/>.</summary>
    public virtual string? Pattern => null;

    /// <summary>Whether its networks have dropout.</summary>
    public virtual bool HasDropout => false;

    /// <summary>What the weight of the first convolution is called, by which imports find the network in a file.</summary>
    public virtual string Stem => "conv1.weight";

    /// <summary>What the classifier's weight is called, whose length is the number of classes.</summary>
    public virtual string Classifier => "fc.weight";

    /// <summary>Whether a name is one of this family's.</summary>
    /// <param name="name">Any text.</param>
    /// <exception cref="InputException">It looks like one, but there is no such network.</exception>
    public virtual bool Has(string name) => Names.Contains(name);

    /// <summary>Creates a network with random weights.</summary>
    /// <param name="settings">Its name is one of this family's.</param>
    public abstract ClassifierNetwork Create(NetworkSettings settings);

    /// <summary>A number of trainable weights that a network has at least, known before any memory is asked for: a file may name any network.</summary>
    /// <param name="settings">Which network.</param>
    public abstract long LeastParameters(NetworkSettings settings);

    /// <summary>By how much the last features are lower and narrower than the image, rounded up.</summary>
    /// <param name="name">One of this family's names.</param>
    public abstract int Reduction(string name);
}
