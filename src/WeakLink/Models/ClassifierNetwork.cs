using TorchSharp;
using WeakLink.Processes;
using WeakLink.Subnets;

namespace WeakLink.Models;

/// <summary>
/// A network for classification: it takes images in [0, 1], normalises them as its first layer, and runs whole or as a subnet. Training, measuring, attacks, reports and
/// exports take any; make one of <see cref="Layer"/>s, and a <see cref="NetworkFamily"/> gives it a name.
/// </summary>
public abstract class ClassifierNetwork : torch.nn.Module<torch.Tensor, torch.Tensor>, ISubnetNetwork
{
    /// <summary>Name of the buffer that is subtracted from images.</summary>
    internal const string MeanName = "mean";

    /// <summary>Name of the buffer that they are divided by then.</summary>
    internal const string DeviationName = "standard_deviation";

    /// <summary>Registers the normalisation; a derived class registers its layers under the names that their parameters are to have.</summary>
    /// <param name="settings">What was asked for.</param>
    protected ClassifierNetwork(NetworkSettings settings)
        : base(settings.Name)
    {
        (Name, Classes) = (settings.Name, settings.Classes);
        register_buffer(MeanName, torch.tensor(settings.Mean.ToArray(), torch.float32).view(1, 3, 1, 1));
        register_buffer(DeviationName, torch.tensor(settings.StandardDeviation.ToArray(), torch.float32).view(1, 3, 1, 1));
    }

    /// <summary>Takes the name, the classes and the normalisation of another network.</summary>
    private protected ClassifierNetwork(ClassifierNetwork network)
        : base(network.Name)
    {
        (Name, Classes, Format) = (network.Name, network.Classes, network.Format);
        register_buffer(MeanName, network.get_buffer(MeanName)!.clone().DetachFromDisposeScope());
        register_buffer(DeviationName, network.get_buffer(DeviationName)!.clone().DetachFromDisposeScope());
    }

    /// <summary>The catalogue's name of the network, such as resnet18.</summary>
    public string Name { get; }

    /// <summary>Number of classes.</summary>
    public int Classes { get; }

    /// <inheritdoc/>
    public abstract SubnetSpace Space { get; }

    /// <summary>How the layers after the normalisation compute. float32 unless set: what attacks and exact measurements use.</summary>
    public ComputeFormat Format { get; set; } = ComputeFormat.Exact;

    /// <summary>The processes over whose images together batch norms take a training batch's statistics; null: over those of this one.</summary>
    public ProcessGroup? Synchronised { get; set; }

    /// <summary>Whether a tensor belongs to the layer that tells the classes apart, by its name in the state dictionary.</summary>
    internal bool IsClassifier(string name) => name.StartsWith(NetworkCatalogue.ClassifierOf(Name)[..^"weight".Length], StringComparison.Ordinal);

    /// <summary>Trainable numbers.</summary>
    public long ParameterCount => parameters().Sum(parameter => parameter.numel());

    /// <summary>Runs the full network.</summary>
    /// <param name="images">N×3×H×W in [0, 1], float32.</param>
    /// <returns>Logits, N×classes, float32.</returns>
    public override torch.Tensor forward(torch.Tensor images) => forward(images, null);

    /// <inheritdoc/>
    public torch.Tensor forward(torch.Tensor images, Subnet? subnet, SubnetStatistics? statistics = null) =>
        // Training mode without gradients only gathers batch statistics: the network is measured then, and does not learn.
        Normalised(images, Format, new ForwardPass { Space = Space, Subnet = subnet, Statistics = statistics, Dropout = training && torch.is_grad_enabled(), Synchronised = Synchronised });

    /// <inheritdoc/>
    public torch.Tensor Gated(torch.Tensor images, IReadOnlyList<torch.Tensor> gates) => Normalised(images, Format, new ForwardPass { Space = Space, Gates = gates, Synchronised = Synchronised });

    /// <summary>Runs the full network with batch-norm statistics of the images themselves; its own stay as they are.</summary>
    /// <param name="images">N×3×H×W in [0, 1], float32.</param>
    /// <param name="statistics">How they are estimated, and those of the batches before.</param>
    /// <returns>Logits, N×classes, float32.</returns>
    /// <exception cref="InputException">A layer has one value for each channel, which has no variance.</exception>
    public torch.Tensor Adapted(torch.Tensor images, TestTimeStatistics statistics) => Normalised(images, Format, new ForwardPass { Space = Space, TestTime = statistics });

    /// <summary>Multiply-adds of convolutions and classifier for one image: what a forward pass really computes.</summary>
    /// <param name="height">Height of the image in pixels.</param>
    /// <param name="width">Width of the image in pixels.</param>
    /// <param name="subnet">The subnet; null counts the full network.</param>
    public long MultiplyAdds(int height, int width, Subnet? subnet = null)
    {
        var count = new OperationCount();
        Measure(height, width, (black, pass) => Normalised(black, ComputeFormat.Exact, pass with { Subnet = subnet, Operations = count }));
        return count.MultiplyAdds;
    }

    /// <summary>What a forward pass of the network, or of a subnet, computes on one image: in evaluation mode, in float32.</summary>
    /// <param name="height">Height of the image in pixels.</param>
    /// <param name="width">Width of the image in pixels.</param>
    /// <param name="subnet">The subnet; null traces the full network.</param>
    /// <param name="statistics">The subnet's batch-norm statistics; null: the full network's running averages.</param>
    /// <param name="fill">Whether a subnet's kept channels are filled up, as when it runs.</param>
    /// <exception cref="InputException">The network computes something that is not traced.</exception>
    internal ForwardTrace Trace(int height, int width, Subnet? subnet = null, SubnetStatistics? statistics = null, bool fill = false)
    {
        var trace = new ForwardTrace(fill);
        try
        {
            Measure(height, width, (black, pass) =>
                trace.IsFinite = Normalised(black, ComputeFormat.Exact, pass with { Subnet = subnet, Statistics = statistics, Trace = trace }).isfinite().all().ReadBoolean());
            trace.Name(this);
            return trace;
        }
        catch
        {
            trace.Dispose();
            throw;
        }
    }

    /// <summary>Runs the network on normalised images.</summary>
    /// <param name="images">N×3×H×W, normalised, in the number format and layout that the network computes in; must stay as it is.</param>
    /// <param name="pass">What to keep, and what to write down.</param>
    /// <returns>Logits, N×classes, float32.</returns>
    protected internal abstract torch.Tensor Run(torch.Tensor images, ForwardPass pass);

    /// <summary>See <see cref="Layer"/>.</summary>
    protected override void RegisterComponents()
    {
    }

    private torch.Tensor Normalised(torch.Tensor images, ComputeFormat format, ForwardPass pass)
    {
        if (images.dim() != 4 || images.shape[1] != 3)
        {
            throw new ArgumentException($"Images must be N×3×H×W, not {string.Join('×', images.shape)}.", nameof(images));
        }

        if (!images.is_floating_point())
        {
            throw new ArgumentException($"Images must be numbers in [0, 1], not {images.dtype}: Pixels.ToUnit makes them of bytes.", nameof(images));
        }

        pass.Subnet?.RequireOf(Space);
        using var scope = torch.NewDisposeScope();
        var logits = Run(Normal(images, format, pass), pass);
        pass.Trace?.End(logits);
        return logits.MoveToOuterDisposeScope();
    }

    // In a scope of its own: what lies between is not kept until the logits are there.
    private torch.Tensor Normal(torch.Tensor images, ComputeFormat format, ForwardPass pass)
    {
        using var scope = torch.NewDisposeScope();
        var (mean, deviation) = (get_buffer(MeanName)!, get_buffer(DeviationName)!);
        var centred = images.to(torch.float32) - mean;
        var normal = centred / deviation;
        // Not before: bfloat16 would round images in [0, 1] by up to half a grey level.
        var stored = format.Apply(normal);
        if (pass.Trace is { } trace)
        {
            trace.Begin(images);
            trace.Add("Sub", centred, [images], null, [(MeanName, mean)], []);
            trace.Add("Div", normal, [centred], null, [(DeviationName, deviation)], []);
            trace.Alias(stored, normal);
        }

        return stored.MoveToOuterDisposeScope();
    }

    // On a black image, in evaluation mode.
    private void Measure(int height, int width, Action<torch.Tensor, ForwardPass> run)
    {
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var wasTraining = training;
        eval();
        try
        {
            run(torch.zeros([1, 3, height, width], device: get_buffer(MeanName)!.device), new ForwardPass { Space = Space });
        }
        finally
        {
            train(wasTraining);
        }
    }
}
