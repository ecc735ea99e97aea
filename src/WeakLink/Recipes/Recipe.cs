using WeakLink.Attacks;
using WeakLink.Augmentations;
using WeakLink.Models;
using WeakLink.Objectives;
using WeakLink.Sources;
using WeakLink.Subnets;

namespace WeakLink.Recipes;

/// <summary>Everything that decides a training run. The run folder keeps the resolved recipe, which gives the same run again.</summary>
public sealed record Recipe
{
    /// <summary>What to call the recipe.</summary>
    [Setting(SettingKind.Incidental)]
    public string Name { get; init; } = "default";

    /// <summary>Seed of every random draw.</summary>
    [Setting(SettingKind.OfTheSeed)]
    public long Seed { get; init; }

    /// <summary>Which images, and how they are read and split.</summary>
    public DataRecipe Data { get; init; } = new();

    /// <summary>Which network.</summary>
    public ModelRecipe Model { get; init; } = new();

    /// <summary>How long, in which steps, at which precision.</summary>
    public TrainingRecipe Training { get; init; } = new();

    /// <summary>What happens to a training image.</summary>
    public AugmentationRecipe Augmentation { get; init; } = new();

    /// <summary>What the full network minimises.</summary>
    public ObjectiveRecipe Objective { get; init; } = new();

    /// <summary>Enhancing weak subnets.</summary>
    public EwsRecipe Ews { get; init; } = new();

    /// <summary>What is measured.</summary>
    public EvaluationRecipe Evaluation { get; init; } = new();

    /// <summary>The same recipe with other values for some keys, checked (see <see cref="RecipeCheck"/>).</summary>
    /// <param name="overrides">
    /// Each <c>key=value</c>, such as <c>ews.width=0.5</c>; of one key given twice the last counts. A list has commas between its items, or stands in brackets as in YAML
    /// (see <see cref="RecipeKeys.ListText"/>).
    /// </param>
    /// <exception cref="InputException">There is no such key (the nearest is named), or the value is not allowed.</exception>
    public Recipe With(params IEnumerable<string> overrides) => RecipeKeys.Set(this, [RecipeKeys.Overrides(overrides)], origin: null);

    /// <summary>Whether every key has the same value; lists are equal where their items are.</summary>
    public bool Equals(Recipe? other) => other is not null && RecipeFile.ToYaml(this) == RecipeFile.ToYaml(other);

    /// <inheritdoc/>
    public override int GetHashCode() => RecipeFile.ToYaml(this).GetHashCode(StringComparison.Ordinal);
}

/// <summary>Which network.</summary>
public sealed record ModelRecipe
{
    /// <summary>The network that <see cref="Weights"/> are of.</summary>
    internal const string Auto = "auto";

    /// <summary>A name from <c>NetworkCatalogue</c>, such as resnet20, resnet18, preact-resnet18, wide-resnet-34-10, resnet50-imagenet; <c>auto</c>: that of <c>model.weights</c>.</summary>
    public string Name { get; init; } = "resnet20";

    /// <summary>The weights to start from: a file (WeakLink's, safetensors, PyTorch's, ONNX), a run folder, or <c>resnet20-imagenet</c>; empty: random ones. See docs/fine-tuning.md.</summary>
    [Setting(SettingKind.Place)]
    public string Weights { get; init; } = "";

    /// <summary>SHA-256 of the file of <c>model.weights</c>; filled in by a run, which then refuses another one. Empty: not checked.</summary>
    [Setting(SettingKind.FilledIn)]
    public string WeightsChecksum { get; init; } = "";

    /// <summary>Multiplies the channels of every layer, rounded to whole channels.</summary>
    [Limits(0, 64, AboveLeast = true, BelowMost = true)]
    public double WidthMultiplier { get; init; } = 1;

    /// <summary>Dropout probability between the convolutions of a wide block; in [0, 1).</summary>
    [Limits(0, 1, BelowMost = true)]
    public double Dropout { get; init; }

    /// <summary>Mean of each channel in [0, 1] units (R, G, B) that the model's first layer subtracts; empty: that of <c>model.weights</c>, or measured on the training images.</summary>
    [Limits(0, 1)]
    [Setting(SettingKind.FilledIn | SettingKind.OfTheSeed)]
    public IReadOnlyList<double> Mean { get; init; } = [];

    /// <summary>Standard deviation of each channel that the model's first layer divides by; empty: that of <c>model.weights</c>, or measured on the training images.</summary>
    [Limits(0, 1, AboveLeast = true)]
    [Setting(SettingKind.FilledIn | SettingKind.OfTheSeed)]
    public IReadOnlyList<double> StandardDeviation { get; init; } = [];
}

/// <summary>How long, in which steps, at which precision.</summary>
public sealed record TrainingRecipe
{
    /// <summary>Nothing is frozen.</summary>
    internal const string NoPart = "none";

    /// <summary>Everything but the classifier is frozen.</summary>
    internal const string Backbone = "backbone";

    /// <summary>Passes over the training images.</summary>
    [Limits(1, 1_000_000)]
    public int Epochs { get; init; } = 100;

    /// <summary>Images in a step.</summary>
    [Limits(1, 1_000_000)]
    public int Batch { get; init; } = 128;

    /// <summary>What moves the weights.</summary>
    public OptimiserKind Optimiser { get; init; } = OptimiserKind.Sgd;

    /// <summary>Peak learning rate; to be named for AdamW.</summary>
    [Limits(0, 1000, AboveLeast = true, BelowMost = true)]
    public double LearningRate { get; init; } = 0.1;

    /// <summary>Factor of the learning rate of everything before the classifier; in [0, 1].</summary>
    [Limits(0, 1)]
    public double BackboneRate { get; init; } = 1;

    /// <summary>What stays as it is: <c>none</c>; <c>backbone</c>, everything before the classifier; or a part of the network, such as layer2, with all that is before it.</summary>
    public string Freeze { get; init; } = NoPart;

    /// <summary>Batch norms normalise by the running averages that they begin with, as in a measurement, instead of each batch's statistics. (Subnets keep to each batch's.)</summary>
    public bool FreezeBatchNorm { get; init; }

    /// <summary>Several processes: batch norms take a batch's statistics over the images of all, instead of each process's own (synchronised batch norm).</summary>
    public bool SyncBatchNorm { get; init; }

    /// <summary>Part of the epochs, at their beginning, in which the classifier alone is trained; in [0, 1).</summary>
    [Limits(0, 1, BelowMost = true)]
    public double ClassifierWarmup { get; init; }

    /// <summary>Momentum of SGD, β1 of AdamW; in [0, 1).</summary>
    [Limits(0, 1, BelowMost = true)]
    public double Momentum { get; init; } = 0.9;

    /// <summary>SGD: Nesterov's form of momentum.</summary>
    public bool Nesterov { get; init; } = true;

    /// <summary>SGD: L2 penalty, added to every parameter's gradient. AdamW: in every step a weight shrinks by this times the learning rate.</summary>
    [Limits(0, 1e6)]
    public double WeightDecay { get; init; } = 1e-4;

    /// <summary>Whether scales and shifts of norms, and biases, decay too.</summary>
    public bool DecayNorms { get; init; } = true;

    /// <summary>Decay of an exponential moving average of the weights, which is then validated, kept and measured in their place; 0: none. In [0, 1).</summary>
    [Limits(0, 1, BelowMost = true)]
    public double Average { get; init; }

    /// <summary>Largest norm of the whole gradient; 0: no clipping.</summary>
    [Limits(0, 1e6)]
    public double GradientClip { get; init; } = 3;

    /// <summary>The first step, from 0, that is not in a part of the run.</summary>
    internal long StepAfter(double part, int stepsPerEpoch) => (long)Math.Ceiling((part * Epochs * stepsPerEpoch) - 1e-9);

    /// <summary>How the learning rate moves.</summary>
    public ScheduleKind Schedule { get; init; } = ScheduleKind.Step;

    /// <summary>Step schedule: where the rate drops, as fractions of the epochs.</summary>
    [Limits(0, 1, AboveLeast = true, BelowMost = true)]
    public IReadOnlyList<double> Milestones { get; init; } = [1.0 / 3, 2.0 / 3];

    /// <summary>Step schedule: what the rate is multiplied with at each milestone.</summary>
    [Limits(0, 1, AboveLeast = true, BelowMost = true)]
    public double Drop { get; init; } = 0.1;

    /// <summary>Part of the epochs in which the rate rises from 0 to its peak; in [0, 1).</summary>
    [Limits(0, 1, BelowMost = true)]
    public double Warmup { get; init; }

    /// <summary>Number format of convolutions.</summary>
    [Setting(SettingKind.FilledIn)]
    public Precision Precision { get; init; } = Precision.Auto;

    /// <summary>Memory layout of activations.</summary>
    [Setting(SettingKind.FilledIn)]
    public Layout Layout { get; init; } = Layout.Auto;

    /// <summary>libtorch's threads; 0: one per core.</summary>
    [Limits(0, 4096)]
    [Setting(SettingKind.Incidental)]
    public int Threads { get; init; }

    /// <summary>Worker threads that prepare batches; 0: one per core, at most 8.</summary>
    [Limits(0, 256)]
    [Setting(SettingKind.Incidental)]
    public int Workers { get; init; }

    /// <summary>Epochs between two checkpoints.</summary>
    [Limits(1, 1_000_000)]
    [Setting(SettingKind.Incidental)]
    public int CheckpointEvery { get; init; } = 1;

    /// <summary>Epochs between two checkpoints that are kept for good, weights alone; 0: none.</summary>
    [Limits(0, 1_000_000)]
    public int KeepEvery { get; init; }

    /// <summary>Epochs between two validations.</summary>
    [Limits(1, 1_000_000)]
    public int ValidateEvery { get; init; } = 1;

    /// <summary>Epochs without a better validation after which training stops; 0: it goes on to the end.</summary>
    [Limits(0, 1_000_000)]
    public int Patience { get; init; }

    /// <summary>What makes up for classes of few images.</summary>
    public ClassBalancing ClassBalance { get; init; } = ClassBalancing.None;
}

/// <summary>What moves the weights.</summary>
public enum OptimiserKind
{
    /// <summary>Stochastic gradient descent with momentum.</summary>
    Sgd,

    /// <summary>Adam with decoupled weight decay (Loshchilov and Hutter 2019).</summary>
    Adamw,
}

/// <summary>What makes up for classes of few training images.</summary>
public enum ClassBalancing
{
    /// <summary>Nothing: an image counts as much as another.</summary>
    None,

    /// <summary>The cross-entropy of an image counts the more, the fewer images its class has: all classes together count alike.</summary>
    Weights,

    /// <summary>Every class is drawn equally often: images of small classes come several times in an epoch, with other draws each time, and those of large ones not in every epoch.</summary>
    Sampling,
}

/// <summary>How the learning rate moves over the run.</summary>
public enum ScheduleKind
{
    /// <summary>Drops at milestones.</summary>
    Step,

    /// <summary>Half a cosine from the peak to 0 (Loshchilov and Hutter 2017).</summary>
    Cosine,

    /// <summary>Up linearly over the warm-up, down linearly to 0 (after Smith 2018).</summary>
    OneCycle,
}

/// <summary>What happens to a training image.</summary>
public sealed record AugmentationRecipe
{
    // What each is by itself, it is by default.
    private static readonly AugMix AugMix = new();
    private static readonly RandAugment RandAugment = new();

    /// <summary>Height and width of what the network sees; 0: the stored size. Training takes a random crop, measuring the centre.</summary>
    [Limits(0, 4096)]
    public int Crop { get; init; }

    /// <summary>Black pixels added on each side before the random crop.</summary>
    [Limits(0, 1024)]
    public int Padding { get; init; } = 4;

    /// <summary>
    /// Augmentations by name, in their order: <c>crop</c>, <c>flip</c>, <c>random-resized-crop</c>, <c>autoaugment-cifar10</c>, <c>autoaugment-imagenet</c>,
    /// <c>autoaugment-svhn</c>, <c>randaugment</c>, <c>trivialaugment</c>, <c>augmix</c>, <c>cutout</c>, <c>random-erasing</c>, <c>patterns</c>; last <c>mixup</c>, <c>cutmix</c>.
    /// </summary>
    public IReadOnlyList<string> Sequence { get; init; } = [AugmentationSequence.Crop, AugmentationSequence.Flip];

    /// <summary>Random resized crop: the smallest part of the image that is cut out; in (0, 1].</summary>
    [Limits(0, 1, AboveLeast = true)]
    public double ResizedCropArea { get; init; } = new RandomResizedCrop(1, 1).SmallestArea;

    /// <summary>RandAugment: operations applied to an image.</summary>
    [Limits(0, 16)]
    public int RandaugmentOperations { get; init; } = RandAugment.Operations;

    /// <summary>RandAugment: how strongly; 0 to 30 (published: 9 for ImageNet).</summary>
    [Limits(0, 30)]
    public int RandaugmentMagnitude { get; init; } = RandAugment.Magnitude;

    /// <summary>AugMix: chains that are mixed.</summary>
    [Limits(1, 64)]
    public int AugmixWidth { get; init; } = AugMix.Width;

    /// <summary>AugMix: operations in a chain; 0: one to three at random.</summary>
    [Limits(0, 64)]
    public int AugmixDepth { get; init; } = AugMix.Depth;

    /// <summary>AugMix: largest severity of an operation; above 0, at most 10 (published: 3 for CIFAR, 1 for ImageNet).</summary>
    [Limits(0, 10, AboveLeast = true)]
    public double AugmixSeverity { get; init; } = AugMix.Severity;

    /// <summary>AugMix: α of the Dirichlet and Beta distributions that the mixing weights are drawn from.</summary>
    [Limits(1e-3, 1000)]
    public double AugmixCoefficient { get; init; } = AugMix.Coefficient;

    /// <summary>AugMix: colour, contrast, brightness and sharpness too, which overlap with the common corruptions: accuracy under these is then no longer that of unseen ones.</summary>
    public bool AugmixAllOperators { get; init; } = AugMix.AllOperators;

    /// <summary>Cutout: side of the grey square in pixels.</summary>
    [Limits(1, 4096)]
    public int CutoutSize { get; init; } = new Cutout().Size;

    /// <summary>Random erasing: probability; in [0, 1].</summary>
    [Limits(0, 1)]
    public double ErasingProbability { get; init; } = new RandomErasing().Probability;

    /// <summary>mixup: α of the Beta distribution of the weight.</summary>
    [Limits(1e-3, 1000)]
    public double MixupAlpha { get; init; } = 0.2;

    /// <summary>CutMix: α of the Beta distribution of the area.</summary>
    [Limits(1e-3, 1000)]
    public double CutmixAlpha { get; init; } = 1;
}

/// <summary>What the full network minimises.</summary>
public sealed record ObjectiveRecipe
{
    /// <summary>A step size that follows from ε and the number of steps.</summary>
    internal const string Auto = "auto";

    /// <summary>The usual size of perturbations in L∞.</summary>
    internal const string LinfSize = "8/255";

    /// <summary>Which objective.</summary>
    public ObjectiveKind Kind { get; init; } = ObjectiveKind.CrossEntropy;

    /// <summary>Label smoothing; in [0, 1).</summary>
    [Limits(0, 1, BelowMost = true)]
    public double LabelSmoothing { get; init; }

    /// <summary>Adversarial objectives, and <c>ews.view: adversarial</c>: how a perturbation is measured.</summary>
    public Norm Norm { get; init; } = Norm.Linf;

    /// <summary>Adversarial objectives: the largest perturbation, in units of [0, 1]; to be named for L2.</summary>
    public string Eps { get; init; } = LinfSize;

    /// <summary>Adversarial objectives: the attack's steps; <c>fgsm</c> always takes one.</summary>
    [Limits(1, 10_000)]
    public int Steps { get; init; } = 10;

    /// <summary>Adversarial objectives: size of a step. <c>auto</c>: 2.5 ε / steps, at most 1.25 ε; for ε = 8/255 the published 2/255 in ten steps, and 10/255 in the one of <c>fgsm</c>.</summary>
    public string StepSize { get; init; } = Auto;

    /// <summary>TRADES: weight β of the divergence.</summary>
    [Limits(0, 1e6)]
    public double Beta { get; init; } = 6;

    /// <summary>AugMix consistency: weight of the Jensen-Shannon divergence.</summary>
    [Limits(0, 1e6)]
    public double ConsistencyWeight { get; init; } = new Consistency().Weight;

    /// <summary>Adversarial objectives: batch norm during the attack.</summary>
    public AttackMode AttackMode { get; init; } = AttackMode.Published;

    /// <summary>Adversarial weight perturbation γ around the objective; 0: none. Published: 0.01 with PGD, 0.005 with TRADES.</summary>
    [Limits(0, 1e6)]
    public double WeightPerturbation { get; init; }

    /// <summary>Part of the epochs before weights are perturbed; in [0, 1).</summary>
    [Limits(0, 1, BelowMost = true)]
    public double WeightPerturbationWarmup { get; init; }
}

/// <summary>Which statistics batch norm uses while a training step attacks.</summary>
public enum AttackMode
{
    /// <summary>As published: those of the batch for <c>pgd</c> and <c>fgsm</c>, running averages for <c>trades</c>.</summary>
    Published,

    /// <summary>Those of the batch; the attack's passes count in the running averages.</summary>
    Training,

    /// <summary>Running averages.</summary>
    Evaluation,
}

/// <summary>Objectives by name.</summary>
public enum ObjectiveKind
{
    /// <summary>Cross-entropy on the (augmented) images.</summary>
    CrossEntropy,

    /// <summary>Cross-entropy, and the Jensen-Shannon divergence of the image and two AugMix mixtures of it (Hendrycks et al. 2020).</summary>
    Consistency,

    /// <summary>Cross-entropy on the examples of a PGD attack (Madry et al. 2018).</summary>
    Pgd,

    /// <summary>The same with a single step from a random start (Wong et al. 2020).</summary>
    Fgsm,

    /// <summary>Cross-entropy on the images, and their divergence from adversarial examples (Zhang et al. 2019).</summary>
    Trades,
}

/// <summary>What is measured after training.</summary>
public sealed record EvaluationRecipe
{
    /// <summary>Images in a batch.</summary>
    [Limits(1, 1_000_000)]
    [Setting(SettingKind.Incidental)]
    public int Batch { get; init; } = 256;

    /// <summary>
    /// Whether everything is measured in float32 by the network as it is trained. Otherwise, but for attacks, it is frozen: batch norms folded into the convolutions, number format and layout chosen by a timing on
    /// this machine. The predictions are the same on all but 1 image in 1,000, if that.
    /// </summary>
    [Setting(SettingKind.Incidental)]
    public bool Exact { get; init; }

    /// <summary>
    /// After training measuring takes about this part of the time that training took, at most: the sizes that are as by default (<see cref="CorruptionImages"/>, <see cref="CurveImages"/>, <see cref="SubnetImages"/>,
    /// <see cref="RecalibrationImages"/>, <see cref="SearchUpdates"/>) are cut for it, down to those of <see cref="Quick"/>; 0: none is. Comparisons cut none.
    /// </summary>
    [Limits(0, 1000)]
    [Setting(SettingKind.Incidental)]
    public double Budget { get; init; } = 0.5;

    /// <summary>Measure on at most this many test images, every class in its share; 0: all.</summary>
    [Limits(0, int.MaxValue)]
    public int Images { get; init; }

    /// <summary>How many random and how many proposed subnets are measured.</summary>
    [Limits(0, 100_000)]
    public int Subnets { get; init; } = 8;

    /// <summary>Width of the measured subnets; 0: that of <see cref="EwsRecipe.Width"/>.</summary>
    [Limits(0, 1)]
    public double SubnetWidth { get; init; }

    /// <summary>Measure subnets on at most this many images; 0: all.</summary>
    [Limits(0, int.MaxValue)]
    public int SubnetImages { get; init; } = 2000;

    /// <summary>Training images on which a subnet's batch-norm statistics are re-estimated; 0: use the full network's running averages.</summary>
    [Limits(0, int.MaxValue)]
    public int RecalibrationImages { get; init; } = 1024;

    /// <summary>Updates of the policy that proposes the measured subnets: it is trained against the finished network, whichever way that was trained.</summary>
    [Limits(0, 1_000_000)]
    public int SearchUpdates { get; init; } = 150;

    /// <summary>Measure a second time with batch-norm statistics of the test images, of so many at once (see <see cref="TestTimeStatistics"/>); 0: don't.</summary>
    [Limits(0, 1_000_000)]
    public int TestTimeBatch { get; init; }

    /// <summary>Batches over which these are estimated, the newest one included.</summary>
    [Limits(1, 1_000_000)]
    public int TestTimeWindow { get; init; } = 1;

    /// <summary>Images that the training's statistics count for beside them: Schneider et al.'s N.</summary>
    [Limits(0, 1_000_000)]
    public int TestTimePrior { get; init; }

    /// <summary>A quick look, as settings that limit every measurement and switch none off; each <c>key=value</c>.</summary>
    public static IReadOnlyList<string> Quick { get; } =
    [
        "evaluation.images=1000", "evaluation.subnets=2", "evaluation.subnet-images=500", "evaluation.recalibration-images=256", "evaluation.search-updates=20",
        "evaluation.corruption-images=100", "evaluation.attack-images=50", "evaluation.curve-images=40", "evaluation.perturbation-images=50",
    ];

    /// <summary>The value of <see cref="Corruptions"/> and <see cref="Perturbations"/> that measures none.</summary>
    public const string None = "none";

    /// <summary>Common corruptions to measure under: <c>benchmark</c> (the 15), <c>all</c> (19), names with commas between, or <c>none</c>.</summary>
    public string Corruptions { get; init; } = "benchmark";

    /// <summary>Measure each corruption and severity on at most this many images; 0: all.</summary>
    [Limits(0, int.MaxValue)]
    public int CorruptionImages { get; init; } = 500;

    /// <summary>A folder of corrupted images (CIFAR-10-C or ImageNet-C layout) to measure on; empty: they are made from the test images.</summary>
    public string CorruptedImages { get; init; } = "";

    /// <summary>A folder of pictures of ice for frost; empty: generated ones.</summary>
    public string FrostTextures { get; init; } = "";

    /// <summary>Attacks to measure accuracy under, with commas between: fgsm, pgd, apgd-ce, autoattack ... or <c>none</c>.</summary>
    public string Attack { get; init; } = None;

    /// <summary>How the attacker's perturbation is measured.</summary>
    public Norm AttackNorm { get; init; } = Norm.Linf;

    /// <summary>The attacker's largest perturbation, in units of [0, 1]; to be named for L2 and L1.</summary>
    public string AttackEps { get; init; } = ObjectiveRecipe.LinfSize;

    /// <summary>Attack at most this many images; 0: all.</summary>
    [Limits(0, int.MaxValue)]
    public int AttackImages { get; init; } = 500;

    /// <summary>Attack at most this many images with PGD of growing size, for the page's curve and adversarial examples; 0: none.</summary>
    [Limits(0, int.MaxValue)]
    public int CurveImages { get; init; } = 160;

    /// <summary>Perturbation sequences to measure stability on: <c>benchmark</c> (the 10), <c>all</c>, names with commas between, or <c>none</c>.</summary>
    public string Perturbations { get; init; } = None;

    /// <summary>Make sequences of at most this many images; 0: all.</summary>
    [Limits(0, int.MaxValue)]
    public int PerturbationImages { get; init; } = 500;

    /// <summary>A folder of sequences (CIFAR-10-P's arrays or ImageNet-P's videos) to measure on; empty: they are made from the test images.</summary>
    public string PerturbedImages { get; init; } = "";
}
