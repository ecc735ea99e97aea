using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Models;
using WeakLink.Runtime;
using WeakLink.Subnets;

namespace WeakLink.Benchmarks;

/// <summary>
/// Does a GPU compute what the processor computes, and how many images a second does a training step take there? (The processor's own numbers
/// are checked before a network runs; another device's are not.) Without a GPU the processor is compared with itself, which tries everything but the device.
/// </summary>
internal static class DeviceBenchmark
{
    private const int Images = 16;

    // Without TF32, whose ten bits would turn a gradient by more than this: cuDNN's fast ways to convolve still lose some of float32's.
    private const double Fp32Error = 5e-3, Fp32Turn = 1e-4;

    // Of the network that magnifies most: an NVIDIA H200 turns its gradient by 1.3e-4, that of the others by 3.9e-5 at most.
    private const double Fp32TurnOfDeepest = 1e-3;

    // bfloat16 has seven bits, which add up over a network's layers: how far they move logits and gradient is measured on the processor. A device that rounds in another order comes as far, not twice as far.
    private const double Bf16Share = 2;

    private static readonly string[] Networks = ["resnet20", "resnet18", "preact-resnet18", "wide-resnet-16-2", "resnet50"];

    // An untrained ResNet-50 magnifies so much that right rounding to bfloat16 leaves little of its gradient's direction, which tells nothing of a device.
    private const string Float32Alone = "resnet50";

    /// <summary>Checks, then times.</summary>
    /// <param name="steps">Steps timed of each candidate.</param>
    /// <returns>The exit code: 0 where every check passed.</returns>
    public static int Run(int steps)
    {
        var device = EnvironmentReport.TrainingDevice;
        IReadOnlyList<Precision> precisions = device.type == DeviceType.CUDA ? [Precision.Fp32, Precision.Bf16] : Machine.Precisions;
        var (passed, failed) = (0, 0);
        var tf32 = torch.backends.cudnn.allow_tf32;
        torch.backends.cudnn.allow_tf32 = false;
        foreach (var name in Networks)
        {
            foreach (var precision in precisions.Where(precision => precision == Precision.Fp32 || name != Float32Alone))
            {
                Check(name, new ComputeFormat(precision, precision == Precision.Bf16 ? Layout.ChannelsLast : Layout.Contiguous), device, Tell);
            }
        }

        torch.backends.cudnn.allow_tf32 = tf32;
        CheckAttack(device, Tell);
        Console.WriteLine(FormattableString.Invariant($"{passed} passed, {failed} failed, on {device}\n"));

        // A processor only tries the way; a step of 512 images takes it a minute.
        foreach (var size in device.type == DeviceType.CUDA ? (int[])[128, 512] : [Images])
        {
            foreach (var format in precisions.Select(precision => new ComputeFormat(precision, Layout.ChannelsLast)))
            {
                Time(size, format, device, steps);
            }
        }

        return failed == 0 ? 0 : 1;

        void Tell(string what, bool right)
        {
            _ = right ? passed++ : failed++;
            Console.WriteLine($"{(right ? "passed" : "FAILED")}  {what}");
        }
    }

    // Logits and weight gradients of the whole network and of a subnet, in training mode, against float32 on the processor.
    private static void Check(string name, ComputeFormat format, torch.Device device, Action<string, bool> tell)
    {
        using var scope = torch.NewDisposeScope();
        var images = torch.rand([Images, 3, 32, 32], generator: new torch.Generator(1));
        var labels = torch.arange(Images).remainder(10);
        foreach (var whole in (bool[])[true, false])
        {
            var exact = Pass(ComputeFormat.Exact, torch.CPU);
            var (difference, turn) = Distance(Pass(format, device));
            var (error, most) = format.Precision == Precision.Bf16 ? Distance(Pass(format, torch.CPU), Bf16Share) : (Fp32Error, name == Float32Alone ? Fp32TurnOfDeepest : Fp32Turn);
            tell(
                FormattableString.Invariant($"{name} {format}, {(whole ? "whole" : "subnet")}: logits differ by {difference:e1} of the largest (at most {error:e1}), 1 - cosine of gradients {turn:e1} (at most {most:e1})"),
                difference <= error && turn <= most);

            (double Logits, double Gradient) Distance((torch.Tensor Logits, torch.Tensor Gradient) found, double times = 1) => (
                times * ((found.Logits - exact.Logits).abs().max() / exact.Logits.abs().max()).ReadDouble(),
                times * (1 - ((found.Gradient * exact.Gradient).sum() / (found.Gradient.norm() * exact.Gradient.norm())).ReadDouble()));

            (torch.Tensor Logits, torch.Tensor Gradient) Pass(ComputeFormat its, torch.Device on)
            {
                using var network = StepBenchmark.NewNetwork(name);
                network.Format = its;
                network.to(on);
                network.train();
                var subnet = whole ? null : new RandomSearch(network.Space, 0.7).Propose(new SearchContext(new SeededRandom(3, RandomUse.Proposal, 0, 0)));
                var output = network.forward(images.to(on), subnet);
                torch.nn.functional.cross_entropy(output, labels.to(on)).backward();
                var gradients = network.parameters().Select(parameter => parameter.grad).OfType<torch.Tensor>().Select(grad => grad.cpu().to(torch.float64).flatten());
                return (output.detach().cpu().to(torch.float64), torch.cat([.. gradients]));
            }
        }
    }

    private static void CheckAttack(torch.Device device, Action<string, bool> tell)
    {
        using var scope = torch.NewDisposeScope();
        using var network = StepBenchmark.NewNetwork("resnet20");
        network.to(device);
        network.eval();
        var threat = new ThreatModel(Norm.Linf, 8.0 / 255);
        var images = torch.rand([Images, 3, 32, 32], generator: new torch.Generator(1)).to(device);
        var labels = network.forward(images).argmax(1);
        var attack = new ProjectedGradientDescent(threat, 20, 2.0 / 255);
        var attacked = attack.Perturb(new AttackedModel(network), images, labels, 0, [.. Enumerable.Range(0, Images).Select(image => (long)image)]);
        var distance = (attacked - images).abs().max().ReadDouble();
        var (before, after) = (Loss(images), Loss(attacked));
        tell(FormattableString.Invariant($"PGD-20: the loss rises from {before:0.000} to {after:0.000}, the farthest image is {distance * 255:0.000}/255 away (at most 8/255)"), after > before && distance <= threat.Epsilon + 1e-6);

        double Loss(torch.Tensor of) => torch.nn.functional.cross_entropy(network.forward(of), labels).ReadDouble();
    }

    private static void Time(int size, ComputeFormat format, torch.Device device, int steps)
    {
        using var batch = StepBenchmark.RandomBatch(size);
        const string Name = "resnet18";
        // A step reads its loss, so what was begun on a GPU has ended.
        var timings = Interleaved.Run(3, [.. ((SearchKind[])[SearchKind.Off, SearchKind.Random, SearchKind.Policy])
            .Select(kind => ($"{kind}", StepBenchmark.Repeat(StepBenchmark.Step(Name, kind, format, batch, device), steps)))]);
        Console.WriteLine(FormattableString.Invariant($"{Name}, batch {size}, 32x32, {format}: {string.Join(", ", timings.Select(timing => FormattableString.Invariant($"EWS {timing.Name.ToLowerInvariant()} {size * steps / timing.Median:n0} images/s")))}; EWS random / plain {timings[1].RatioTo(timings[0]):0.00}"));
    }
}
