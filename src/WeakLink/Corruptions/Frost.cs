using System.Numerics.Tensors;
using WeakLink.Imaging;

namespace WeakLink.Corruptions;

/// <summary>Ice on the window.</summary>
/// <param name="textures">Pictures of ice; null: the generated ones, drawn when first needed.</param>
internal sealed class Frost(FrostTextures? textures = null) : Corruption("frost", CorruptionGroup.Weather)
{
    /// <summary>The pictures of ice.</summary>
    public FrostTextures Textures => textures ?? FrostTextures.Generated;

    // What is left of the image, and how much ice is added.
    private static readonly Levels<(double Kept, double Ice)> Ices = new(
        cifar: [(1, 0.2), (1, 0.3), (0.9, 0.4), (0.85, 0.4), (0.75, 0.45)],
        tinyImageNet: [(1, 0.3), (0.9, 0.4), (0.8, 0.45), (0.75, 0.5), (0.7, 0.55)],
        imageNet: [(1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75)]);

    protected override void Corrupt(ImageView image, SeverityTable table, int severity, SeededRandom random, Span<byte> result)
    {
        var (kept, ice) = Ices[table, severity];
        using var pixels = Planes.Of(image);
        using var frost = new Planes(pixels.Count, pixels.Height, pixels.Width);
        Textures.Cut(table, random, frost);
        TensorPrimitives.Multiply(pixels.Used, (float)kept, pixels.Used);
        TensorPrimitives.MultiplyAdd(frost.Used, (float)ice, pixels.Used, pixels.Used);
        pixels.CutTo(result);
    }
}
