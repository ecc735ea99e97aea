using System.Diagnostics;
using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Data;
using WeakLink.Models;
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
    // Other draws than the policy's, whose untrained proposals would be nearly the same subnets.
    private const int RandomDraws = -2;
    private const int SaliencyDraws = -3;

    // Of searches.
    private const int Kinds = 3;

    /// <summary>Measures a network and its subnets.</summary>
    /// <param name="network">The network; its weights and running averages stay as they are.</param>
    /// <param name="images">What to measure on.</param>
    /// <param name="options">What to measure.</param>
    /// <param name="device">Where the network lives.</param>
    /// <param name="name">What to call the progress.</param>
    /// <param name="observer">Told of the progress.</param>
    /// <param name="stop">Stops between two batches.</param>
    /// <returns>The full network with its running averages, and with re-estimated statistics if subnets have those; and its subnets by width.</returns>
    public static (Accuracies Full, Accuracies? FullReestimated, IReadOnlyList<WidthStudy> Widths) Measure(
        ClassifierNetwork network, SubnetStudyImages images, SubnetStudyOptions options, torch.Device device, string name, IRunObserver observer, CancellationToken stop = default)
    {
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        network.eval();
        var meter = new Meter(network, images, options, device, stop);
        // The full network first: what an attack costs is known only then.
        var full = meter.Measure(null);
        var searches = options.SearchUpdates > 0 ? options.Searches : 0;
        var reward = SubnetStudyImages.Count(images.Reward);
        var clean = SubnetStudyImages.Count(images.Clean);
        var perSubnet = meter.Passes + SubnetStudyImages.Count(images.Recalibration);
        var subnets = (searches > 0 ? 2 : 1) * options.Count + (Kinds * searches);
        var runningAverages = images.Recalibration.Count > 0 ? options.Count * clean : 0;
        var whole = images.Recalibration.Count > 0 ? perSubnet : 0;
        var (done, total) = (0L, whole + (options.Widths.Count * ((subnets * perSubnet) + runningAverages + ((long)Kinds * searches * options.SearchUpdates * reward))));
        observer.Begin(name, total, "passes");
        void Advance(long passes, string detail) => observer.Advance(done += passes, detail);

        using var everything = new RandomSearch(network.Space, 1);
        var reestimated = whole == 0 ? null : meter.Measure(everything.Propose(new SearchContext(new SeededRandom(options.Seed, RandomUse.SubnetEvaluation))));
        Advance(whole, "full network");
        var widths = new List<WidthStudy>();
        foreach (var width in options.Widths)
        {
            var at = FormattableString.Invariant($"width {width}");
            AccuracyGroup Group(IEnumerable<Subnet> chosen, string what) => AccuracyGroup.Of([.. chosen.Select(subnet =>
            {
                var accuracies = meter.Measure(subnet);
                Advance(perSubnet, $"{at}, {what}");
                return accuracies;
            })]);
            using var uniform = new RandomSearch(network.Space, width);
            var random = Enumerable.Range(0, options.Count).Select(i => uniform.Propose(new SearchContext(new SeededRandom(options.Seed, RandomUse.SubnetEvaluation, 0, i)))).ToList();
            var measured = Group(random, "random subnets");
            SpreadSummary? misled = runningAverages == 0 ? null : SpreadSummary.Of([.. random.Select(subnet =>
            {
                var accuracy = meter.OfClean(subnet);
                Advance(clean, $"{at}, running averages");
                return accuracy;
            })]);
            if (searches == 0)
            {
                widths.Add(new WidthStudy(width, measured, null, null, null, null, misled, null));
                continue;
            }

            var policies = new List<PolicySearch>();
            using var saliency = new SaliencySearch(network.Space, width);
            try
            {
                var seconds = new Dictionary<string, double>();
                SearchTrial Trial(ISubnetSearch search, int number, int draws, string who)
                {
                    var watch = Stopwatch.StartNew();
                    double Reward(Subnet subnet)
                    {
                        var accuracy = meter.Reward(subnet);
                        Advance(reward, $"{at}, {who} search");
                        return accuracy;
                    }

                    var trial = SearchTrial.Run(search, Reward, options.SearchUpdates, draws, options.Seed + number, search is SaliencySearch ? meter.RewardBatch() : null);
                    seconds[who] = seconds.GetValueOrDefault(who) + (watch.Elapsed.TotalSeconds / searches);
                    return trial;
                }

                var (learned, blind, drawn) = (new List<SearchTrial>(), new List<SearchTrial>(), new List<SearchTrial>());
                for (var number = 0; number < searches; number++)
                {
                    policies.Add(SubnetEvaluation.NewPolicy(network.Space, width, options.Seed + number));
                    learned.Add(Trial(policies[^1], number, SubnetEvaluation.PolicyDraws, "policy"));
                    blind.Add(Trial(uniform, number, RandomDraws, "random"));
                    drawn.Add(Trial(saliency, number, SaliencyDraws, "saliency"));
                }

                network.eval();
                var proposed = Enumerable.Range(0, options.Count)
                    .Select(i => policies[i % searches].Propose(new SearchContext(new SeededRandom(options.Seed, RandomUse.SubnetEvaluation, 1, i))));
                widths.Add(new WidthStudy(
                    width,
                    measured,
                    Group(proposed, "proposed subnets"),
                    Group(learned.Select(trial => trial.Weakest!), "weakest found"),
                    Group(blind.Select(trial => trial.Weakest!), "weakest found"),
                    Group(drawn.Select(trial => trial.Weakest!), "weakest found"),
                    misled,
                    new SearchStrength(reward, Courses(learned), Courses(blind), Courses(drawn)) { Seconds = seconds })
                {
                    Found = [.. Found("policy", learned), .. Found("random", blind), .. Found("saliency", drawn)],
                });
            }
            finally
            {
                policies.ForEach(policy => policy.Dispose());
            }
        }

        return (full, reestimated, widths);
    }

    private static IReadOnlyList<double>[] Courses(List<SearchTrial> trials) => [.. trials.Select(trial => trial.RunningMinima)];

    private static IEnumerable<FoundSubnet> Found(string search, List<SearchTrial> trials) => trials.Select((trial, number) => new FoundSubnet($"{search}-{number + 1}", trial.Weakest!));

    /// <summary>Measures subnets of one network on always the same images.</summary>
    private sealed class Meter(ClassifierNetwork network, SubnetStudyImages images, SubnetStudyOptions options, torch.Device device, CancellationToken stop)
    {
        private readonly (int Height, int Width) _size = Size(images);
        private readonly Lazy<ComputeFormat?> _format = new(() => options.Exact ? null
            : MeasuredNetwork.Format(network, Size(images).Height, Size(images).Width, device, () => images.Clean.Select(batch => Pixels.ToUnit(batch.Images.to(device)))));

        private long _attackPasses;

        /// <summary>What the last measurement cost, in forward passes of an image; a backward pass costs two.</summary>
        public long Passes => SubnetStudyImages.Count(images.Clean) + images.Corrupted.Sum(set => (long)SubnetStudyImages.Count(set)) + _attackPasses;

        /// <summary>Accuracies of a subnet with its own statistics, or of the full network.</summary>
        public Accuracies Measure(Subnet? subnet)
        {
            using var statistics = subnet is null ? null : SubnetEvaluation.Reestimated(network, subnet, images.Recalibration, device);
            using var measured = Measured(subnet, statistics);
            double On(IReadOnlyList<Batch> batches) => SubnetEvaluation.Accuracy(batches, measured.Classify, device, stop);
            return new Accuracies(
                On(images.Clean),
                images.Corrupted.Count > 0 ? images.Corrupted.Average(On) : null,
                options.Attacks.Count > 0 ? Attacked(new SubnetModule(network, subnet, statistics)) : null);
        }

        /// <summary>Clean accuracy of a subnet with the full network's running averages.</summary>
        public double OfClean(Subnet subnet)
        {
            using var measured = Measured(subnet, null);
            return SubnetEvaluation.Accuracy(images.Clean, measured.Classify, device, stop);
        }

        private MeasuredNetwork Measured(Subnet? subnet, SubnetStatistics? statistics) => MeasuredNetwork.Of(network, _format.Value, _size.Height, _size.Width, subnet, statistics);

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
        private double Attacked(SubnetModule module)
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

            _attackPasses = model.Forwards + (2 * model.Backwards);
            return (double)robust / first;
        }
    }
}
