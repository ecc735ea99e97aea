namespace WeakLink.Subnets;

/// <summary>Enhancing weak subnets (Guo, Stutz and Schiele 2022): what is taught, and the policy that searches for it; the defaults are the authors'.</summary>
public sealed record EwsRecipe
{
    /// <summary>Who proposes the subnet to teach.</summary>
    public SearchKind Search { get; init; } = SearchKind.Policy;

    /// <summary>Subnet width ρ; in (0, 1].</summary>
    [Limits(0, 1, AboveLeast = true)]
    public double Width { get; init; } = 0.7;

    /// <summary>Distillation weight λ.</summary>
    [Limits(0, 1e6)]
    public double Weight { get; init; } = new Distillation().Weight;

    /// <summary>How the divergence is averaged.</summary>
    public DivergenceMean Kl { get; init; } = new Distillation().Mean;

    /// <summary>What the subnet sees while the full network teaches it what it said of its own view.</summary>
    public SubnetView View { get; init; } = SubnetView.Same;

    /// <summary>Part of a batch's images that the subnet is taught on, drawn anew in every step; in (0, 1].</summary>
    [Limits(0, 1, AboveLeast = true)]
    public double Fraction { get; init; } = 1;

    /// <summary>Steps from one that teaches a subnet to the next.</summary>
    [Limits(1, 1_000_000)]
    public int Every { get; init; } = 1;

    /// <summary>Part of the epochs before the first subnet is taught; in [0, 1).</summary>
    [Limits(0, 1, BelowMost = true)]
    public double Start { get; init; }

    /// <summary>Part of the epochs, from there on, in which λ rises from 0 to <see cref="Weight"/>; in [0, 1], with <see cref="Start"/> at most 1.</summary>
    [Limits(0, 1)]
    public double Warmup { get; init; }

    /// <summary>Whose answers a subnet is taught.</summary>
    public TeacherKind Teacher { get; init; } = TeacherKind.Network;

    /// <summary>Hidden units of the policy's LSTM cell.</summary>
    [Limits(1, 100_000)]
    public int Hidden { get; init; } = 100;

    /// <summary>Learning rate of the policy's Adam.</summary>
    [Limits(0, 1000, AboveLeast = true, BelowMost = true)]
    public double PolicyLearningRate { get; init; } = 3e-4;

    /// <summary>First moment decay of the policy's Adam.</summary>
    [Limits(0, 1, BelowMost = true)]
    public double PolicyBeta1 { get; init; } = 0.5;

    /// <summary>Second moment decay of the policy's Adam.</summary>
    [Limits(0, 1, BelowMost = true)]
    public double PolicyBeta2 { get; init; } = 0.999;

    /// <summary>Weight of the policy's entropy bonus.</summary>
    [Limits(0, 1e6)]
    public double EntropyBonus { get; init; } = 0.005;

    /// <summary>Decay of the reward's moving average; in [0, 1).</summary>
    [Limits(0, 1, BelowMost = true)]
    public double BaselineDecay { get; init; } = 0.99;

    /// <summary>Largest norm of the policy's gradient; 0: no clipping.</summary>
    [Limits(0, 1e6)]
    public double PolicyGradientClip { get; init; } = 3;

    /// <summary>Steps that teach a subnet between two policy updates.</summary>
    [Limits(1, 1_000_000)]
    public int PolicyEvery { get; init; } = 10;
}

/// <summary>Whose answers a subnet is taught.</summary>
public enum TeacherKind
{
    /// <summary>Those of the full network in this step (the paper): they cost nothing.</summary>
    Network,

    /// <summary>Those of the average of its weights that <c>training.average</c> keeps: one more forward pass.</summary>
    Average,
}

/// <summary>Who proposes the subnet to teach.</summary>
public enum SearchKind
{
    /// <summary>No subnet is taught: the objective alone.</summary>
    Off,

    /// <summary>Every subnet equally likely (the ablation).</summary>
    Random,

    /// <summary>The LSTM policy that learns to find weak subnets.</summary>
    Policy,

    /// <summary>Leaves out what the loss grows most without, to first order, by the gradients of the batch; it learns nothing.</summary>
    Saliency,
}
