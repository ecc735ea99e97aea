using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Data;
using WeakLink.Evaluation;
using WeakLink.Models;
using WeakLink.Objectives;
using WeakLink.Recipes;
using WeakLink.Runtime;

namespace WeakLink.Tests.Attacks;

public sealed class StrengthTests
{
    private const int Side = 12, Classes = 4, Count = 96;

    public StrengthTests() => NativeLibraries.Load();

    /// <summary>On a network trained against PGD, where gradients are honest but the loss is no straight line: each attack is as strong as the one before, and some are stronger.</summary>
    [Fact]
    public void OnAnAdversariallyTrainedNetwork_FgsmPgdApgdAndAutoAttack_AreInThisOrder()
    {
        using var network = NetworkCatalogue.Create("resnet8", Classes, [0.5, 0.5, 0.5], [0.25, 0.25, 0.25], seed: 1);
        var data = Blobs();
        var threat = new ThreatModel(Norm.Linf, 0.08);
        Train(network, data, new AdversarialTraining(new InnerAttack(new ThreatModel(Norm.Linf, 0.06), 3, 0.03, BatchStatistics: true)));
        network.eval();
        RobustSummary Measure(params Attack[] attacks) => new Evaluator(network, new Recipe(), data, torch.CPU, new SilentObserver()).Attacked("mine", attacks);
        var fgsm = Measure(ProjectedGradientDescent.Fgsm(threat));
        var pgd = Measure(new ProjectedGradientDescent(threat, 20, threat.Epsilon / 4));
        var apgd = Measure(new AutoPgd(threat, AutoPgdLoss.CrossEntropy, steps: 50));
        // The standard ensemble with fewer steps.
        var ensemble = Measure(
            new AutoPgd(threat, AutoPgdLoss.CrossEntropy, steps: 50), new AutoPgd(threat, AutoPgdLoss.TargetedDlr, steps: 50), new FastAdaptiveBoundary(threat, steps: 20), new SquareAttack(threat, 100));
        var told = $"clean {fgsm.Clean}, fgsm {fgsm.Accuracy}, pgd {pgd.Accuracy}, apgd {apgd.Accuracy}, ensemble {ensemble.Accuracy}";
        Assert.True(fgsm.Clean > fgsm.Accuracy && fgsm.Accuracy >= pgd.Accuracy && pgd.Accuracy >= apgd.Accuracy && apgd.Accuracy >= ensemble.Accuracy, told);
        // The network is robust in part, and a weak attack overrates it.
        Assert.True(fgsm.Accuracy > 0.5 && fgsm.Accuracy > 2 * pgd.Accuracy, told);
    }

    private static void Train(ClassifierNetwork network, MemoryDataset data, AdversarialTraining objective)
    {
        using var optimizer = torch.optim.SGD(network.parameters(), 0.05, 0.9);
        var bytes = new byte[data.Count * data.BytesPerImage];
        for (var i = 0; i < data.Count; i++)
        {
            data.Read(i, bytes.AsSpan(i * data.BytesPerImage, data.BytesPerImage));
        }

        network.train();
        for (var step = 0; step < 40; step++)
        {
            using var scope = torch.NewDisposeScope();
            var images = torch.tensor(bytes, [data.Count, 3, Side, Side], torch.uint8).to(torch.float32) / 255;
            var labels = torch.tensor(Enumerable.Range(0, data.Count).Select(i => (long)data.Label(i)).ToArray());
            var views = objective.Prepare(network, [images], labels, BatchShare.All(labels.shape[0]), new SeededRandom(1, RandomUse.Objective, 0, step));
            optimizer.zero_grad();
            objective.Loss([network.call(views[0])], labels).backward();
            optimizer.step();
        }
    }

    // A soft bright blob in one of four corners, in noise.
    private static MemoryDataset Blobs()
    {
        var random = new SeededRandom(1, RandomUse.Split);
        var (images, labels) = (new List<byte[]>(), new List<int>());
        for (var i = 0; i < Count; i++)
        {
            var label = i % Classes;
            var (top, left) = (2.5 + (label / 2 * 5) + random.NextNormal(), 2.5 + (label % 2 * 5) + random.NextNormal());
            images.Add([.. Enumerable.Range(0, 3 * Side * Side).Select(at =>
            {
                var (y, x) = (at / Side % Side, at % Side);
                var bright = 0.25 * Math.Exp(-(((y - top) * (y - top)) + ((x - left) * (x - left))) / 6);
                return (byte)Math.Clamp(255 * (0.4 + bright + (0.08 * random.NextNormal())), 0, 255);
            })]);
            labels.Add(label);
        }

        return new MemoryDataset("blobs", ["a", "b", "c", "d"], Side, Side, images, labels);
    }
}
