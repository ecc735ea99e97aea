namespace WeakLink.Models;

/// <summary>A family of residual networks: what is particular to it is the plan.</summary>
internal abstract class ResidualFamily : NetworkFamily
{
    /// <inheritdoc/>
    public override ClassifierNetwork Create(NetworkSettings settings) => new ResidualNetwork(Plan(settings), settings);

    /// <inheritdoc/>
    public override long LeastParameters(NetworkSettings settings)
    {
        var plan = Plan(settings);
        return plan.LeastWeights + ((long)plan.Features * settings.Classes);
    }

    /// <inheritdoc/>
    public override int Reduction(string name)
    {
        var plan = Plan(new NetworkSettings { Name = name, Classes = 1, Mean = [], StandardDeviation = [] });
        // The first block of every stage but the first halves them.
        return plan.StemStride * (plan.StemPool ? 2 : 1) << (plan.Stages.Count - 1);
    }

    /// <summary>What the network of these settings is made of.</summary>
    protected abstract NetworkPlan Plan(NetworkSettings settings);
}
