using TorchSharp;
using TorchSharp.Modules;

namespace WeakLink.Subnets;

/// <summary>
/// The controller π_θ: an LSTM cell that walks the choices from input to output, in a residual network the paths of a block, then its inner channels. It
/// scores the items of each, keeps some (drawn without replacement) and reads the mean embedding of what it kept before the next choice (Guo et al. 2022,
/// section 3; the walk is that of ENAS, Pham et al. 2018). A choice that keeps everything is none, and takes no step.
/// </summary>
internal sealed class SubnetPolicy : torch.nn.Module
{
    // Small first scores: the untrained policy is close to uniform.
    private const double InitialScale = 0.1;

    private readonly int _hidden;
    private readonly List<Step> _steps = [];
    private readonly Parameter _start;
    private readonly Parameter _inputWeight;
    private readonly Parameter _hiddenWeight;
    private readonly Parameter _bias;

    public SubnetPolicy(SubnetSpace space, double width, int hidden, torch.Generator generator)
        : base(nameof(SubnetPolicy))
    {
        _hidden = hidden;
        _start = Add("start", [1, hidden]);
        _inputWeight = Add("input_weight", [4 * hidden, hidden]);
        _hiddenWeight = Add("hidden_weight", [4 * hidden, hidden]);
        _bias = Add("bias", [4 * hidden]);
        foreach (var (name, choice) in Names(space).Zip(space.Choices))
        {
            var (items, kept) = (choice.Items, choice.Kept(width));
            _steps.Add(kept == items
                ? new Step(items, kept, null, null)
                : new Step(items, kept, Add($"scores_{name}", [items, hidden]), Add($"embeddings_{name}", [items, hidden])));
        }

        Parameter Add(string name, long[] shape)
        {
            var parameter = new Parameter(torch.rand(shape, generator: generator).sub_(Kept(0.5)).mul_(Kept(2 * InitialScale)));
            register_parameter(name, parameter);
            return parameter;
        }
    }

    private sealed record Step(int Items, int Kept, Parameter? Scores, Parameter? Embeddings);

    // As checkpoints have always called them: 3_channels is the choice "channels" of the fourth part of the network that has any, whatever the network calls that.
    private static IEnumerable<string> Names(SubnetSpace space)
    {
        var parts = new List<string>();
        foreach (var name in space.Choices.Select(choice => choice.Name))
        {
            var dot = name.LastIndexOf('.');
            var part = name[..Math.Max(dot, 0)];
            if (!parts.Contains(part))
            {
                parts.Add(part);
            }

            yield return $"{parts.IndexOf(part)}_{name[(dot + 1)..]}";
        }
    }

    /// <summary>How the items of a choice are drawn from their scores.</summary>
    /// <param name="choice">Its place among the choices.</param>
    /// <param name="scores">Unnormalised log-probabilities.</param>
    /// <param name="count">How many.</param>
    public delegate long[] Draw(int choice, ReadOnlySpan<float> scores, int count);

    /// <summary>A drawn subnet.</summary>
    /// <param name="Subnet">The subnet.</param>
    /// <param name="LogLikelihood">Of drawing it in the order in which it was drawn: a scalar, differentiable in the policy.</param>
    /// <param name="Entropy">Sum of the entropies of the first draw of every choice, in nats: differentiable.</param>
    public sealed record Walk(Subnet Subnet, torch.Tensor LogLikelihood, torch.Tensor Entropy);

    /// <summary>Walks the choices.</summary>
    public Walk Run(Draw draw)
    {
        using var scope = torch.NewDisposeScope();
        var device = _start.device;
        var (hidden, cell) = (torch.zeros(1, _hidden, device: device), torch.zeros(1, _hidden, device: device));
        torch.Tensor input = _start;
        var likelihood = torch.zeros(1, device: device).sum();
        var entropy = torch.zeros(1, device: device).sum();
        var drawn = new long[_steps.Count][];
        for (var i = 0; i < _steps.Count; i++)
        {
            var (items, kept, scoreWeight, embeddings) = _steps[i];
            if (scoreWeight is null || embeddings is null)
            {
                drawn[i] = [.. Enumerable.Range(0, items)];
                continue;
            }

            (hidden, cell) = Lstm(input, hidden, cell);
            var scores = torch.nn.functional.linear(hidden, scoreWeight).view(items);
            drawn[i] = draw(i, scores.detach().cpu().data<float>().ToArray(), kept);
            likelihood = likelihood.Plus(PlackettLuce.LogLikelihood(scores, drawn[i]));
            var logProbabilities = torch.nn.functional.log_softmax(scores, 0);
            entropy = entropy - (logProbabilities.exp() * logProbabilities).sum();
            input = embeddings.index_select(0, torch.tensor(drawn[i], device: device)).mean([0], keepdim: true);
        }

        return new Walk(Subnet.Of(drawn), likelihood.MoveToOuterDisposeScope(), entropy.MoveToOuterDisposeScope());
    }

    // Hochreiter and Schmidhuber 1997, gates in PyTorch's order: input, forget, cell, output.
    private (torch.Tensor Hidden, torch.Tensor Cell) Lstm(torch.Tensor input, torch.Tensor hidden, torch.Tensor cell)
    {
        var gates = torch.nn.functional.linear(input, _inputWeight, _bias).Plus(torch.nn.functional.linear(hidden, _hiddenWeight)).chunk(4, 1);
        var next = (gates[1].sigmoid() * cell).Plus(gates[0].sigmoid() * gates[2].tanh());
        return (gates[3].sigmoid() * next.tanh(), next);
    }
}
