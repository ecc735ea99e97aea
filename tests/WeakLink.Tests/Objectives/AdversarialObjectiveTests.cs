using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Data;
using WeakLink.Models;
using WeakLink.Objectives;
using WeakLink.Runtime;

namespace WeakLink.Tests.Objectives;

public sealed class AdversarialObjectiveTests : IDisposable
{
    private const double Epsilon = 8.0 / 255;
    private readonly ThreatModel _threat = new(Norm.Linf, Epsilon);
    private readonly ClassifierNetwork _network;
    private readonly torch.Tensor _images;
    private readonly torch.Tensor _labels;

    public AdversarialObjectiveTests()
    {
        NativeLibraries.Load();
        _network = NetworkCatalogue.Create("resnet8", 5, [0.5, 0.5, 0.5], [0.25, 0.25, 0.25], seed: 1);
        _network.train();
        var values = new float[12 * 3 * 16 * 16];
        new SeededRandom(1, RandomUse.Split).FillUniform(values);
        _images = torch.tensor(values, [12, 3, 16, 16]);
        _labels = torch.arange(12, torch.int64).remainder(5);
    }

    public void Dispose()
    {
        _network.Dispose();
        _images.Dispose();
        _labels.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void PgdExamples_AreInTheBall_RaiseTheLoss_AndLeaveTheNetworkAsItShould(bool batchStatistics)
    {
        using var scope = torch.NewDisposeScope();
        var mean = _network.named_buffers().First(buffer => buffer.name.EndsWith("running_mean", StringComparison.Ordinal)).buffer;
        var before = mean.clone();
        var objective = new AdversarialTraining(new InnerAttack(_threat, 5, 2.0 / 255, batchStatistics));
        var view = Assert.Single(objective.Prepare(_network, [_images], _labels, BatchShare.All(_labels.shape[0]), new SeededRandom(2, RandomUse.Objective)));
        Assert.InRange((view - _images).abs().max().ToDouble(), Epsilon * 0.9, Epsilon + 1e-6);
        Assert.InRange(view.min().ToSingle(), 0, 1);
        Assert.InRange(view.max().ToSingle(), 0, 1);
        Assert.True(_network.training);
        Assert.All(_network.named_modules(), module => Assert.True(module.module.training));
        Assert.All(_network.parameters(), parameter => Assert.True(parameter.grad is null));
        Assert.Equal(batchStatistics, !before.equal(mean).all().ToBoolean());
        if (!batchStatistics)
        {
            _network.eval();
        }

        using (torch.no_grad())
        {
            double Loss(torch.Tensor images) => torch.nn.functional.cross_entropy(_network.call(images), _labels).ToDouble();
            Assert.True(Loss(view) > Loss(_images) + 0.01);
        }

        _network.train();
        Assert.True(view.equal(objective.Prepare(_network, [_images], _labels, BatchShare.All(_labels.shape[0]), new SeededRandom(2, RandomUse.Objective))[0]).all().ToBoolean());
        Assert.False(view.equal(objective.Prepare(_network, [_images], _labels, BatchShare.All(_labels.shape[0]), new SeededRandom(3, RandomUse.Objective))[0]).all().ToBoolean());
    }

    [Fact]
    public void Trades_IsItsFormula_OnExamplesThatRaiseTheDivergence()
    {
        using var scope = torch.NewDisposeScope();
        IObjective objective = new Trades(new InnerAttack(_threat, 5, 2.0 / 255, BatchStatistics: false), Beta: 3);
        var views = objective.Prepare(_network, [_images], _labels, BatchShare.All(_labels.shape[0]), new SeededRandom(2, RandomUse.Objective));
        Assert.Equal(2, views.Count);
        Assert.InRange((views[0] - _images).abs().max().ToDouble(), Epsilon * 0.5, Epsilon + 1e-6);
        _network.eval();
        using (torch.no_grad())
        {
            double Divergence(torch.Tensor images)
            {
                var (p, q) = (_network.call(_images).softmax(1), _network.call(images).softmax(1));
                return (p * (p.log() - q.log())).sum(1).mean().ToDouble();
            }

            Assert.True(Divergence(views[0]) > 2 * Divergence((_images + ((torch.rand_like(_images) - 0.5).sign() * Epsilon)).clamp(0, 1)));
        }

        _network.train();
        var logits = objective.Run(_network.call, views);
        var loss = objective.Loss(logits, _labels);
        using (torch.no_grad())
        {
            var (clean, adversarial) = (_network.call(views[1]), _network.call(views[0]));
            var (p, q) = (clean.softmax(1), adversarial.softmax(1));
            var expected = torch.nn.functional.cross_entropy(clean, _labels) + (3 * (p * (p.log() - q.log())).sum() / 12);
            Assert.Equal(expected.ToDouble(), loss.ToDouble(), 1e-4);
            Assert.True((logits[0] - adversarial).abs().max().ToDouble() < 1e-4);
        }
    }

    [Fact]
    public void WeightPerturbation_MovesEachLayerByItsShare_MakesTheLossWorse_AndGoesBackToTheBit()
    {
        using var scope = torch.NewDisposeScope();
        const double Gamma = 0.01;
        var perturbation = new WeightPerturbation(_network, Gamma, firstStep: 3);
        var objective = new CrossEntropy();
        var weights = _network.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter.clone());
        var buffers = _network.named_buffers().ToDictionary(pair => pair.name, pair => pair.buffer.clone());
        double Loss()
        {
            using var noGradients = torch.no_grad();
            return objective.Loss([_network.call(_images)], _labels).ToDouble();
        }

        var before = Loss();
        using (torch.no_grad())
        {
            foreach (var (name, buffer) in _network.named_buffers())
            {
                buffer.copy_(buffers[name]);
            }
        }

        void AssertWhereTheyWere() => Assert.All(_network.named_parameters(), pair => Assert.True(pair.parameter.equal(weights[pair.name]).all().ToBoolean()));
        Assert.Null(perturbation.Move(2, objective, [_images], _labels, BatchShare.All(_labels.shape[0])));
        AssertWhereTheyWere();

        using (perturbation.Move(3, objective, [_images], _labels, BatchShare.All(_labels.shape[0])))
        {
            foreach (var (name, parameter) in _network.named_parameters())
            {
                var moved = (parameter - weights[name]).norm().ToDouble();
                Assert.Equal(parameter.dim() > 1 ? Gamma * weights[name].norm().ToDouble() : 0, moved, 1e-4 * weights[name].norm().ToDouble());
            }

            Assert.All(_network.named_buffers(), pair => Assert.True(pair.buffer.equal(buffers[pair.name]).all().ToBoolean()));
            Assert.True(Loss() > before + 0.01);
        }

        AssertWhereTheyWere();
    }

    [Fact]
    public void Objectives_LeaveNoTensorsBehind()
    {
        var perturbation = new WeightPerturbation(_network, 0.01);
        IObjective[] objectives =
        [
            new AdversarialTraining(new InnerAttack(_threat, 2, 2.0 / 255, true)),
            new AdversarialTraining(new InnerAttack(new ThreatModel(Norm.L2, 0.5), 2, 0.1, false)),
            new Trades(new InnerAttack(_threat, 2, 2.0 / 255, false), Beta: 6),
        ];
        void Step(IObjective objective)
        {
            using var scope = torch.NewDisposeScope();
            var views = objective.Prepare(_network, [_images], _labels, BatchShare.All(_labels.shape[0]), new SeededRandom(2, RandomUse.Objective));
            using var moved = perturbation.Move(0, objective, views, _labels, BatchShare.All(_labels.shape[0]));
            objective.Loss(objective.Run(_network.call, views), _labels).backward();
        }

        foreach (var objective in objectives)
        {
            Step(objective);
            var before = LiveTensors.Before();
            Step(objective);
            Assert.Equal(before, LiveTensors.After());
        }
    }
}
