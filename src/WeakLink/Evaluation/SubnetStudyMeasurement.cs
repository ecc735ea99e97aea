using System.Diagnostics;
using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Data;
using WeakLink.Models;
using WeakLink.Processes;
using WeakLink.Subnets;

namespace WeakLink.Evaluation;

/// <summary>What is measured of every network of a study.</summary>
public sealed record SubnetStudyOptions
{
    /// <summary>Subnet widths ρ, ascending, in (0, 1].</summary>
    public IReadOnlyList<double> Widths { get; init; } = [0.6, 0.7, 0.9];

    /// <summary>Random subnets of each width, and as many proposed ones.</summary>
    public int Count { get; init; } = 8;

    /// <summary>Searches of each kind for each width: the strength of a search has a spread.</summary>
    public int Searches { get; init; } = 3;

    /// <summary>Forward passes (and for a policy updates) of each search; 0: no searches, and no proposed subnets.</summary>
    public int SearchUpdates { get; init; } = 60;

    /// <summary>Attacks of one threat model, in order; empty: none.</summary>
    public IReadOnlyList<Attack> Attacks { get; init; } = [];

    /// <summary>Seed of all draws.</summary>
    public long Seed { get; init; }

    /// <summary>Whether all is measured in float32 by the network as it is; otherwise it is frozen for all but attacks and what takes statistics of a batch.</summary>
    public bool Exact { get; init; }
}

/// <summary>
/// Measures a network and subnets of it clean, corrupted and attacked, on always the same images: random ones, such as a policy proposes that
/// was trained against this very network, and the weakest that searches come across.
/// </summary>
public static class SubnetStudyMeasurement
{
    // Of other numbers than the policy's, whose untrained proposals would be nearly the same subnets.
    private static readonly StudiedSearch[] Kinds =
    [
        new("policy", SubnetEvaluation.PolicyDraws, SubnetEvaluation.NewPolicy),
        new("random", -2, (space, width, _) => new RandomSearch(space, width)),
        new("saliency", -3, (space, width, _) => new SaliencySearch(space, width)),
    ];

    /// <summary>Measures a network and its subnets.</summary>
    /// <param name="network">The network; its weights and running averages stay as they are.</param>
    /// <param name="images">What to measure on.</param>
    /// <param name="options">What to measure.</param>
    /// <param name="device">Where the network lives.</param>
    /// <param name="name">What to call the progress.</param>
    /// <param name="observer">Told of the progress.</param>
    /// <param name="processes">Those that share the work out; null: this one alone.</param>
    /// <param name="stop">Stops between two batches.</param>
    /// <returns>The full network with its running averages, and with re-estimated statistics if subnets have those; and its subnets by width.</returns>
    public static (Accuracies Full, Accuracies? FullReestimated, IReadOnlyList<WidthStudy> Widths) Measure(
        ClassifierNetwork network, SubnetStudyImages images, SubnetStudyOptions options, torch.Device device, string name, IRunObserver observer, ProcessGroup? processes = null, CancellationToken stop = default)
    {
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        processes ??= ProcessGroup.Alone;
        network.eval();
        var meter = new Meter(network, images, options, device, processes, stop);
        SeededRandom Draws(long epoch = 0, long index = 0) => new(options.Seed, RandomUse.SubnetEvaluation, epoch, index);
        using var everything = new RandomSearch(network.Space, 1);
        // The full network first: what an attack costs is known only then.
        var whole = new List<MeasuredAccuracies>();
        processes.Share(images.Recalibration.Count > 0 ? [null, everything.Propose(new SearchContext(Draws()))] : (Subnet?[])[null], meter.Measure, (_, its) => whole.Add(its));

        var searches = options.SearchUpdates > 0 ? options.Searches : 0;
        var reward = SubnetStudyImages.Count(images.Reward);
        var clean = SubnetStudyImages.Count(images.Clean);
        var perSubnet = whole[0].Passes + SubnetStudyImages.Count(images.Recalibration);
        var perSearch = (long)options.SearchUpdates * reward;
        var subnets = (searches > 0 ? 2 : 1) * options.Count + (Kinds.Length * searches);
        var runningAverages = images.Recalibration.Count > 0 ? options.Count * clean : 0;
        var (done, total) = (0L, options.Widths.Count * ((subnets * perSubnet) + runningAverages + (Kinds.Length * searches * perSearch)));
        observer.Begin(name, total, "passes");
        List<TResult> Shared<TItem, TResult>(IReadOnlyList<TItem> items, Func<TItem, TResult> work, long cost, string detail)
        {
            var results = new List<TResult>();
            processes.Share(items, work, (_, result) =>
            {
                results.Add(result);
                observer.Advance(done += cost, detail);
            });
            return results;
        }

        var widths = new List<WidthStudy>();
        foreach (var width in options.Widths)
        {
            var at = FormattableString.Invariant($"width {width}");
            AccuracyGroup Group(IEnumerable<Subnet> chosen, string what) => AccuracyGroup.Of([.. Shared([.. chosen], meter.Measure, perSubnet, $"{at}, {what}").Select(its => its.Accuracies)]);
            using var uniform = new RandomSearch(network.Space, width);
            var random = Enumerable.Range(0, options.Count).Select(i => uniform.Propose(new SearchContext(Draws(0, i)))).ToList();
            var measured = Group(random, "random subnets");
            var misled = runningAverages == 0 ? null : SpreadSummary.Of(Shared(random, meter.OfClean, clean, $"{at}, running averages"));
            if (searches == 0)
            {
                widths.Add(new WidthStudy(width, measured, null, null, null, null, misled, null));
                continue;
            }

            FinishedSearch Search((int Number, StudiedSearch Kind) which)
            {
                var watch = Stopwatch.StartNew();
                using var search = which.Kind.New(network.Space, width, options.Seed + which.Number);
                var passes = 0L;
                double Reward(Subnet subnet)
                {
                    var accuracy = meter.Reward(subnet);
                    passes += reward;
                    observer.Advance(done + passes, $"{at}, {which.Kind.Name} search");
                    return accuracy;
                }

                var trial = SearchTrial.Run(search, Reward, options.SearchUpdates, which.Kind.Draws, options.Seed + which.Number, search is SaliencySearch ? meter.RewardBatch() : null);
                var seconds = watch.Elapsed.TotalSeconds;
                network.eval();
                return new FinishedSearch(trial, seconds, search is not PolicySearch ? []
                    : [.. Enumerable.Range(0, options.Count).Where(i => i % searches == which.Number).Select(i => search.Propose(new SearchContext(Draws(1, i))))]);
            }

            var finished = Shared([.. from number in Enumerable.Range(0, searches) from kind in Kinds select (number, kind)], Search, perSearch, $"{at}, searches");
            List<FinishedSearch>[] byKind = [.. Kinds.Select((_, kind) => finished.Where((_, i) => i % Kinds.Length == kind).ToList())];
            var (learned, blind, drawn) = (byKind[0], byKind[1], byKind[2]);
            AccuracyGroup Weakest(List<FinishedSearch> of) => Group(of.Select(its => its.Trial.Weakest!), "weakest found");
            widths.Add(new WidthStudy(
                width,
                measured,
                Group(Enumerable.Range(0, options.Count).Select(i => learned[i % searches].Proposed[i / searches]), "proposed subnets"),
                Weakest(learned),
                Weakest(blind),
                Weakest(drawn),
                misled,
                new SearchStrength(reward, Courses(learned), Courses(blind), Courses(drawn)) { Seconds = Kinds.Zip(byKind).ToDictionary(kind => kind.First.Name, kind => kind.Second.Average(its => its.Seconds)) })
            {
                Found = [.. Kinds.Zip(byKind).SelectMany(kind => kind.Second.Select((its, number) => new FoundSubnet($"{kind.First.Name}-{number + 1}", its.Trial.Weakest!)))],
            });
        }

        return (whole[0].Accuracies, whole.ElementAtOrDefault(1)?.Accuracies, widths);
    }

    private static IReadOnlyList<double>[] Courses(List<FinishedSearch> searches) => [.. searches.Select(its => its.Trial.RunningMinima)];

    private sealed record StudiedSearch(string Name, int Draws, Func<SubnetSpace, double, long, ISubnetSearch> New);

    // What the processes tell one another.
    private sealed record FinishedSearch(SearchTrial Trial, double Seconds, IReadOnlyList<Subnet> Proposed);

    /// <param name="Accuracies">What was measured.</param>
    /// <param name="Passes">What that cost, in forward passes of an image; a backward pass costs two.</param>
    private sealed record MeasuredAccuracies(Accuracies Accuracies, long Passes);

    /// <summary>Measures subnets of one network on always the same images.</summary>
    private sealed class Meter(ClassifierNetwork network, SubnetStudyImages images, SubnetStudyOptions options, torch.Device device, ProcessGroup processes, CancellationToken stop)
    {
        private readonly (int Height, int Width) _size = Size(images);

        // One for all processes: rounding differs between formats.
        private readonly ComputeFormat? _format = options.Exact ? null : processes.From(processes.Leads
            ? MeasuredNetwork.Format(network, Size(images).Height, Size(images).Width, device, () => images.Clean.Select(batch => Pixels.ToUnit(batch.Images.to(device))))
            : null);

        /// <summary>Accuracies of a subnet with its own statistics, or of the full network.</summary>
        public MeasuredAccuracies Measure(Subnet? subnet)
        {
            using var statistics = subnet is null ? null : SubnetEvaluation.Reestimated(network, subnet, images.Recalibration, device);
            using var measured = Measured(subnet, statistics);
            double On(IReadOnlyList<Batch> batches) => SubnetEvaluation.Accuracy(batches, measured.Classify, device, stop);
            var (attacked, passes) = options.Attacks.Count > 0 ? Attacked(new SubnetModule(network, subnet, statistics)) : (null, 0);
            return new MeasuredAccuracies(
                new Accuracies(On(images.Clean), images.Corrupted.Count > 0 ? images.Corrupted.Average(On) : null, attacked),
                passes + SubnetStudyImages.Count(images.Clean) + images.Corrupted.Sum(set => (long)SubnetStudyImages.Count(set)));
        }

        /// <summary>Clean accuracy of a subnet with the full network's running averages.</summary>
        public double OfClean(Subnet subnet)
        {
            using var measured = Measured(subnet, null);
            return SubnetEvaluation.Accuracy(images.Clean, measured.Classify, device, stop);
        }

        private MeasuredNetwork Measured(Subnet? subnet, SubnetStatistics? statistics) => MeasuredNetwork.Of(network, _format, _size.Height, _size.Width, subnet, statistics);

        private static (int Height, int Width) Size(SubnetStudyImages images) => ((int)images.Clean[0].Images.shape[2], (int)images.Clean[0].Images.shape[3]);

        /// <summary>
        /// Accuracy on the reward images: with the statistics of these images, as in training, or with the running averages, if that is
        /// how subnets are measured.
        /// </summary>
        public double Reward(Subnet subnet)
        {
            network.train(images.Recalibration.Count > 0);
            return SubnetEvaluation.Accuracy(images.Reward, batch => network.forward(batch, subnet), device, stop);
        }

        /// <summary>The first of the reward's batches, for a search that looks at images: one of training's size, since it may need gradients.</summary>
        public SearchBatch RewardBatch()
        {
            var (x, labels) = (Pixels.ToUnit(images.Reward[0].Images.to(device)), images.Reward[0].Labels.to(device));
            network.eval();
            var teacher = network.call(x);
            network.train(images.Recalibration.Count > 0);
            return new SearchBatch(network, x, labels, teacher);
        }

        // Every attack is given what the ones before it left.
        private (double? Accuracy, long Passes) Attacked(SubnetModule module)
        {
            using var owned = module;
            var model = new AttackedModel(module);
            var (robust, first) = (0L, 0L);
            foreach (var batch in images.Attacked)
            {
                using var scope = torch.NewDisposeScope();
                var (x, labels) = (Pixels.ToUnit(batch.Images.to(device)), batch.Labels.to(device));
                var left = model.Correct(x, labels).nonzero().squeeze(1);
                foreach (var attack in options.Attacks)
                {
                    if (left.shape[0] == 0)
                    {
                        break;
                    }

                    var (given, truth) = (x.index_select(0, left), labels.index_select(0, left));
                    var tried = attack.Perturb(model, given, truth, options.Seed, [.. left.cpu().data<long>().ToArray().Select(position => batch.Identities[(int)position])], stop);
                    left = left[model.Correct(tried, truth)];
                }

                robust += left.shape[0];
                first += labels.shape[0];
            }

            return ((double)robust / first, model.Forwards + (2 * model.Backwards));
        }
    }
}
