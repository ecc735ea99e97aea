using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Data;
using WeakLink.Evaluation;
using WeakLink.Models;
using WeakLink.Recipes;
using WeakLink.Runtime;
using WeakLink.Tests.Interop;

namespace WeakLink.Tests.Evaluation;

/// <summary>A network that gives NaN is right about no image, and robust against nothing: argmax alone would call each class 0.</summary>
public sealed class FiniteLogitsTests : IDisposable
{
    private const int Side = 8;
    private readonly ClassifierNetwork _network = Networks.Create("resnet8", classes: 4);
    private readonly MemoryDataset _images = new(
        "noise", ["a", "b", "c", "d"], Side, Side, [.. Enumerable.Range(0, 6).Select(image => Enumerable.Range(0, 3 * Side * Side).Select(i => (byte)((i * (image + 7)) % 251)).ToArray())], [0, 1, 2, 0, 1, 2]);

    public FiniteLogitsTests()
    {
        NativeLibraries.Load();
        using var noGradients = torch.no_grad();
        // Class 2 of four: the likeliest is NaN for some implementations, class 0 for others.
        _network.state_dict()["fc.bias"][2] = torch.tensor(float.NaN);
    }

    public void Dispose() => _network.Dispose();

    [Fact]
    public void Clean_images_are_not_measured() => Refused("image 0 of noise", () => Evaluator().Clean());

    [Fact]
    public void Network_is_robust_against_no_attack() => Refused(
        "image 0 of noise", () => Evaluator().Attacked("fgsm", KnownAttacks.Named("fgsm", new ThreatModel(Norm.Linf, 8.0 / 255))));

    [Fact]
    public void Image_that_nobody_attacked_is_not_broken()
    {
        using var scope = torch.NewDisposeScope();
        var model = new AttackedModel(_network);
        var (images, labels) = (torch.zeros(2, 3, Side, Side), torch.zeros(2, torch.int64));
        Refused("image 0 of those to attack", () => KnownAttacks.Named("fgsm", new ThreatModel(Norm.Linf, 8.0 / 255))[0].Perturb(model, images, labels, 1, [0, 1]));
    }

    [Fact]
    public void Curve_of_attacks_is_not_drawn() => Refused("image 0", () => Evaluator().UnderGrowingAttacks());

    [Fact]
    public void Subnets_have_no_accuracy() => Refused("image 0", () => SubnetEvaluation.Accuracy([.. Loader().InOrder()], _network.call, torch.CPU, TestContext.Current.CancellationToken));

    [Fact]
    public void Frames_are_not_compared()
    {
        using var logits = torch.zeros(4, 3);
        logits[3, 1] = torch.tensor(float.PositiveInfinity);
        Refused("frame 1 of sequence 1", () => new StabilityMeter(isNoise: false).Add(logits, 2));
    }

    [Fact]
    public void Single_image_is_named()
    {
        using var logits = torch.zeros(3, 2);
        logits[2, 0] = torch.tensor(float.NaN);
        using var labels = torch.zeros(3, torch.int64);
        Refused("picture 2", () => new ClassificationMeter().Add(logits, labels, index => $"picture {index}"));
        using var finite = torch.full([2, 2], 1e38f);
        Assert.Same(finite, FiniteLogits.Require(finite, index => $"{index}"));
    }

    private Evaluator Evaluator() => new(_network, new Recipe { Evaluation = new EvaluationRecipe { Batch = 4 } }, _images, torch.CPU, new SilentObserver());

    private BatchLoader Loader() => new(_images, new CropAndFlip(Side, Side, 0, Flip: false), 4, 1);

    private static void Refused(string image, Action measure)
    {
        var message = Assert.Throws<InputException>(measure).Message;
        Assert.Contains($"no finite numbers (NaN or infinity) for {image}", message);
        Assert.DoesNotContain('\n', message);
    }

    private static void Refused<T>(string image, Func<T> measure) => Refused(image, () => { _ = measure(); });
}
