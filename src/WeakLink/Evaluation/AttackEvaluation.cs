using System.Diagnostics;
using System.Runtime.InteropServices;
using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Data;
using WeakLink.Imaging;
using WeakLink.Processes;

namespace WeakLink.Evaluation;

/// <summary>Attacks one after the other, in attempts and batches: only images that are still classified correctly go on to the next.</summary>
internal sealed class AttackEvaluation
{
    // Of CUDA, of libtorch's allocator for processors, and of the system's.
    private static readonly string[] OutOfMemory = ["out of memory", "not enough memory", "can't allocate memory"];

    private readonly Evaluator _evaluator;
    private readonly IReadOnlyList<Attack> _attacks;
    private readonly Action<AdversarialExample>? _found;
    private readonly CentreCrop _crop;
    private readonly AttackedModel _model;
    private readonly IReadOnlyList<int> _attempts;
    private readonly AttackState _state;
    private int _batch;

    private AttackEvaluation(Evaluator evaluator, string name, IReadOnlyList<Attack> attacks, string? state, Action<AdversarialExample>? found)
    {
        (_evaluator, _attacks, _found, _crop, _batch) = (evaluator, attacks, found, evaluator.Crop, evaluator.Recipe.Evaluation.Batch);
        _model = new AttackedModel(evaluator.Network);
        // Before the first attack: a model with too few classes for the last one should not be told after an hour.
        _attempts = Check(attacks, _crop, CountClasses());
        _state = AttackState.Open(state, state is null ? "" : AttackState.IdentityOf(evaluator, name, attacks, _attempts), Images.Count, attacks.Count, evaluator.Observer, Processes.Leads);
        // Before the first one writes there.
        Processes.Barrier();
    }

    private Dataset Images => _evaluator.Images;

    private ProcessGroup Processes => _evaluator.Processes;

    // Images that are attacked at the same time: a batch in each process.
    private int Together => _batch * Processes.Size;

    /// <summary>Refuses attacks that the images' size or the classes rule out.</summary>
    /// <param name="attacks">The attacks.</param>
    /// <param name="crop">What the network sees of an image.</param>
    /// <param name="classes">Classes of the network.</param>
    /// <returns>How many attempts each attack consists of.</returns>
    /// <exception cref="InputException">There are too few classes for an attack, or ε is meant for images in 0 ... 255.</exception>
    /// <exception cref="ArgumentException">There is no attack, or they are of several threat models.</exception>
    public static IReadOnlyList<int> Check(IReadOnlyList<Attack> attacks, CentreCrop crop, int classes)
    {
        if (attacks.Count == 0 || attacks.Any(attack => attack.Threat != attacks[0].Threat))
        {
            throw new ArgumentException("What several attacks leave together is of one threat model: give at least one, and all of the same.", nameof(attacks));
        }

        attacks[0].Threat.RequireLimit(crop.Bytes);
        return [.. attacks.Select(attack => attack.Attempts(classes))];
    }

    /// <summary>Measures; the parameters are those of <see cref="Evaluator.Attacked(string, IReadOnlyList{Attack}, string?, Action{AdversarialExample}?)"/>.</summary>
    public static RobustSummary Measure(Evaluator evaluator, string name, IReadOnlyList<Attack> attacks, string? state, Action<AdversarialExample>? found)
    {
        using var noGradients = torch.no_grad();
        var evaluation = new AttackEvaluation(evaluator, name, attacks, state, found);
        evaluation.FindCorrect();
        var warnings = evaluation.Doubts();
        for (var stage = evaluation._state.Stage; stage < attacks.Count; stage++)
        {
            evaluation.RunStage(stage);
        }

        return evaluation.Result(warnings);
    }

    private void FindCorrect()
    {
        if (_state.CleanDone)
        {
            return;
        }

        _evaluator.Observer.Begin("clean", Images.Count, "images");
        for (var first = 0; first < Images.Count;)
        {
            _evaluator.Stop.ThrowIfCancellationRequested();
            var indices = Enumerable.Range(first, Math.Min(Together, Images.Count - first)).ToList();
            bool[] correct = [];
            if (Fits(() => correct = Classify(Own(indices))))
            {
                _state.AddClean(indices, [.. Processes.Gather(correct).SelectMany(its => its)]);
                first += indices.Count;
                _evaluator.Observer.Advance(first);
            }
        }

        _state.EndClean();
    }

    private List<int> Own(List<int> indices) => [.. indices.Skip(Processes.Rank * _batch).Take(_batch)];

    private bool[] Classify(List<int> indices)
    {
        if (indices.Count == 0)
        {
            return [];
        }

        using var scope = torch.NewDisposeScope();
        var (x, labels) = Load(indices);
        return _model.Correct(x, labels, position => Images.Describe(indices[position])).cpu().data<bool>().ToArray();
    }

    private List<string> Doubts()
    {
        List<string> doubts = [];
        while (!Fits(Look))
        {
        }

        return doubts;

        void Look()
        {
            // Of the images that are right without an attack, so that a resumed evaluation warns of the same.
            var some = Enumerable.Range(0, Images.Count).Where(IsCorrect).Take(Math.Min(_batch, AttackDoubts.MostImages)).ToList();
            if (some.Count > 0)
            {
                using var scope = torch.NewDisposeScope();
                var (x, labels) = Load(some);
                doubts = AttackDoubts.OfModel(_model, x, labels, _attacks);
            }
        }
    }

    private void RunStage(int stage)
    {
        var (name, attempts) = (_attacks[stage].Name, _attempts[stage]);
        var given = Math.Max(_state.Stages[stage].Attacked, _state.Robust.Count);
        _evaluator.Observer.Begin(name, (long)given * attempts, attempts == 1 ? "images" : "image attempts", (long)given * _state.Run);
        while (_state.Run < attempts)
        {
            var all = _state.Robust.Count;
            var left = _state.Robust.Where(index => index >= _state.NextIndex).ToList();
            for (var first = 0; first < left.Count;)
            {
                var chosen = left.GetRange(first, Math.Min(Together, left.Count - first));
                if (!AttackBatch(stage, chosen))
                {
                    continue;
                }

                first += chosen.Count;
                var done = _state.Run + ((double)(all - left.Count + first) / all);
                _evaluator.Observer.Advance((long)(given * done), $"robust so far {100.0 * _state.Robust.Count / Images.Count:0.0}%");
            }

            _state.EndRun();
        }

        _state.EndStage();
    }

    private bool AttackBatch(int stage, List<int> indices)
    {
        var (clock, forwards, backwards) = (Stopwatch.GetTimestamp(), _model.Forwards, _model.Backwards);
        try
        {
            Broken[] own = [];
            if (!Fits(() => own = Break(stage, Own(indices))))
            {
                return false;
            }

            Broken[] broken = [.. Processes.Gather(own).SelectMany(its => its)];
            Span<long> passes = [_model.Forwards - forwards, _model.Backwards - backwards];
            Processes.Sum(passes);
            foreach (var one in broken)
            {
                _state.Break(one.Index, stage);
                Tell(one, stage);
            }

            _state.Add(stage, indices, broken.Length, Stopwatch.GetElapsedTime(clock).TotalSeconds, passes[0], passes[1]);
            return true;
        }
        catch (OperationCanceledException)
        {
            _state.Save();
            throw;
        }
    }

    private Broken[] Break(int stage, List<int> indices)
    {
        if (indices.Count == 0)
        {
            return [];
        }

        var attack = _attacks[stage];
        using var scope = torch.NewDisposeScope();
        var (x, labels) = Load(indices);
        var tried = attack.Run(_state.Run, _model, x, labels, _evaluator.Recipe.Seed, [.. indices.Select(Images.Identity)], _evaluator.Stop);
        // What counts is a fresh pass over what came out, not what the attack believes.
        var predicted = _model.Predict(tried, position => $"{Images.Describe(indices[position])} under {attack.Name}").cpu().data<long>().ToArray();
        return [.. Enumerable.Range(0, indices.Count).Where(i => predicted[i] != Images.Label(indices[i]))
            .Select(i => new Broken(indices[i], (int)predicted[i], _found is null ? [] : Bytes(x[i]), _found is null ? [] : Bytes(tried[i])))];

        static byte[] Bytes(torch.Tensor image) => MemoryMarshal.AsBytes<float>(image.cpu().contiguous().data<float>().ToArray()).ToArray();
    }

    private void Tell(Broken broken, int stage)
    {
        if (_found is null)
        {
            return;
        }

        using var scope = torch.NewDisposeScope();
        _found(new AdversarialExample(broken.Index, Image(broken.Image), Image(broken.Adversarial), broken.Predicted, _attacks[stage].Name));

        torch.Tensor Image(byte[] values) =>
            torch.tensor(MemoryMarshal.Cast<byte, float>(values).ToArray(), [Dataset.Channels, _crop.Height, _crop.Width], device: _evaluator.Device);
    }

    // An image that an attack broke, what it is taken for then, and its pixels and those of the example (float32 as bytes), where someone wants them.
    private sealed record Broken(int Index, int Predicted, byte[] Image, byte[] Adversarial);

    private RobustSummary Result(List<string> warnings)
    {
        var stages = _attacks.Select((attack, i) => _state.Stages[i] with { Attack = attack.Name }).ToList();
        var byClass = Enumerable.Range(0, Images.Count).GroupBy(Images.Label).OrderBy(images => images.Key).ToDictionary(
            images => Images.Classes[images.Key],
            images => new ClassSummary((double)images.Count(IsCorrect) / images.Count(), (double)images.Count(IsRobust) / images.Count()));
        return new RobustSummary(
            _attacks[0].Threat.Epsilon,
            Images.Count,
            (double)Enumerable.Range(0, Images.Count).Count(IsCorrect) / Images.Count,
            (double)_state.Robust.Count / Images.Count,
            _evaluator.Recipe.Seed,
            stages,
            byClass,
            [.. warnings, .. AttackDoubts.OfStages(_attacks, stages, Images.Count)]);
    }

    private bool IsCorrect(int index) => _state.BrokenBy[index] != AttackState.WrongFromTheStart;

    private bool IsRobust(int index) => _state.BrokenBy[index] == AttackState.NotBroken;

    private (torch.Tensor Images, torch.Tensor Labels) Load(List<int> indices)
    {
        var (whole, bytes) = (new byte[Images.BytesPerImage], new byte[indices.Count * _crop.Bytes]);
        for (var i = 0; i < indices.Count; i++)
        {
            Images.Read(indices[i], whole);
            _crop.Cut(new ImageView(whole, Images.Height, Images.Width), bytes.AsSpan(i * _crop.Bytes, _crop.Bytes));
        }

        var tensor = torch.tensor(bytes, [indices.Count, Dataset.Channels, _crop.Height, _crop.Width], torch.uint8).to(_evaluator.Device);
        return (Pixels.ToUnit(tensor), torch.tensor(indices.Select(index => (long)Images.Label(index)).ToArray(), device: _evaluator.Device));
    }

    private int CountClasses()
    {
        using var scope = torch.NewDisposeScope();
        return _model.Classes(Load([0]).Images);
    }

    // Halves the batch where the device of a process has no memory for it.
    private bool Fits(Action attempt)
    {
        var fits = true;
        try
        {
            attempt();
        }
        catch (ExternalException exception) when (_batch > 1 && OutOfMemory.Any(words => exception.Message.Contains(words, StringComparison.OrdinalIgnoreCase)))
        {
            fits = false;
        }

        if (Processes.Any(!fits))
        {
            _batch /= 2;
            _evaluator.Observer.Note($"The device has no memory for {_batch * 2} images at a time: going on with {_batch}.");
            return false;
        }

        return true;
    }
}
