using TorchSharp;

namespace WeakLink.Runtime;

/// <summary>
/// Computes a layer, forward and backward, on random numbers, and again in float64, which takes other routines of libtorch (a matrix product for
/// convolutions) or plain formulas (for batch norm).
/// </summary>
internal static class LayerCheck
{
    // So many multiply-adds are tried, but at least two images: enough that all threads and all blocks of a routine run. The number of images that a layer
    // will get does not matter, so that what is remembered of it holds for any.
    private const long Work = 4_000_000;
    private const int LeastImages = 2;
    private const int MostImages = 8;

    // What a routine leaves uncomputed is wrong by chance: on one processor, a third of the tries found it right.
    internal const int Tries = 8;

    // Of a channel: of two values batch norm makes 1 and -1 whatever they are, and their gradient is nothing but rounding.
    private const long LeastValues = 64;

    // Relative to the largest number of the result. float32 sums of up to a million terms stay below 1e-5; bfloat16 rounds to 1/256 (IEEE-like, 8 bits), and
    // sums in float32. Both a hundred times below what a block of wrong numbers does.
    private static double Tolerance(torch.ScalarType number) => number == torch.ScalarType.BFloat16 ? 0.03 : 3e-4;

    /// <summary>The part of the layer that comes out wrong, and by how much; null: all is right.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="mostImages">Tries fewer images than usual.</param>
    public static string? Wrong(LayerShape layer, int mostImages = MostImages)
    {
        using var scope = torch.NewDisposeScope();
        using var gradients = torch.enable_grad();
        using var generator = new torch.Generator(1);
        var count = Math.Clamp(Work / Math.Max(1, layer.MultiplyAdds), Math.Min(LeastImages, mostImages), mostImages);
        count = layer.Kind == LayerKind.BatchNorm ? Math.Max(count, LeastValues / (layer.Height * layer.Width)) : count;

        torch.Tensor Random(params long[] shape) => torch.randn(shape, generator: generator);
        torch.Tensor Stored(torch.Tensor values) => (layer.Kind == LayerKind.Linear ? values : Laid(values.to(layer.Number), layer.ChannelsLast)).detach().requires_grad_();

        var input = Stored(layer.Kind == LayerKind.Linear ? Random(count, layer.Inputs) : Random(count, layer.Inputs, layer.Height, layer.Width));
        var parameters = layer.Kind switch
        {
            LayerKind.Convolution or LayerKind.Depthwise => new[] { Random(layer.Outputs, layer.FilterInputs, layer.Kernel, layer.Kernel).to(layer.Number) },
            LayerKind.BatchNorm => [Random(layer.Inputs), Random(layer.Inputs)],
            _ => [Random(layer.Outputs, layer.Inputs), Random(layer.Outputs)],
        };
        foreach (var parameter in parameters)
        {
            parameter.requires_grad_();
        }

        var exactInput = input.detach().to(torch.float64).requires_grad_();
        var exactParameters = parameters.Select(parameter => parameter.detach().to(torch.float64).requires_grad_()).ToArray();
        var exact = Exact(layer, exactInput, exactParameters);
        var direction = layer.Kind == LayerKind.Linear ? Random(exact.shape) : Laid(Random(exact.shape).to(layer.Number), layer.ChannelsLast);
        exact.backward([direction.to(torch.float64)]);

        return Enumerable.Range(0, Tries).Select(_ => Once()).FirstOrDefault(wrong => wrong is not null);

        string? Once()
        {
            using var own = torch.NewDisposeScope();
            input.grad = null;
            foreach (var parameter in parameters)
            {
                parameter.grad = null;
            }

            Poison(layer.Number, input.numel(), exact.numel(), parameters[0].numel());
            var result = Run(layer, input, parameters);
            result.backward([direction.to(result.dtype)]);
            return Difference("result", result, exact)
                ?? Difference("gradient of the input", input.grad!, exactInput.grad!)
                ?? parameters.Zip(exactParameters, (parameter, reference) => Difference("gradient of the weights", parameter.grad!, reference.grad!)).FirstOrDefault(wrong => wrong is not null);
        }

        string? Difference(string name, torch.Tensor computed, torch.Tensor reference)
        {
            var difference = (computed.detach().to(torch.float64) - reference.detach()).abs().max().ReadDouble() / Math.Max(reference.detach().abs().max().ReadDouble(), 1e-30);
            // NaN is not below anything.
            return difference <= Tolerance(layer.Number) ? null : FormattableString.Invariant($"{name} off by {(double.IsFinite(difference) ? $"{100 * difference:0.##} %" : "NaN")}");
        }
    }

    private static torch.Tensor Run(LayerShape layer, torch.Tensor input, torch.Tensor[] parameters) => layer.Kind switch
    {
        LayerKind.Convolution or LayerKind.Depthwise =>
            torch.nn.functional.conv2d(input, parameters[0], null, [layer.Stride, layer.Stride], [layer.Kernel / 2, layer.Kernel / 2], groups: layer.Inputs / layer.FilterInputs),
        LayerKind.BatchNorm => torch.nn.functional.batch_norm(input, null, null, parameters[0], parameters[1], training: true, 0.1, 1e-5),
        _ => torch.nn.functional.linear(input, parameters[0], parameters[1]),
    };

    private static torch.Tensor Exact(LayerShape layer, torch.Tensor input, torch.Tensor[] parameters)
    {
        if (layer.Kind != LayerKind.BatchNorm)
        {
            return Run(layer, input, parameters);
        }

        var centred = input - input.mean([0, 2, 3], keepdim: true);
        var variance = (centred * centred).mean([0, 2, 3], keepdim: true);
        return (centred / variance.Plus(1e-5).sqrt() * parameters[0].view(1, -1, 1, 1)).Plus(parameters[1].view(1, -1, 1, 1));
    }

    private static torch.Tensor Laid(torch.Tensor images, bool channelsLast) =>
        channelsLast ? images.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) : images;

    // Leaves NaN in the memory that the layer is about to get: what a routine forgets to clear is seen.
    private static void Poison(torch.ScalarType number, params long[] sizes)
    {
        using var scope = torch.NewDisposeScope();
        foreach (var size in sizes.Concat(sizes))
        {
            // Blocks of the very size, which are what is given out first.
            _ = torch.full([size], Kept(float.NaN), number);
            _ = torch.full([size], Kept(float.NaN), number);
            // Routines keep their own copies padded to whole blocks, in one format or another.
            _ = torch.full([size + 64], Kept(float.NaN));
            _ = torch.full([(2 * size) + 4096], Kept(float.NaN));
        }
    }
}
