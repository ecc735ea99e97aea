using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TorchSharp;
using WeakLink.Models;
using WeakLink.Subnets;

namespace WeakLink.Benchmarks;

/// <summary>
/// How near to the processor's limit a training step is: multiply-adds a second of a loop that never leaves the registers, bytes a second of a copy, and beside them every
/// convolution of a network (forward, gradients of input and weights), its batch norms, and the whole step. (.NET has no instruction for bfloat16, so that format is measured against the
/// limit of float32: two of its multiply-adds fit where one of float32 does.)
/// </summary>
internal static class LimitBenchmark
{
    private const int ImageNetSide = 64;
    private const int Side = 32;
    private const double Width = 0.7;
    private const int CopiedFloats = 64 << 20;
    private const int Loops = 20_000_000;
    private const int Independent = 12;

    private sealed record Shape(int Inputs, int Outputs, int Height, int Width, int Kernel, int Stride, int Groups)
    {
        public double MultiplyAdds => (double)Outputs * Inputs / Groups * Kernel * Kernel * (Height / Stride) * (Width / Stride);

        public override string ToString() => $"{Inputs,4} -> {Outputs,4}, {Kernel}x{Kernel}, {Height}x{Width}{(Stride > 1 ? $", every {Stride}" : "")}";
    }

    public static void Run(IReadOnlyList<string> networks, int rounds)
    {
        var threads = torch.get_num_threads();
        var limit = Enumerable.Range(0, rounds).Max(_ => MultiplyAdds(threads));
        Console.WriteLine(FormattableString.Invariant($"limit, {threads} thread{(threads == 1 ? "" : "s")}: {limit / 1e9:0} billion multiply-adds a second (float32, {(Vector512.IsHardwareAccelerated ? 512 : 256)} bits), copy {Enumerable.Range(0, rounds).Max(_ => CopiedBytes()) / 1e9:0.0} GB/s read and written"));
        foreach (var name in networks)
        {
            foreach (var precision in Machine.Precisions)
            {
                Run(name, new ComputeFormat(precision, Layout.ChannelsLast), limit, rounds);
            }
        }
    }

    private static void Run(string name, ComputeFormat format, double limit, int rounds)
    {
        var side = name.EndsWith("-imagenet", StringComparison.Ordinal) ? ImageNetSide : Side;
        using var network = StepBenchmark.NewNetwork(name);
        using var batch = StepBenchmark.RandomBatch(side: side);
        var step = Interleaved.Run(rounds, ("step", StepBenchmark.Step(name, SearchKind.Off, format, batch)))[0].Median;
        using var random = new RandomSearch(network.Space, Width);
        var subnet = random.Propose(new SearchContext(new SeededRandom(0, RandomUse.Proposal)));
        Console.WriteLine(FormattableString.Invariant($"\n{name}, {format}, batch {StepBenchmark.BatchSize}, {side}x{side}: a step {1000 * step:0} ms, {Share(3 * StepBenchmark.BatchSize * (double)network.MultiplyAdds(side, side), step, limit)} of the limit"));
        Console.WriteLine("                                       ms: forward  grad input  grad weight   of the limit    of the step");
        var (convolutions, norms) = Of(network, side, null);
        var whole = 0.0;
        foreach (var shape in convolutions.GroupBy(shape => shape))
        {
            var (forward, input, weight) = Convolution(shape.Key, format, rounds);
            var count = shape.Count();
            var all = count * (forward + input + weight);
            whole += all;
            var work = StepBenchmark.BatchSize * shape.Key.MultiplyAdds;
            Console.WriteLine(FormattableString.Invariant(
                $"{count,2} x {shape.Key,-32} {1000 * forward,9:0.00} {1000 * input,11:0.00} {1000 * weight,12:0.00}   {Share(work, forward, limit)} {Share(work, input, limit)} {Share(work, weight, limit)}  {all / step,10:p0}"));
        }

        var normed = norms.GroupBy(norm => norm).Sum(norm => norm.Count() * Norm(norm.Key, format, rounds));
        var optimised = Optimiser(network, rounds);
        Console.WriteLine(FormattableString.Invariant($"convolutions {whole / step:p0} of the step, batch norms with ReLU {normed / step:p0}, optimiser {optimised / step:p0}, everything else {1 - ((whole + normed + optimised) / step):p0}"));
        var (subnets, _) = Of(network, side, subnet);
        var taught = subnets.GroupBy(shape => shape).Sum(shape => shape.Count() * Total(Convolution(shape.Key, format, rounds)));
        Console.WriteLine(FormattableString.Invariant($"convolutions of a subnet of width {Width}: {taught / whole:0.00} of the network's time, {(double)network.MultiplyAdds(side, side, subnet) / network.MultiplyAdds(side, side):0.00} of its multiply-adds; {Share(3 * StepBenchmark.BatchSize * (double)network.MultiplyAdds(side, side, subnet), taught, limit)} of the limit"));
    }

    private static double Total((double Forward, double Input, double Weight) times) => times.Forward + times.Input + times.Weight;

    private static string Share(double work, double seconds, double limit) => seconds > 0 ? (work / seconds / limit).ToString("p0", System.Globalization.CultureInfo.InvariantCulture).PadLeft(5) : "    -";

    // By its trace: the shapes of what it computes.
    private static (List<Shape> Convolutions, List<(int Channels, int Side)> Norms) Of(ClassifierNetwork network, int side, Subnet? subnet)
    {
        network.eval();
        using var trace = network.Trace(side, side, subnet);
        var (values, convolutions, norms) = (new Dictionary<int, (int Channels, int Side)> { [0] = (3, side) }, new List<Shape>(), new List<(int, int)>());
        foreach (var operation in trace.Operations)
        {
            var (channels, pixels) = values[operation.Inputs[0]];
            var stride = operation.Attributes.Where(attribute => attribute.Name == "strides").Select(attribute => (int)((long[])attribute.Value)[0]).FirstOrDefault(1);
            if (operation.Operator == "Conv")
            {
                var weight = operation.Parameters[0].Value.shape;
                // A strided 1x1 convolution is given only the pixels that it reads.
                var read = weight[2] == 1 ? pixels / stride : pixels;
                convolutions.Add(new Shape(channels, (int)weight[0], read, read, (int)weight[2], weight[2] == 1 ? 1 : stride, channels / (int)weight[1]));
                channels = (int)weight[0];
            }
            else if (operation.Operator == "BatchNormalization")
            {
                norms.Add((channels, pixels));
            }

            values[operation.Output] = (channels, pixels / stride);
        }

        return (convolutions, norms);
    }

    private static (double Forward, double Input, double Weight) Convolution(Shape shape, ComputeFormat format, int rounds)
    {
        using var scope = torch.NewDisposeScope();
        var images = format.Apply(torch.randn(StepBenchmark.BatchSize, shape.Inputs, shape.Height, shape.Width)).detach();
        var weight = torch.randn(shape.Outputs, shape.Inputs / shape.Groups, shape.Kernel, shape.Kernel).to(images.dtype);
        torch.Tensor Run(torch.Tensor x, torch.Tensor w) => torch.nn.functional.conv2d(x, w, null, [shape.Stride, shape.Stride], [shape.Kernel / 2, shape.Kernel / 2], groups: shape.Groups);
        Action Backward(torch.Tensor towards, Func<torch.Tensor> forward)
        {
            var result = forward();
            var gradient = torch.ones_like(result);
            return () =>
            {
                using var inner = torch.NewDisposeScope();
                torch.autograd.grad([result], [towards], [gradient], retain_graph: true);
            };
        }

        var (learnt, moved) = (weight.clone().requires_grad_(), images.clone().requires_grad_());
        // The first convolution's input has no gradient in training; three channels are the images.
        var hasInput = shape.Inputs > 3;
        void Forward()
        {
            using var inner = torch.NewDisposeScope();
            using var noGradients = torch.no_grad();
            Run(images, weight);
        }

        var timings = Interleaved.Run(rounds, ("forward", Forward), ("weight", Backward(learnt, () => Run(images, learnt))), ("input", hasInput ? Backward(moved, () => Run(moved, weight)) : () => { }));
        return (timings[0].Median, hasInput ? timings[2].Median : 0, timings[1].Median);
    }

    // With the ReLU after it, forward and backward.
    private static double Norm((int Channels, int Side) place, ComputeFormat format, int rounds)
    {
        using var scope = torch.NewDisposeScope();
        var images = format.Apply(torch.randn(StepBenchmark.BatchSize, place.Channels, place.Side, place.Side)).detach().requires_grad_();
        var (scale, shift) = (torch.ones(place.Channels).requires_grad_(), torch.zeros(place.Channels).requires_grad_());
        var gradient = torch.ones_like(images);
        void Work()
        {
            using var inner = torch.NewDisposeScope();
            torch.autograd.grad([torch.nn.functional.batch_norm(images, null, null, scale, shift, training: true).relu_()], [images, scale, shift], [gradient]);
        }

        return Interleaved.Run(rounds, ("norm", Work))[0].Median;
    }

    private static double Optimiser(ClassifierNetwork network, int rounds)
    {
        var optimizer = torch.optim.SGD(network.parameters(), 0, 0.9, weight_decay: 1e-4, nesterov: true);
        foreach (var parameter in network.parameters())
        {
            parameter.grad = torch.zeros_like(parameter);
        }

        return Interleaved.Run(rounds, ("optimiser", () => optimizer.step()))[0].Median;
    }

    private static double MultiplyAdds(int threads)
    {
        var watch = Stopwatch.StartNew();
        var workers = Enumerable.Range(0, threads).Select(_ => new Thread(() => _sink = Vector512.IsHardwareAccelerated ? Wide() : Narrow())).ToList();
        workers.ForEach(worker => worker.Start());
        workers.ForEach(worker => worker.Join());
        return (double)threads * Loops * Independent * (Vector512.IsHardwareAccelerated ? Vector512<float>.Count : Vector256<float>.Count) / watch.Elapsed.TotalSeconds;
    }

    private static volatile float _sink;

    // Twelve sums, so that none waits for another; they stay in registers.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static float Narrow()
    {
        var (x, y) = (Vector256.Create(0.999999f), Vector256.Create(1e-6f));
        Vector256<float> a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y, i = y, j = y, k = y, l = y;
        for (var loop = 0; loop < Loops; loop++)
        {
            a = Vector256.FusedMultiplyAdd(a, x, y);
            b = Vector256.FusedMultiplyAdd(b, x, y);
            c = Vector256.FusedMultiplyAdd(c, x, y);
            d = Vector256.FusedMultiplyAdd(d, x, y);
            e = Vector256.FusedMultiplyAdd(e, x, y);
            f = Vector256.FusedMultiplyAdd(f, x, y);
            g = Vector256.FusedMultiplyAdd(g, x, y);
            h = Vector256.FusedMultiplyAdd(h, x, y);
            i = Vector256.FusedMultiplyAdd(i, x, y);
            j = Vector256.FusedMultiplyAdd(j, x, y);
            k = Vector256.FusedMultiplyAdd(k, x, y);
            l = Vector256.FusedMultiplyAdd(l, x, y);
        }

        return Vector256.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static float Wide()
    {
        var (x, y) = (Vector512.Create(0.999999f), Vector512.Create(1e-6f));
        Vector512<float> a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y, i = y, j = y, k = y, l = y;
        for (var loop = 0; loop < Loops; loop++)
        {
            a = Vector512.FusedMultiplyAdd(a, x, y);
            b = Vector512.FusedMultiplyAdd(b, x, y);
            c = Vector512.FusedMultiplyAdd(c, x, y);
            d = Vector512.FusedMultiplyAdd(d, x, y);
            e = Vector512.FusedMultiplyAdd(e, x, y);
            f = Vector512.FusedMultiplyAdd(f, x, y);
            g = Vector512.FusedMultiplyAdd(g, x, y);
            h = Vector512.FusedMultiplyAdd(h, x, y);
            i = Vector512.FusedMultiplyAdd(i, x, y);
            j = Vector512.FusedMultiplyAdd(j, x, y);
            k = Vector512.FusedMultiplyAdd(k, x, y);
            l = Vector512.FusedMultiplyAdd(l, x, y);
        }

        return Vector512.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }

    private static double CopiedBytes()
    {
        using var scope = torch.NewDisposeScope();
        var (from, to) = (torch.ones(CopiedFloats), torch.ones(CopiedFloats));
        var watch = Stopwatch.StartNew();
        to.copy_(from);
        return 2.0 * sizeof(float) * CopiedFloats / watch.Elapsed.TotalSeconds;
    }
}
