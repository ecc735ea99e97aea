using TorchSharp;
using WeakLink.Augmentations;
using WeakLink.Data;
using WeakLink.Objectives;
using WeakLink.Processes;
using WeakLink.Subnets;

namespace WeakLink.Training;

/// <summary>
/// One step of training, with or without Enhancing Weak Subnets (Guo, Stutz and Schiele 2022, algorithm 1):
/// L = L_objective(f) + λ · KL(stopgrad(softmax f(x)) ‖ softmax α(x)), α proposed by the search.
/// </summary>
/// <remarks>
/// The teacher is detached, so the two losses share no graph: two backward passes give the gradient of their sum, and the full
/// network's activations are freed before the subnet runs.
/// </remarks>
/// <param name="model">The full network f.</param>
/// <param name="objective">What f minimises.</param>
/// <param name="ews">What enhances its weak subnets; null trains f alone.</param>
/// <param name="weightPerturbation">Moves the weights to where the gradients are taken; null: they are taken where the weights are.</param>
/// <param name="optimizer">Moves the weights.</param>
/// <param name="gradientClip">Largest norm of the gradient; 0: no clipping.</param>
/// <param name="device">Where the model lives.</param>
/// <param name="seed">Seed of the run.</param>
/// <param name="mixings">Ways of mixing a batch's images with one another; each batch is mixed in one of them, where there are any.</param>
/// <param name="lesson">When and on what a subnet is taught; null: in every step, on what the full network sees.</param>
/// <param name="average">Takes the weights in after every step; null: no average is kept.</param>
/// <param name="processes">Those that train the network together, each on its share of every batch (see <see cref="Deal"/>); null: this one alone. Their weights stay equal.</param>
public sealed class TrainingStep(
    torch.nn.Module<torch.Tensor, torch.Tensor> model,
    IObjective objective,
    EnhanceWeakSubnets? ews,
    WeightPerturbation? weightPerturbation,
    torch.optim.Optimizer optimizer,
    double gradientClip,
    torch.Device device,
    long seed,
    IReadOnlyList<BatchMixing>? mixings = null,
    Lesson? lesson = null,
    WeightAverage? average = null,
    ProcessGroup? processes = null)
{
    private readonly torch.nn.Module<torch.Tensor, torch.Tensor> _model = model;
    private readonly TorchSharp.Modules.Parameter[] _parameters = [.. model.parameters()];
    private readonly Lesson _lesson = lesson ?? new Lesson();
    private readonly ProcessGroup _processes = processes ?? ProcessGroup.Alone;

    // Of batch norm, whoever wrote it. Each process has those of its images: the network's are their mean.
    private readonly torch.Tensor[] _averages =
        processes is null or { Size: 1 } ? [] : [.. model.named_buffers().Where(named => named.name.EndsWith("running_mean", StringComparison.Ordinal) || named.name.EndsWith("running_var", StringComparison.Ordinal)).Select(named => named.buffer)];

    /// <summary>This process's share of a batch. All have as many images of it, as nearly as can be, and as many of those that a subnet is taught on.</summary>
    /// <param name="step">The step of the run, from 0.</param>
    /// <param name="images">Images in the batch.</param>
    public BatchShare Deal(long step, int images)
    {
        if (_processes.Size == 1)
        {
            return BatchShare.All(images);
        }

        int[] own = [.. _lesson.Order(images, Draws(RandomUse.Lesson, step)).Where((_, place) => place % _processes.Size == _processes.Rank).Order()];
        if (mixings is not { Count: > 0 })
        {
            return new BatchShare(own, images);
        }

        var random = Draws(RandomUse.Mixing, step);
        _ = Mixing(random);
        var partners = BatchMixing.Partners(images, random);
        return new BatchShare(own, images) { Partners = [.. own.Select(position => (int)partners[position])] };
    }

    /// <summary>Trains on one batch.</summary>
    /// <param name="batch">The images and labels; of several processes each gives what <see cref="Deal"/> says.</param>
    /// <param name="step">The step of the run, from 0; with the seed it decides every draw.</param>
    /// <param name="learningRate">The rate of this step.</param>
    /// <exception cref="InputException">The loss is not a number; the weights are as before the step.</exception>
    /// <exception cref="InvalidOperationException">The network is in evaluation mode, in which measuring leaves it: its batch norms would not learn.</exception>
    /// <remarks>Seeds libtorch's generator, which dropout draws from.</remarks>
    public StepResult Run(Batch batch, long step, double learningRate)
    {
        if (!_model.training)
        {
            throw new InvalidOperationException("The network is in evaluation mode, in which measuring leaves it: call train() before a step.");
        }

        using var scope = torch.NewDisposeScope();
        // Dropout, and whatever a user's network draws, follows from the step too: a resumed run equals an uninterrupted one.
        using var generator = torch.manual_seed((long)(new SeededRandom(seed, RandomUse.Libtorch, _processes.Rank, step).NextBits() >> 1));
        optimizer.zero_grad();
        var share = batch.Share ?? BatchShare.All(batch.Labels.shape[0]);
        var labels = batch.Labels.to(device);
        (var images, labels, var targets) = Mix(Pixels.ToUnit(batch.Images.to(device)), labels, share, Draws(RandomUse.Mixing, step));
        var loaded = images.chunk(images.shape[0] / labels.shape[0]);
        var averages = _averages.Select(buffer => buffer.clone()).ToList();
        var views = objective.Prepare(_model, _lesson.OfFullNetwork(loaded), targets, share, Draws(RandomUse.Objective, step));

        double loss;
        long correct;
        StudentResult? student = null;
        using (weightPerturbation?.Move(step, objective, views, targets, share))
        {
            (loss, correct, var teacher) = TrainFull(views, targets, labels, share);
            if (ews is not null && _lesson.Teaches(step))
            {
                student = _lesson.Teach(ews, _model.call, objective, loaded, views, teacher, labels, step, share, use => Draws(use, step));
            }
        }

        (loss, correct, student) = Sum(loss, correct, student, averages, share);
        // Also where nothing is clipped the norm is needed: one infinite gradient would spoil the weights, and the next checkpoint.
        var norm = torch.nn.utils.clip_grad_norm_(_parameters, gradientClip > 0 ? gradientClip : double.PositiveInfinity);
        var sum = loss + (student?.Divergence ?? 0);
        if (!double.IsFinite(sum + norm))
        {
            throw new InputException(
                $"The {(double.IsFinite(sum) ? "gradient" : "loss")} became {(double.IsNaN(sum + norm) ? "NaN" : "infinite")} at step {step + 1}: lower training.learning-rate (now {learningRate:g3} in this step), set training.gradient-clip, or lengthen training.warmup.");
        }

        foreach (var group in optimizer.ParamGroups)
        {
            group.LearningRate = learningRate;
        }

        optimizer.step();
        average?.Update(step);
        if (student is { } taught)
        {
            ews!.ImproveSearch(taught, _lesson.Number(step), Draws(RandomUse.Proposal, step));
        }

        return new StepResult(loss, student?.Divergence, correct, share.Whole);
    }

    private SeededRandom Draws(RandomUse use, long step) => new(seed, use, 0, step);

    private BatchMixing Mixing(SeededRandom random) => mixings![random.Next(mixings.Count)];

    private (torch.Tensor Images, torch.Tensor Labels, torch.Tensor Targets) Mix(torch.Tensor images, torch.Tensor labels, BatchShare share, SeededRandom random)
    {
        if (mixings is not { Count: > 0 })
        {
            return (images, labels, labels);
        }

        var mixing = Mixing(random);
        if (share.Partners.Count == 0)
        {
            var (mixed, targets) = mixing.Mix(images, labels, random);
            return (mixed, labels, targets);
        }

        // They are at hand already; what comes after their draws is drawn for all alike.
        _ = BatchMixing.Partners(share.Whole, random);
        var count = share.Positions.Count;
        var views = images.view([-1, 2 * count, .. images.shape[1..]]).split([count, count], 1).Select(part => part.flatten(0, 1)).ToArray();
        var classes = labels.split([count, count]);
        var (mixture, soft) = mixing.Mix(views[0], classes[0], views[1], classes[1], random);
        return (mixture, classes[0], soft);
    }

    // Over the processes, each of which has its share.
    private (double Loss, long Correct, StudentResult? Student) Sum(double loss, long correct, StudentResult? student, List<torch.Tensor> before, BatchShare share)
    {
        if (_processes.Size == 1)
        {
            return (loss, correct, student);
        }

        using var noGradients = torch.no_grad();
        // How far they moved, so that those that stand still do so to the bit.
        var moves = _averages.Zip(before, (average, start) => (average - start) * Kept(share.Weight)).ToList();
        _processes.Sum([.. _parameters.Select(parameter => parameter.grad).OfType<torch.Tensor>(), .. moves]);
        foreach (var ((average, start), move) in _averages.Zip(before).Zip(moves))
        {
            average.copy_(start.Plus(move));
        }

        Span<double> numbers = [loss, correct, student?.Divergence ?? 0, student?.Accuracy ?? 0];
        _processes.Sum(numbers);
        return (numbers[0], (long)numbers[1], student is null ? null : new StudentResult(numbers[2], numbers[3]));
    }

    private (double Loss, long Correct, IReadOnlyList<torch.Tensor> Teacher) TrainFull(IReadOnlyList<torch.Tensor> views, torch.Tensor targets, torch.Tensor labels, BatchShare share)
    {
        // A scope of its own: when it ends nothing holds on to the full network's activations.
        using var scope = torch.NewDisposeScope();
        var logits = objective.Run(_model.call, views);
        var loss = share.PartOf(objective.Loss(logits, targets));
        loss.backward();
        var teacher = logits.Select(one => one.detach().MoveToOuterDisposeScope()).ToList();
        return (loss.ReadDouble(), teacher[0].argmax(1).eq(labels).sum().ReadInt64(), teacher);
    }
}

/// <summary>What a step did.</summary>
/// <param name="Loss">The objective on the full network.</param>
/// <param name="Divergence">The distillation divergence of the subnet from the full network (without λ), in nats; null where no subnet was taught.</param>
/// <param name="Correct">Images that the full network classified correctly in their first view.</param>
/// <param name="Images">Images in the batch.</param>
public readonly record struct StepResult(double Loss, double? Divergence, long Correct, int Images);
