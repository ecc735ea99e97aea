using System.Globalization;
using TorchSharp;

namespace WeakLink.Attacks;

/// <summary>How the size of a perturbation is measured.</summary>
public enum Norm
{
    /// <summary>The largest change of a value.</summary>
    Linf,

    /// <summary>The Euclidean length of the change.</summary>
    L2,

    /// <summary>The sum of the changes.</summary>
    L1,
}

/// <summary>What an attacker may do: move an image by at most ε, and never out of [0, 1].</summary>
public sealed record ThreatModel
{
    // Halvings of an interval: float32 holds no more.
    private const int Halvings = 32;

    /// <summary>States a threat.</summary>
    /// <param name="norm">How a perturbation is measured.</param>
    /// <param name="epsilon">The largest size ε, in units of images in [0, 1].</param>
    /// <exception cref="InputException">ε is not positive, or meant for images in 0 ... 255.</exception>
    public ThreatModel(Norm norm, double epsilon)
    {
        if (!(epsilon > 0) || !double.IsFinite(epsilon))
        {
            throw new InputException($"The perturbation size (eps) is {epsilon.ToString(CultureInfo.InvariantCulture)}: give a positive number, such as 8/255.");
        }

        if (norm == Norm.Linf && epsilon > 1)
        {
            throw new InputException($"The perturbation size (eps) is {epsilon.ToString(CultureInfo.InvariantCulture)}, but images are in [0, 1]: write {epsilon.ToString(CultureInfo.InvariantCulture)}/255.");
        }

        (Norm, Epsilon) = (norm, epsilon);
    }

    /// <summary>How a perturbation is measured.</summary>
    public Norm Norm { get; }

    /// <summary>The largest size ε, in units of images in [0, 1].</summary>
    public double Epsilon { get; }

    /// <summary>Reads a size, such as 8/255 or 0.5.</summary>
    /// <exception cref="InputException">It is neither a number nor a fraction.</exception>
    public static double ParseEpsilon(string text)
    {
        var parts = text.Split('/');
        var numbers = parts.Select(part => double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : double.NaN).ToArray();
        var size = numbers.Length switch
        {
            1 => numbers[0],
            2 => numbers[0] / numbers[1],
            _ => double.NaN,
        };
        return double.IsFinite(size) ? size : throw new InputException($"'{text}' is not a perturbation size: write a number or a fraction, such as 8/255 or 0.5.");
    }

    /// <summary>The size of every image's perturbation.</summary>
    /// <param name="perturbation">N×3×H×W.</param>
    /// <returns>N sizes.</returns>
    public torch.Tensor Size(torch.Tensor perturbation)
    {
        using var scope = torch.NewDisposeScope();
        var flat = perturbation.flatten(1);
        return (Norm switch
        {
            Norm.Linf => flat.abs().amax([1]),
            Norm.L2 => flat.square().sum(1).sqrt(),
            _ => flat.abs().sum(1),
        }).MoveToOuterDisposeScope();
    }

    /// <summary>The nearest points (in the Euclidean sense) that the attacker may reach.</summary>
    /// <param name="points">N×3×H×W.</param>
    /// <param name="images">The clean images, in [0, 1].</param>
    public torch.Tensor Project(torch.Tensor points, torch.Tensor images)
    {
        using var scope = torch.NewDisposeScope();
        if (Norm == Norm.Linf)
        {
            return torch.minimum(torch.maximum(points, images - Epsilon), images + Epsilon).clamp_(0, 1).MoveToOuterDisposeScope();
        }

        var change = points - images;
        var inBox = (change + images).clamp_(0, 1);
        var outside = Size(inBox - images).gt(Epsilon);
        if (!outside.any().ToBoolean())
        {
            return inBox.MoveToOuterDisposeScope();
        }

        // By duality one number t for each image decides: L2 shortens the change to t times its length, L1 shortens every value by t; then
        // the box cuts. The size of what is left is monotone in t, so halving finds it.
        var most = Norm == Norm.L2 ? torch.ones_like(outside, torch.float32) : change.flatten(1).abs().amax([1]);
        var (low, high) = (torch.zeros_like(most), most);
        for (var i = 0; i < Halvings; i++)
        {
            using var iteration = torch.NewDisposeScope();
            var middle = (low + high) / 2;
            var tooFar = Size(Shortened(middle) - images).gt(Epsilon);
            // More t is farther in L2, nearer in L1.
            var lower = Norm == Norm.L2 ? tooFar : tooFar.logical_not();
            (low, high) = (torch.where(lower, low, middle).MoveToOuterDisposeScope(), torch.where(lower, middle, high).MoveToOuterDisposeScope());
        }

        var inside = Shortened(Norm == Norm.L2 ? low : high);
        return torch.where(PerImage(outside), inside, inBox).MoveToOuterDisposeScope();

        torch.Tensor Shortened(torch.Tensor t)
        {
            using var inner = torch.NewDisposeScope();
            var shorter = Norm == Norm.L2 ? change * PerImage(t) : change.sign() * (change.abs() - PerImage(t)).clamp_min_(0);
            return (images + shorter).clamp_(0, 1).MoveToOuterDisposeScope();
        }
    }

    /// <summary>The direction in which a linear loss rises fastest for a step of size 1: signs (L∞) or the gradient's own direction (L2).</summary>
    /// <param name="gradient">N×3×H×W.</param>
    /// <exception cref="NotSupportedException">L1: a step along a single value leads nowhere; use Auto-PGD.</exception>
    public torch.Tensor Steepest(torch.Tensor gradient) => Norm switch
    {
        Norm.Linf => gradient.sign(),
        Norm.L2 => Normalized(gradient),
        _ => throw new NotSupportedException("L1 has no useful steepest direction: use Auto-PGD."),
    };

    /// <summary>Perturbations scaled to size 1.</summary>
    public torch.Tensor Normalized(torch.Tensor perturbation)
    {
        using var scope = torch.NewDisposeScope();
        return (perturbation / PerImage(Size(perturbation)).add_(1e-12)).MoveToOuterDisposeScope();
    }

    /// <summary>"Linf 8/255"-like text.</summary>
    public override string ToString()
    {
        var levels = Epsilon * 255;
        return Norm + " " + (Norm == Norm.Linf && Math.Abs(levels - Math.Round(levels, 2)) < 1e-9
            ? Math.Round(levels, 2).ToString(CultureInfo.InvariantCulture) + "/255"
            : Epsilon.ToString("g6", CultureInfo.InvariantCulture));
    }

    /// <summary>N numbers, shaped to be combined with images.</summary>
    internal static torch.Tensor PerImage(torch.Tensor numbers) => numbers.view(-1, 1, 1, 1);
}
