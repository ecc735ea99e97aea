using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Data;
using WeakLink.Models;
using WeakLink.Objectives;
using WeakLink.Subnets;
using WeakLink.Training;

namespace WeakLink.Tests.Training;

public class LessonTests
{
    private const long Seed = 3;
    private const int Step = 5, Images = 8;
    private static readonly InnerAttack Attack = new(new ThreatModel(Norm.Linf, 8.0 / 255), 2, 4.0 / 255, BatchStatistics: true);

    public static TheoryData<IObjective, int> Objectives => new()
    {
        { new CrossEntropy(), 1 },
        { new Consistency(), 3 },
        { new AdversarialTraining(Attack), 1 },
        { new Trades(Attack with { BatchStatistics = false }, Beta: 3), 1 },
    };

    [Theory]
    [InlineData(SubnetView.Augmix, 1)]
    [InlineData(SubnetView.Same, 0.5)]
    [InlineData(SubnetView.Crop, 0.3)]
    public void Step_MovesTheWeightsAsOneBackwardPassOfTheFormulaDoes(SubnetView view, double fraction)
    {
        using var scope = torch.NewDisposeScope();
        const double Rate = 0.1;
        using var batch = Small.Batch(Images, views: view == SubnetView.Same ? 1 : 2);
        using var network = Small.Network();
        using var search = new RandomSearch(network.Space, 0.7);
        var result = Run(network, search, new CrossEntropy(), new Lesson(view, fraction), batch, Rate);

        using var expected = Small.Network();
        var views = (batch.Images.to(torch.float32) / 255).chunk(view == SubnetView.Same ? 1 : 2);
        var order = Enumerable.Range(0, Images).Select(image => (long)image).ToArray();
        Draws(RandomUse.Lesson).Shuffle<long>(order);
        var part = torch.tensor(order[..(int)Math.Ceiling(fraction * Images)]);
        var full = expected.forward(views[0]);
        var subnet = expected.forward(views[^1].index_select(0, part), search.Propose(new SearchContext(Draws(RandomUse.Proposal))));
        var teacher = full.detach().softmax(1).index_select(0, part);
        var crossEntropy = full.log_softmax(1).gather(1, batch.Labels.unsqueeze(1)).mean().neg();
        var divergence = (teacher * (teacher.log() - subnet.log_softmax(1))).sum() / part.numel();
        (crossEntropy + divergence).backward();

        Assert.Equal(crossEntropy.ToDouble(), result.Loss, 1e-5);
        Assert.Equal(divergence.ToDouble(), result.Divergence!.Value, 1e-5);
        Small.RequireMoved(network, expected, Rate);
    }

    [Theory]
    [MemberData(nameof(Objectives))]
    public void AnotherView_IsTaughtWhatTheFullNetworkSaidOfTheCalmestOne(IObjective objective, int loaded)
    {
        using var scope = torch.NewDisposeScope();
        using var batch = Small.Batch(Images, views: loaded + 1);
        using var network = Small.Network();
        using var search = new RandomSearch(network.Space, 0.7);
        var result = Run(network, search, objective, new Lesson(SubnetView.Crop), batch, 0.1);

        using var expected = Small.Network();
        var images = (batch.Images.to(torch.float32) / 255).chunk(loaded + 1);
        var views = objective.Prepare(expected, images[..^1], batch.Labels, BatchShare.All(batch.Labels.shape[0]), Draws(RandomUse.Objective));
        using var noGradients = torch.no_grad();
        var calm = objective is Trades ? 1 : 0;
        Assert.Equal(objective is not AdversarialTraining, views[calm].equal(images[0]).all().ToBoolean());
        var teacher = objective.Run(expected.call, views)[calm].softmax(1);
        var student = expected.forward(images[^1], search.Propose(new SearchContext(Draws(RandomUse.Proposal)))).log_softmax(1);
        Assert.Equal((teacher * (teacher.log() - student)).sum().ToDouble() / Images, result.Divergence!.Value, 1e-5);
    }

    [Theory]
    [MemberData(nameof(Objectives))]
    public void WithWeightPerturbationToo_EveryViewIsTaught_AndHoldsNothing(IObjective objective, int loaded)
    {
        using var batch = Small.Batch(Images, views: loaded);
        using var other = Small.Batch(Images, views: loaded + 1);
        using var network = Small.Network();
        using var search = new RandomSearch(network.Space, 0.7);
        using var optimizer = torch.optim.SGD(network.parameters(), 0.01, 0.9);
        var ews = new EnhanceWeakSubnets(network, search, new Distillation());
        List<(TrainingStep Step, Batch Batch)> steps =
        [
            .. new[] { new Lesson(), new Lesson(Fraction: 0.5), new Lesson(SubnetView.Adversarial, 0.5, Attack), new Lesson(SubnetView.Crop) }
                .Select(lesson => (new TrainingStep(network, objective, ews, new WeightPerturbation(network, 0.01), optimizer, 3, torch.CPU, Seed, lesson: lesson), lesson.View == SubnetView.Crop ? other : batch)),
        ];
        var tensors = 0L;
        for (var i = 0; i < 3; i++)
        {
            Assert.All(steps, pair => Assert.True(pair.Step.Run(pair.Batch, i, 0.01) is { Divergence: > 0, Images: Images }));
            tensors = i == 1 ? LiveTensors.Before() : tensors;
        }

        Assert.Equal(tensors, LiveTensors.After());
    }

    [Fact]
    public void AnAdversarialView_IsInTheBallOfTheImage_AndFartherFromTheTeacher()
    {
        using var scope = torch.NewDisposeScope();
        using var batch = Small.Batch(Images, views: 1);
        using var network = Small.Network();
        using var search = new RandomSearch(network.Space, 0.7);
        var subnet = search.Propose(new SearchContext(Draws(RandomUse.Proposal)));
        var images = batch.Images.to(torch.float32) / 255;
        var buffers = network.buffers().Select(buffer => buffer.clone()).ToList();
        var teacher = network.forward(images).detach();
        foreach (var (buffer, before) in network.buffers().Zip(buffers))
        {
            buffer.copy_(before);
        }

        var mislead = Attack.Mislead(view => network.forward(view, subnet), images, teacher, BatchShare.All(images.shape[0]), Draws(RandomUse.SubnetAttack));
        Assert.InRange((mislead - images).abs().max().ToDouble(), 4.0 / 255, (8.0 / 255) + 1e-6);
        Assert.All(network.parameters(), parameter => Assert.True(parameter.grad is null));
        Assert.All(network.buffers().Zip(buffers), pair => Assert.True(pair.First.equal(pair.Second).all().ToBoolean()));

        double Divergence(Lesson lesson)
        {
            using var fresh = Small.Network();
            return Run(fresh, search, new CrossEntropy(), lesson, batch, 0.1).Divergence!.Value;
        }

        Assert.True(Divergence(new Lesson(SubnetView.Adversarial, Attack: Attack)) > Divergence(new Lesson()) + 0.01);
    }

    [Fact]
    public void Lessons_ComeInTheirSteps_WithTheShareOfLambda()
    {
        using var batch = Small.Batch(Images, views: 1);
        var lesson = new Lesson(Every: 3, Start: 4, Ramp: 8);
        foreach (var (step, share) in new (long, double?)[] { (3, null), (4, 0.5 / 8), (5, null), (7, 3.5 / 8), (10, 6.5 / 8), (13, 1), (14, null), (40, 1) })
        {
            using var scope = torch.NewDisposeScope();
            var (untaught, taught, whole) = (Moved(null, step), Moved(lesson, step), Moved(new Lesson(), step));
            // How far the subnet's gradient moved the weights, of how far it moves them with all of λ.
            var part = (taught - untaught).norm().ToDouble() / (whole - untaught).norm().ToDouble();
            Assert.Equal(share ?? 0, part, 1e-3);
        }

        Assert.Equal([0L, 1, 2, 12], new[] { 4L, 7, 10, 40 }.Select(lesson.Number));

        torch.Tensor Moved(Lesson? lesson, long step)
        {
            using var network = Small.Network();
            using var search = new RandomSearch(network.Space, 0.7);
            using var optimizer = torch.optim.SGD(network.parameters(), 0.1);
            var ews = lesson is null ? null : new EnhanceWeakSubnets(network, search, new Distillation());
            var result = new TrainingStep(network, new CrossEntropy(), ews, null, optimizer, 0, torch.CPU, Seed, lesson: lesson).Run(batch, step, 0.1);
            Assert.Equal(lesson?.Teaches(step) ?? false, result.Divergence is not null);
            return torch.cat([.. network.parameters().Select(parameter => parameter.detach().reshape(-1))]);
        }
    }

    [Fact]
    public void TheAverage_TeachesWhatItSays_AndTheNetworkKeepsItsWeights()
    {
        using var scope = torch.NewDisposeScope();
        using var batch = Small.Batch(Images, views: 1);
        using var network = Small.Network();
        using var average = new WeightAverage(network, 0.99);
        using var search = new RandomSearch(network.Space, 0.7);
        using (torch.no_grad())
        {
            network.get_parameter("fc.weight")!.mul_(3);
        }

        using var expected = Small.Network();
        var images = batch.Images.to(torch.float32) / 255;
        var teacher = expected.forward(images).detach().softmax(1);
        using (torch.no_grad())
        {
            expected.get_parameter("fc.weight")!.mul_(3);
        }

        var student = expected.forward(images, search.Propose(new SearchContext(Draws(RandomUse.Proposal)))).log_softmax(1);
        var loss = expected.forward(images).log_softmax(1).gather(1, batch.Labels.unsqueeze(1)).mean().neg();
        var divergence = (teacher * (teacher.log() - student)).sum() / Images;
        (loss + divergence).backward();

        var result = Run(network, search, new CrossEntropy(), new Lesson(Teacher: average), batch, 0.1);
        Assert.Equal(divergence.ToDouble(), result.Divergence!.Value, 1e-5);
        Assert.Equal(loss.ToDouble(), result.Loss, 1e-5);
        using var noGradients = torch.no_grad();
        var start = expected.get_parameter("layer2.0.conv1.weight")!;
        Assert.True((network.get_parameter("layer2.0.conv1.weight")! - (start - (start.grad! * 0.1))).abs().max().ToDouble() < 1e-5);
        // The teacher's pass moves no running averages but those that are put back: one batch was counted.
        Assert.Equal(1, network.get_buffer("bn1.num_batches_tracked")!.item<long>());
    }

    private static StepResult Run(ClassifierNetwork network, ISubnetSearch search, IObjective objective, Lesson lesson, Batch batch, double rate)
    {
        using var optimizer = torch.optim.SGD(network.parameters(), rate);
        return new TrainingStep(network, objective, new EnhanceWeakSubnets(network, search, new Distillation()), null, optimizer, 0, torch.CPU, Seed, lesson: lesson).Run(batch, Step, rate);
    }

    private static SeededRandom Draws(RandomUse use) => new(Seed, use, 0, Step);
}
