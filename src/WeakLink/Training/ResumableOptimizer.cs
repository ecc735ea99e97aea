using TorchSharp;
using TorchSharp.Modules;

namespace WeakLink.Training;

/// <summary>
/// Moves the weights of a network, and keeps beside each what it needs for that: a checkpoint saves it and puts it back. Its steps keep their scalars alive (see <see cref="KeptScalars"/>).
/// </summary>
public abstract class ResumableOptimizer : OptimizerHelper
{
    private readonly Dictionary<nint, Dictionary<string, torch.Tensor>> _states = [];

    /// <summary>Takes what it moves.</summary>
    /// <param name="groups">Each group moves by its own factors of rate and decay.</param>
    /// <param name="learningRate">Length of a step; a group's <c>LearningRate</c> changes it later, before its factor.</param>
    /// <param name="weightDecay">The weight decay, before a group's factor.</param>
    protected ResumableOptimizer(IEnumerable<ParameterGroup> groups, double learningRate, double weightDecay) =>
        _parameter_groups = [.. groups.Select(group => new Group(group, learningRate, group.Decay * weightDecay))];

    /// <inheritdoc/>
    public override torch.Tensor step(Func<torch.Tensor>? closure = null) => _step<Group>(
        group =>
        {
            foreach (var parameter in group.Parameters)
            {
                using var scope = torch.NewDisposeScope();
                if (parameter.grad is { } gradient)
                {
                    Move(parameter, gradient, group.LearningRate * group.Rate, group.Decay, Of(parameter));
                }
            }
        },
        closure);

    /// <summary>What is kept of a parameter, by its name; the tensors are live, not copies. Empty before its first step.</summary>
    public IReadOnlyDictionary<string, torch.Tensor> StateOf(Parameter parameter) => Of(parameter);

    /// <summary>Lets a parameter move on as <see cref="StateOf"/> had it, of which copies are taken.</summary>
    /// <param name="parameter">The parameter.</param>
    /// <param name="state">What was kept of it.</param>
    public void SetState(Parameter parameter, IReadOnlyDictionary<string, torch.Tensor> state)
    {
        var own = Of(parameter);
        foreach (var tensor in own.Values)
        {
            tensor.Dispose();
        }

        own.Clear();
        foreach (var (name, tensor) in state)
        {
            own.Add(name, tensor.to(parameter.device, copy: true).DetachFromDisposeScope());
        }
    }

    /// <summary>Moves one parameter, without gradients.</summary>
    /// <param name="parameter">The parameter.</param>
    /// <param name="gradient">Its gradient.</param>
    /// <param name="rate">The rate of this step.</param>
    /// <param name="decay">The weight decay.</param>
    /// <param name="state">What is kept of it from step to step: tensors of its shape or of one number, detached from every scope.</param>
    protected abstract void Move(Parameter parameter, torch.Tensor gradient, double rate, double decay, IDictionary<string, torch.Tensor> state);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        foreach (var tensor in disposing ? _states.Values.SelectMany(state => state.Values) : [])
        {
            tensor.Dispose();
        }
    }

    private Dictionary<string, torch.Tensor> Of(Parameter parameter)
    {
        if (!_states.TryGetValue(parameter.Handle, out var state))
        {
            _states.Add(parameter.Handle, state = []);
        }

        return state;
    }

    private sealed class Group : ParamGroup
    {
        public Group(ParameterGroup group, double learningRate, double decay)
        {
            (Parameters, Options) = (group.Parameters, new OptimizerOptions { LearningRate = learningRate, InitialLearningRate = learningRate });
            (Rate, Decay) = (group.Rate, decay);
        }

        public double Rate { get; }

        public double Decay { get; }
    }
}
