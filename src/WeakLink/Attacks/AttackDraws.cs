using TorchSharp;

namespace WeakLink.Attacks;

/// <summary>The random draws of an attack: every image has its own, so that batches may be cut in any way.</summary>
/// <param name="seed">Seed of the evaluation.</param>
/// <param name="attack">A number for the attack and its attempt.</param>
/// <param name="identities">A number for each image of the batch, its own in whatever batch it is.</param>
public sealed class AttackDraws(long seed, long attack, IReadOnlyList<long> identities)
{
    /// <summary>Fresh generators, one for each image.</summary>
    public SeededRandom[] Generators() => [.. identities.Select(identity => new SeededRandom(seed, RandomUse.Attack, attack, identity))];

    /// <summary>Random values for each image: uniform in -1 ... 1 for L∞, normal for the others.</summary>
    /// <param name="threat">For which norm.</param>
    /// <param name="images">Their shape.</param>
    public torch.Tensor Noise(ThreatModel threat, torch.Tensor images) => Noise(threat, images, Generators());

    /// <summary>A perturbation of the largest size in a random direction: where Auto-PGD and FAB start.</summary>
    /// <param name="threat">How its size is measured.</param>
    /// <param name="images">What to perturb.</param>
    public torch.Tensor Direction(ThreatModel threat, torch.Tensor images)
    {
        using var scope = torch.NewDisposeScope();
        return threat.Largest(Noise(threat, images)).MoveToOuterDisposeScope();
    }

    /// <summary>A point anywhere in the ball: where PGD starts. Uniform for L∞; uniform in direction and in size for L2.</summary>
    /// <inheritdoc cref="Direction"/>
    public torch.Tensor Start(ThreatModel threat, torch.Tensor images)
    {
        using var scope = torch.NewDisposeScope();
        var generators = Generators();
        var noise = Noise(threat, images, generators);
        if (threat.Norm != Norm.Linf)
        {
            var sizes = torch.tensor(generators.Select(generator => (float)generator.NextDouble()).ToArray(), device: images.device);
            noise = threat.Normalized(noise) * ThreatModel.PerImage(sizes);
        }

        return threat.Project(images.Plus(noise * Kept(threat.Epsilon)), images).MoveToOuterDisposeScope();
    }

    private static torch.Tensor Noise(ThreatModel threat, torch.Tensor images, SeededRandom[] generators)
    {
        var values = new float[images.numel()];
        var each = values.Length / generators.Length;
        for (var i = 0; i < generators.Length; i++)
        {
            var part = values.AsSpan(i * each, each);
            if (threat.Norm == Norm.Linf)
            {
                generators[i].FillUniform(part);
                System.Numerics.Tensors.TensorPrimitives.Multiply(part, 2f, part);
                System.Numerics.Tensors.TensorPrimitives.Subtract(part, 1f, part);
            }
            else
            {
                generators[i].FillNormal(part);
            }
        }

        return torch.tensor(values, images.shape, device: images.device);
    }
}
