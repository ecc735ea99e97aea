using TorchSharp;

namespace WeakLink.Tests.Attacks;

/// <summary>logits = W·x + b, where everything about robustness is known in closed form.</summary>
internal sealed class LinearModel : torch.nn.Module<torch.Tensor, torch.Tensor>
{
    private readonly torch.Tensor _weight;
    private readonly torch.Tensor _bias;

    public LinearModel(int classes, int pixels, long seed)
        : base(nameof(LinearModel))
    {
        var random = new SeededRandom(seed, RandomUse.Weights);
        Weight = new float[classes, pixels];
        Bias = new float[classes];
        for (var c = 0; c < classes; c++)
        {
            for (var i = 0; i < pixels; i++)
            {
                Weight[c, i] = (float)random.NextNormal();
            }

            Bias[c] = (float)random.NextNormal();
        }

        _weight = torch.tensor(Weight);
        _bias = torch.tensor(Bias);
        register_buffer("weight", _weight);
        register_buffer("bias", _bias);
        eval();
    }

    public float[,] Weight { get; }

    public float[] Bias { get; }

    public override torch.Tensor forward(torch.Tensor images) => torch.nn.functional.linear(images.flatten(1), _weight, _bias);

    /// <summary>
    /// How far the best attack gets: the largest of z_t − z_y over the wrong classes t and all points of the ball inside of [0, 1].
    /// </summary>
    public double Worst(WeakLink.Attacks.Norm norm, double epsilon, ReadOnlySpan<float> image, int label)
    {
        var worst = double.NegativeInfinity;
        for (var target = 0; target < Bias.Length; target++)
        {
            if (target == label)
            {
                continue;
            }

            var (difference, gains) = ((double)Bias[target] - Bias[label], new List<(double Weight, double Room)>());
            for (var i = 0; i < image.Length; i++)
            {
                var w = (double)Weight[target, i] - Weight[label, i];
                difference += w * image[i];
                gains.Add((Math.Abs(w), w > 0 ? 1.0 - image[i] : image[i]));
            }

            worst = Math.Max(worst, difference + Gain(norm, epsilon, gains));
        }

        return worst;
    }

    private static double Gain(WeakLink.Attacks.Norm norm, double epsilon, List<(double Weight, double Room)> values)
    {
        switch (norm)
        {
            case WeakLink.Attacks.Norm.Linf:
                return values.Sum(value => value.Weight * Math.Min(epsilon, value.Room));
            case WeakLink.Attacks.Norm.L1:
                var (left, gain) = (epsilon, 0.0);
                foreach (var (weight, room) in values.OrderByDescending(value => value.Weight))
                {
                    gain += weight * Math.Min(left, room);
                    left -= Math.Min(left, room);
                }

                return gain;
            default:
                // Moves in proportion to the weights, as far as there is room: the proportion that uses all of epsilon.
                var (low, high) = (0.0, 1e6);
                for (var i = 0; i < 200; i++)
                {
                    var t = (low + high) / 2;
                    (low, high) = values.Sum(value => Math.Pow(Math.Min(t * value.Weight, value.Room), 2)) > epsilon * epsilon ? (low, t) : (t, high);
                }

                return values.Sum(value => value.Weight * Math.Min(low * value.Weight, value.Room));
        }
    }
}
