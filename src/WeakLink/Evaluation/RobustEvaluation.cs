using System.Diagnostics;
using System.Globalization;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Data;
using WeakLink.Imaging;

namespace WeakLink.Evaluation;

/// <summary>What one attack of an ensemble did.</summary>
/// <param name="Attack">Its name.</param>
/// <param name="Attacked">Images that it was given.</param>
/// <param name="Broken">Images for which it found an adversarial example.</param>
/// <param name="Seconds">Wall-clock time.</param>
/// <param name="Forwards">Forward passes, in images.</param>
/// <param name="Backwards">Backward passes, in images.</param>
public sealed record AttackStage(string Attack, int Attacked, int Broken, double Seconds, long Forwards, long Backwards);

/// <summary>Accuracy under attack.</summary>
/// <param name="Attack">What was asked for, such as autoattack.</param>
/// <param name="Threat">What the attacker was allowed.</param>
/// <param name="Seed">Seed of the attacks.</param>
/// <param name="Images">Images measured.</param>
/// <param name="Clean">Images classified correctly without an attack.</param>
/// <param name="Robust">Images that no attack broke.</param>
/// <param name="Stages">Attack by attack.</param>
/// <param name="ByClass">For each class: images, clean, robust.</param>
/// <param name="Warnings">Reasons to doubt the robust accuracy.</param>
public sealed record RobustMetrics(
    string Attack,
    ThreatModel Threat,
    long Seed,
    int Images,
    int Clean,
    int Robust,
    IReadOnlyList<AttackStage> Stages,
    IReadOnlyList<(int Images, int Clean, int Robust)> ByClass,
    IReadOnlyList<string> Warnings)
{
    /// <summary>Share of the images classified correctly.</summary>
    public double CleanAccuracy => (double)Clean / Images;

    /// <summary>Share of the images that no attack broke.</summary>
    public double RobustAccuracy => (double)Robust / Images;
}

/// <summary>An image and what an attack made of it.</summary>
/// <param name="Index">Its index in the data set.</param>
/// <param name="Image">3×H×W in [0, 1].</param>
/// <param name="Adversarial">3×H×W in [0, 1].</param>
/// <param name="Predicted">The class that the model takes it for, a wrong one.</param>
/// <param name="Attack">Who found it.</param>
public sealed record AdversarialExample(int Index, torch.Tensor Image, torch.Tensor Adversarial, int Predicted, string Attack);

/// <summary>Measures accuracy under attack: only images that are still classified correctly go on to the next attack.</summary>
public static class RobustEvaluation
{
    // AutoAttack's own threshold for its warning about square (flags_doc.md).
    private const double Surprising = 0.002;
    private const int DoubtImages = 128, Repeats = 4, FingerprintImages = 64;
    // Of CUDA, of libtorch's allocator for processors, and of the system's.
    private static readonly string[] OutOfMemory = ["out of memory", "not enough memory", "can't allocate memory"];

    /// <summary>Refuses attacks that the images' size or the classes rule out.</summary>
    /// <param name="attacks">The attacks.</param>
    /// <param name="crop">What the network sees of an image.</param>
    /// <param name="classes">Classes of the network.</param>
    /// <returns>How many runs each attack consists of.</returns>
    /// <exception cref="InputException">There are too few classes for an attack, or ε is meant for images in 0 ... 255.</exception>
    public static IReadOnlyList<int> Check(IReadOnlyList<Attack> attacks, CentreCrop crop, int classes)
    {
        attacks[0].Threat.RequireLimit(crop.Bytes);
        return [.. attacks.Select(attack => attack.Attempts(classes))];
    }

    /// <summary>Measures.</summary>
    /// <param name="network">Maps images in [0, 1] to logits; in evaluation mode.</param>
    /// <param name="name">What to call the attacks together.</param>
    /// <param name="attacks">The attacks, in order; at least one, of one threat model.</param>
    /// <param name="images">What to attack.</param>
    /// <param name="crop">What the network sees of an image.</param>
    /// <param name="batch">Images attacked at a time; halved where the device has no memory for them.</param>
    /// <param name="device">Where the network lives.</param>
    /// <param name="seed">Seed of all draws.</param>
    /// <param name="observer">Told of the progress.</param>
    /// <param name="state">Keeps the progress; a call with the same file goes on from there. Null keeps none.</param>
    /// <param name="found">Told of every adversarial example; the tensors are disposed of afterwards.</param>
    /// <param name="stop">Stops between two iterations.</param>
    /// <exception cref="InputException">The state belongs to another evaluation, or the model has too few classes for an attack.</exception>
    public static RobustMetrics Measure(
        torch.nn.Module<torch.Tensor, torch.Tensor> network,
        string name,
        IReadOnlyList<Attack> attacks,
        Dataset images,
        CentreCrop crop,
        int batch,
        torch.Device device,
        long seed,
        IRunObserver observer,
        string? state = null,
        Action<AdversarialExample>? found = null,
        CancellationToken stop = default)
    {
        using var noGradients = torch.no_grad();
        var threat = attacks[0].Threat;
        var model = new AttackedModel(network);
        // Before the first attack: a model with too few classes for the last one should not be told after an hour.
        var runs = Check(attacks, crop, CountClasses());
        var progress = RobustProgress.Open(state, state is null ? "" : Describe(), images.Count, attacks.Count, observer);
        if (!progress.CleanDone)
        {
            FindCorrect();
        }

        var warnings = new List<string>();
        while (!Fits(() => warnings = Doubts()))
        {
        }

        for (var stage = progress.Stage; stage < attacks.Count; stage++)
        {
            var given = Math.Max(progress.Stages[stage].Attacked, progress.Robust.Count);
            var unit = runs[stage] == 1 ? "images" : "image runs";
            observer.Begin(attacks[stage].Name, (long)given * runs[stage], unit, (long)given * progress.Run);
            while (progress.Run < runs[stage])
            {
                var all = progress.Robust.Count;
                var left = progress.Robust.Where(index => index >= progress.NextIndex).ToList();
                for (var first = 0; first < left.Count;)
                {
                    var clock = Stopwatch.GetTimestamp();
                    var (forwards, backwards) = (model.Forwards, model.Backwards);
                    var chosen = left.GetRange(first, Math.Min(batch, left.Count - first));
                    var broken = 0;
                    try
                    {
                        if (!Fits(() => broken = AttackBatch(stage, chosen)))
                        {
                            continue;
                        }
                    }
                    catch (OperationCanceledException)
                    {
                        progress.Save();
                        throw;
                    }

                    first += chosen.Count;
                    progress.Add(stage, chosen, broken, Stopwatch.GetElapsedTime(clock).TotalSeconds, model.Forwards - forwards, model.Backwards - backwards);
                    var done = progress.Run + ((double)(all - left.Count + first) / all);
                    observer.Advance((long)(given * done), $"robust so far {100.0 * progress.Robust.Count / images.Count:0.0}%");
                }

                progress.EndRun();
            }

            progress.EndStage();
        }

        var stages = attacks.Select((attack, i) => progress.Stages[i].Named(attack.Name)).ToList();
        for (var i = 1; i < attacks.Count; i++)
        {
            if (!attacks[i].UsesGradients && attacks.Take(i).Any(attack => attack.UsesGradients) && stages[i].Broken > Surprising * images.Count)
            {
                warnings.Add($"{stages[i].Attack}, which uses no gradients, broke {stages[i].Broken} images that the attacks with gradients left: the model may hide its gradients, and be weaker than this number says. Try autoattack-plus.");
            }
        }

        var byClass = images.Classes.Select((_, label) => (
            Enumerable.Range(0, images.Count).Count(i => images.Label(i) == label),
            Enumerable.Range(0, images.Count).Count(i => images.Label(i) == label && progress.BrokenBy[i] != RobustProgress.WrongFromTheStart),
            progress.Robust.Count(i => images.Label(i) == label))).ToList();
        return new RobustMetrics(
            name, threat, seed, images.Count, progress.BrokenBy.Count(by => by != RobustProgress.WrongFromTheStart), progress.Robust.Count, stages, byClass, warnings);

        (torch.Tensor Images, torch.Tensor Labels) Load(List<int> indices)
        {
            var (whole, bytes) = (new byte[images.BytesPerImage], new byte[indices.Count * crop.Bytes]);
            for (var i = 0; i < indices.Count; i++)
            {
                images.Read(indices[i], whole);
                crop.Cut(new ImageView(whole, images.Height, images.Width), bytes.AsSpan(i * crop.Bytes, crop.Bytes));
            }

            var tensor = torch.tensor(bytes, [indices.Count, Dataset.Channels, crop.Height, crop.Width], torch.uint8).to(device);
            return (Pixels.ToUnit(tensor), torch.tensor(indices.Select(index => (long)images.Label(index)).ToArray(), device: device));
        }

        // Halves the batch where the device has no memory for it.
        bool Fits(Action attempt)
        {
            try
            {
                attempt();
                return true;
            }
            catch (ExternalException exception) when (batch > 1 && OutOfMemory.Any(words => exception.Message.Contains(words, StringComparison.OrdinalIgnoreCase)))
            {
                batch /= 2;
                observer.Note($"The device has no memory for {batch * 2} images at a time: going on with {batch}.");
                return false;
            }
        }

        int CountClasses()
        {
            using var scope = torch.NewDisposeScope();
            return model.Classes(Load([0]).Images);
        }

        // What the progress is of: a changed network or other images must not go on where these stopped.
        string Describe()
        {
            using var scope = torch.NewDisposeScope();
            var hash = new XxHash3();
            foreach (var tensor in network.parameters().Concat<torch.Tensor>(network.buffers()))
            {
                hash.Append(MemoryMarshal.AsBytes<float>(tensor.detach().to(torch.float32).cpu().contiguous().data<float>().ToArray()));
            }

            var whole = new byte[images.BytesPerImage];
            for (var i = 0; i < images.Count; i++)
            {
                hash.Append(BitConverter.GetBytes(images.Label(i)));
                if (i % ((images.Count / FingerprintImages) + 1) == 0)
                {
                    images.Read(i, whole);
                    hash.Append(whole);
                }
            }

            return string.Create(
                CultureInfo.InvariantCulture,
                $"{name}, {threat}, {string.Join(" ", attacks.Zip(runs, (attack, times) => $"{times}x{attack.Name} ({attack.Settings})"))}, seed {seed}{RobustProgress.Draws}, {images.Name}, {images.Count} images of {crop.Height}x{crop.Width}, {hash.GetCurrentHashAsUInt64():x16}");
        }

        void FindCorrect()
        {
            observer.Begin("clean", images.Count, "images");
            for (var first = 0; first < images.Count;)
            {
                stop.ThrowIfCancellationRequested();
                var indices = Enumerable.Range(first, Math.Min(batch, images.Count - first)).ToList();
                if (Fits(() => Classify(indices)))
                {
                    first += indices.Count;
                    observer.Advance(first);
                }
            }

            progress.EndClean();
        }

        void Classify(List<int> indices)
        {
            using var scope = torch.NewDisposeScope();
            var (x, labels) = Load(indices);
            progress.AddClean(indices, model.Correct(x, labels, position => images.Describe(indices[position])).cpu().data<bool>().ToArray());
        }

        int AttackBatch(int stage, List<int> indices)
        {
            var attack = attacks[stage];
            using var scope = torch.NewDisposeScope();
            var (x, labels) = Load(indices);
            var tried = attack.Run(progress.Run, model, x, labels, seed, [.. indices.Select(images.Identity)], stop);
            // What counts is a fresh pass over what came out, not what the attack believes.
            var predicted = model.Predict(tried, position => $"{images.Describe(indices[position])} under {attack.Name}").cpu().data<long>().ToArray();
            var broken = Enumerable.Range(0, indices.Count).Where(i => predicted[i] != images.Label(indices[i])).ToList();
            foreach (var i in broken)
            {
                progress.Break(indices[i], stage);
                found?.Invoke(new AdversarialExample(indices[i], x[i], tried[i], (int)predicted[i], attack.Name));
            }

            return broken.Count;
        }

        List<string> Doubts()
        {
            var doubts = new List<string>();
            // Of the images that are right without an attack, so that a resumed evaluation warns of the same.
            var some = Enumerable.Range(0, images.Count).Where(i => progress.BrokenBy[i] != RobustProgress.WrongFromTheStart).Take(Math.Min(batch, DoubtImages)).ToList();
            if (some.Count == 0)
            {
                return doubts;
            }

            using var scope = torch.NewDisposeScope();
            var (x, labels) = Load(some);
            var logits = model.Logits(x);
            // Relative to the logits' size, as in AutoAttack's own check: large logits differ more by rounding.
            var differs = Enumerable.Range(1, Repeats).Any(_ => ((model.Logits(x) - logits).norm(1) / logits.norm(1).Plus(1e-10)).max().ReadSingle() > 1e-4);
            if (differs && attacks.All(attack => attack is not AutoPgd { Averages: true }))
            {
                doubts.Add("The model answers differently each time: use autoattack-rand, which averages gradients.");
            }

            if (logits.min().ReadSingle() >= 0 && (logits.sum(1) - Kept(1)).abs().max().ReadSingle() < 1e-4)
            {
                doubts.Add("The model returns probabilities, not logits, which hides gradients: take the softmax out.");
            }

            var zero = model.Gradient(x, z => AttackLoss.CrossEntropy(z, labels)).Gradient.flatten(1).abs().amax([1]).eq(Kept(0)).sum().ReadInt64();
            if (zero > 0.01 * some.Count)
            {
                doubts.Add($"The gradient of the loss is exactly 0 for {zero} of {some.Count} images: attacks that follow it can't work, and the robust accuracy may be too high.");
            }

            return doubts;
        }
    }

    private static AttackStage Named(this AttackStage stage, string name) => stage with { Attack = name };
}
