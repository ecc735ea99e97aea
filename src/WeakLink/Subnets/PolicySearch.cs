using TorchSharp;
using TorchSharp.Modules;

namespace WeakLink.Subnets;

/// <summary>
/// Learns to propose weak subnets by REINFORCE (Williams 1992): reward −accuracy, a moving average of it as the baseline, an
/// entropy bonus (Guo et al. 2022, section 3).
/// </summary>
public sealed class PolicySearch : ISubnetSearch
{
    private const string PolicyPrefix = "policy.";
    private const string FirstMomentPrefix = "adam.first.";
    private const string SecondMomentPrefix = "adam.second.";
    private const string BaselineName = "baseline";
    private const string UpdatesName = "updates";

    private readonly EwsRecipe _settings;
    private readonly SubnetPolicy _policy;
    private readonly Adam _adam;

    // Of no meaning before the first update.
    private readonly torch.Tensor _baseline = torch.zeros(1, torch.float64).DetachFromDisposeScope();

    private readonly torch.Tensor _updates = torch.zeros(1, torch.int64).DetachFromDisposeScope();

    /// <summary>Creates an untrained policy.</summary>
    /// <param name="space">What to choose from.</param>
    /// <param name="settings">The subnets' width, and the settings of the policy.</param>
    /// <param name="seed">Decides the initial weights.</param>
    /// <exception cref="InputException">A setting is out of its limits.</exception>
    public PolicySearch(SubnetSpace space, EwsRecipe settings, long seed)
    {
        Keys.RequireLimits(settings, "ews.");
        _settings = settings;
        using var scope = torch.NewDisposeScope();
        using var generator = new torch.Generator(new SeededRandom(seed, RandomUse.Policy).NextBits() >> 1);
        _policy = new SubnetPolicy(space, settings.Width, settings.Hidden, generator);
        _adam = new PolicyAdam([.. _policy.parameters()], settings.PolicyLearningRate, settings.PolicyBeta1, settings.PolicyBeta2);
        foreach (var (parameter, moments) in _policy.parameters().Zip(Moments()))
        {
            parameter.DetachFromDisposeScope();
            moments.Moments.exp_avg.DetachFromDisposeScope();
            moments.Moments.exp_avg_sq.DetachFromDisposeScope();
        }
    }

    internal SubnetPolicy Policy => _policy;

    /// <inheritdoc/>
    public Subnet Propose(SearchContext context)
    {
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        return _policy.Run((_, scores, count) => PlackettLuce.Sample(scores, count, context.Random)).Subnet;
    }

    /// <inheritdoc/>
    public void Learn(long step, SeededRandom random, double accuracy)
    {
        if (step % _settings.PolicyEvery != 0)
        {
            return;
        }

        using var gradients = torch.enable_grad();
        using var scope = torch.NewDisposeScope();
        // The proposal's walk again, now with gradients: cheaper than to keep its graph at every step.
        var walk = _policy.Run((_, scores, count) => PlackettLuce.Sample(scores, count, random));
        if (!walk.LogLikelihood.requires_grad)
        {
            // So wide a subnet keeps everything: there is no choice to learn.
            return;
        }

        var reward = -accuracy;
        var baseline = _updates.ReadInt64() == 0 ? reward : _baseline.ReadDouble();
        _adam.zero_grad();
        Surrogate(walk, reward - baseline).backward();
        if (_settings.PolicyGradientClip > 0)
        {
            torch.nn.utils.clip_grad_norm_(_policy.parameters(), _settings.PolicyGradientClip);
        }

        _adam.step();
        // After the update: a baseline that knows this step's reward would bias the gradient.
        using var noGradients = torch.no_grad();
        _updates.add_(Kept(1), Kept(1));
        _baseline.fill_(Kept((_settings.BaselineDecay * baseline) + ((1 - _settings.BaselineDecay) * reward)));
    }

    /// <summary>A scalar whose gradient is, in expectation, that of −(expected reward) − bonus · entropy of the choices.</summary>
    internal torch.Tensor Surrogate(SubnetPolicy.Walk walk, double advantage) =>
        (walk.LogLikelihood * Kept(-advantage)) - (walk.Entropy * Kept(_settings.EntropyBonus));

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, torch.Tensor> State()
    {
        var state = new Dictionary<string, torch.Tensor> { [BaselineName] = _baseline, [UpdatesName] = _updates };
        foreach (var (name, tensor) in _policy.state_dict())
        {
            state.Add(PolicyPrefix + name, tensor);
        }

        foreach (var (name, moments) in Moments())
        {
            state.Add(FirstMomentPrefix + name, moments.exp_avg);
            state.Add(SecondMomentPrefix + name, moments.exp_avg_sq);
        }

        return state;
    }

    /// <inheritdoc/>
    public void Load(IReadOnlyDictionary<string, torch.Tensor> state)
    {
        if (state.Keys.Except(State().Keys).FirstOrDefault() is { } stranger)
        {
            throw new InputException($"The checkpoint's search state does not fit: '{stranger}' is not part of this search. Resume with the recipe that the run was started with.");
        }

        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        _baseline.copy_(Find(state, BaselineName, _baseline.shape));
        foreach (var (name, tensor) in _policy.state_dict())
        {
            tensor.copy_(Find(state, PolicyPrefix + name, tensor.shape));
        }

        _updates.copy_(Find(state, UpdatesName, _updates.shape));
        foreach (var (name, moments) in Moments())
        {
            moments.step = _updates.item<long>();
            moments.exp_avg.copy_(Find(state, FirstMomentPrefix + name, moments.exp_avg.shape));
            moments.exp_avg_sq.copy_(Find(state, SecondMomentPrefix + name, moments.exp_avg_sq.shape));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _adam.Dispose();
        _policy.Dispose();
        _baseline.Dispose();
        _updates.Dispose();
    }

    private IEnumerable<(string Name, Adam.State Moments)> Moments() =>
        _policy.named_parameters().Zip(_adam.state_dict().State, (parameter, moments) => (parameter.name, (Adam.State)moments));

    private static torch.Tensor Find(IReadOnlyDictionary<string, torch.Tensor> state, string name, long[] shape) =>
        state.TryGetValue(name, out var tensor) && tensor.shape.SequenceEqual(shape)
            ? tensor
            : throw new InputException($"The checkpoint's search state does not fit: '{name}' is {(tensor is null ? "missing" : $"{string.Join('x', tensor.shape)} instead of {string.Join('x', shape)}")}. Resume with the recipe that the run was started with.");
}
