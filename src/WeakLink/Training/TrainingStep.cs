using TorchSharp;
using WeakLink.Augmentations;
using WeakLink.Data;
using WeakLink.Objectives;
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
    WeightAverage? average = null)
{
    private readonly torch.nn.Module<torch.Tensor, torch.Tensor> _model = model;
    private readonly TorchSharp.Modules.Parameter[] _parameters = [.. model.parameters()];
    private readonly Lesson _lesson = lesson ?? new Lesson();

    /// <summary>Trains on one batch.</summary>
    /// <param name="batch">The images and labels.</param>
    /// <param name="step">The step of the run, from 0; with the seed it decides every draw.</param>
    /// <param name="learningRate">The rate of this step.</param>
    /// <exception cref="InputException">The loss is not a number; the weights are as before the step.</exception>
    public StepResult Run(Batch batch, long step, double learningRate)
    {
        using var scope = torch.NewDisposeScope();
        // Dropout, and whatever a user's network draws, follows from the step too: a resumed run equals an uninterrupted one.
        using var generator = torch.manual_seed((long)(Draws(RandomUse.Libtorch, step).NextBits() >> 1));
        optimizer.zero_grad();
        var labels = batch.Labels.to(device);
        var (images, targets) = Mix(Pixels.ToUnit(batch.Images.to(device)), labels, Draws(RandomUse.Mixing, step));
        var loaded = images.chunk(images.shape[0] / labels.shape[0]);
        var views = objective.Prepare(_model, _lesson.OfFullNetwork(loaded), targets, Draws(RandomUse.Objective, step));

        double loss;
        long correct;
        StudentResult? student = null;
        using (weightPerturbation?.Move(step, objective, views, targets))
        {
            (loss, correct, var teacher) = TrainFull(views, targets, labels);
            if (ews is not null && _lesson.Teaches(step))
            {
                student = _lesson.Teach(ews, _model.call, objective, loaded, views, teacher, labels, step, use => Draws(use, step));
            }
        }

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

        return new StepResult(loss, student?.Divergence, correct, (int)labels.shape[0]);
    }

    private SeededRandom Draws(RandomUse use, long step) => new(seed, use, 0, step);

    private (torch.Tensor Images, torch.Tensor Targets) Mix(torch.Tensor images, torch.Tensor labels, SeededRandom random) =>
        mixings is { Count: > 0 } ? mixings[random.Next(mixings.Count)].Mix(images, labels, random) : (images, labels);

    private (double Loss, long Correct, IReadOnlyList<torch.Tensor> Teacher) TrainFull(IReadOnlyList<torch.Tensor> views, torch.Tensor targets, torch.Tensor labels)
    {
        // A scope of its own: when it ends nothing holds on to the full network's activations.
        using var scope = torch.NewDisposeScope();
        var logits = objective.Run(_model.call, views);
        var loss = objective.Loss(logits, targets);
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
