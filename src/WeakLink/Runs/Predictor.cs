using TorchSharp;
using WeakLink.Data;
using WeakLink.Evaluation;
using WeakLink.Imaging;
using WeakLink.Models;
using WeakLink.Runtime;
using WeakLink.Sources;

namespace WeakLink.Runs;

/// <summary>
/// Classifies pictures with a trained network, as the command's predict does. All its methods may be called from any number of threads at the same time; libtorch
/// shares its own threads among them, so that many calls at once are no faster than some.
/// </summary>
public sealed class Predictor : IDisposable
{
    private readonly Func<torch.Tensor, torch.Tensor> _network;
    private readonly IDisposable _owned;
    private readonly CentreCrop _middle;

    /// <summary>Classifies with whatever computes logits, such as another runtime; <see cref="Load"/> does with WeakLink's checkpoints.</summary>
    /// <param name="classes">Class names, by class index.</param>
    /// <param name="preparation">What becomes of a picture before the network sees it.</param>
    /// <param name="batch">Pictures that the network sees at once.</param>
    /// <param name="network">Takes images in [0, 1], N×3×H×W in float32 on the processor, and gives logits, N×classes; called from several threads where this predictor is.</param>
    /// <param name="owned">Disposed with the predictor.</param>
    public Predictor(IReadOnlyList<string> classes, ImagePreparation preparation, int batch, Func<torch.Tensor, torch.Tensor> network, IDisposable owned)
    {
        (Classes, Preparation, Batch, _network, _owned) = (classes, preparation, batch, network, owned);
        _middle = new CentreCrop(Preparation.CropHeight, Preparation.CropWidth);
    }

    /// <summary>Class names, by class index.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>What becomes of a picture before the network sees it.</summary>
    public ImagePreparation Preparation { get; }

    /// <summary>Pictures that the network sees at once; more are taken in parts.</summary>
    public int Batch { get; }

    /// <summary>Loads a network. Nothing in the file is executed.</summary>
    /// <param name="model">A run folder (its best checkpoint) or a .safetensors file.</param>
    /// <param name="device">Where to put the network; null: a GPU where there is one, else the processor.</param>
    /// <exception cref="InputException">There is none, it is damaged, or libtorch can't be loaded.</exception>
    public static Predictor Load(string model, torch.Device? device = null)
    {
        NativeLibraries.Load();
        device ??= EnvironmentReport.TrainingDevice;
        var trained = TrainedModel.Load(model, device);
        try
        {
            var (preparation, settings) = (trained.Preparation, trained.Recipe.Evaluation);
            var format = settings.Exact ? null : MeasuredNetwork.Format(trained.Network, preparation.CropHeight, preparation.CropWidth, device, images: null);
            var network = MeasuredNetwork.Of(trained.Network, format, preparation.CropHeight, preparation.CropWidth);
            return new Predictor(trained.Classes, preparation, settings.Batch, images => network.Classify(images.to(device)), new Loaded(trained, network));
        }
        catch
        {
            trained.Dispose();
            throw;
        }
    }

    /// <summary>Decodes, scales and cuts an image file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InputException">It is no image, or the network takes images of another size and can't scale.</exception>
    public PreparedImage Prepare(string path) => Cut(path, ImageFile.DecodeTo(path, Preparation.Width, Preparation.Height, Preparation.Filter));

    /// <summary>The same of an image file's bytes.</summary>
    /// <param name="encoded">JPEG, PNG, BMP, WebP or GIF; read to its end, and not disposed.</param>
    /// <param name="name">What to call the picture, in messages and results.</param>
    /// <param name="limits">What is too large; null: <see cref="ImageLimits.Largest"/>.</param>
    /// <exception cref="InputException">It is no image, a larger one, or the network takes images of another size and can't scale.</exception>
    public PreparedImage Prepare(Stream encoded, string name, ImageLimits? limits = null) =>
        Cut(name, ImageFile.DecodeTo(encoded, name, Preparation.Width, Preparation.Height, limits ?? ImageLimits.Largest, Preparation.Filter));

    /// <summary>Cuts pixels that are there already.</summary>
    /// <param name="planes">Red, green and blue planes of <see cref="ImagePreparation.Height"/> × <see cref="ImagePreparation.Width"/> bytes, row by row.</param>
    /// <param name="name">What to call the picture.</param>
    /// <exception cref="ArgumentException">There are more or fewer bytes.</exception>
    public PreparedImage Prepare(byte[] planes, string name) => planes.Length == Dataset.Channels * Preparation.Height * Preparation.Width
        ? Cut(name, planes)
        : throw new ArgumentException($"{planes.Length} bytes are not three planes of {Preparation.Height}x{Preparation.Width}.", nameof(planes));

    /// <summary>Classifies an image file.</summary>
    /// <inheritdoc cref="Prepare(string)"/>
    public Classification Predict(string path) => Predict([Prepare(path)])[0];

    /// <summary>Classifies an image file's bytes.</summary>
    /// <inheritdoc cref="Prepare(Stream, string, ImageLimits)"/>
    public Classification Predict(Stream encoded, string name = "image", ImageLimits? limits = null) => Predict([Prepare(encoded, name, limits)])[0];

    /// <summary>Classifies prepared pictures, <see cref="Batch"/> of them at a time.</summary>
    /// <param name="images">What <c>Prepare</c> of this predictor gave.</param>
    /// <returns>One for each, in order.</returns>
    /// <exception cref="InputException">The network gives no finite numbers for one of them.</exception>
    public IReadOnlyList<Classification> Predict(IReadOnlyList<PreparedImage> images) => [.. images.Chunk(Batch).SelectMany(Classify)];

    /// <inheritdoc/>
    public void Dispose() => _owned.Dispose();

    private sealed record Loaded(TrainedModel Model, MeasuredNetwork Network) : IDisposable
    {
        public void Dispose()
        {
            Network.Dispose();
            Model.Dispose();
        }
    }

    private PreparedImage Cut(string name, byte[] planes) => new(name, new Picture(planes, Preparation.Height, Preparation.Width).Centre(_middle).Planes);

    private List<Classification> Classify(PreparedImage[] images)
    {
        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var bytes = new byte[images.Sum(image => image.Planes.Length)];
        for (var i = 0; i < images.Length; i++)
        {
            images[i].Planes.CopyTo(bytes, i * images[i].Planes.Length);
        }

        var batch = torch.tensor(bytes, [images.Length, Dataset.Channels, Preparation.CropHeight, Preparation.CropWidth], torch.uint8);
        var logits = _network(Pixels.ToUnit(batch));
        if (logits.dim() != 2 || logits.shape[0] != images.Length || logits.shape[1] != Classes.Count)
        {
            throw new InputException($"The model's answer for {images.Length} images has the shape {string.Join('x', logits.shape)}, but it names {Classes.Count} classes: it is damaged, or of other data; export it again.");
        }

        var probabilities = FiniteLogits.Require(logits, position => images[position].Name).softmax(1).cpu().data<float>().ToArray();
        return [.. images.Select((image, i) => new Classification(
            image.Name,
            [.. Classes.Select((name, label) => new ClassProbability(name, probabilities[(i * Classes.Count) + label])).OrderByDescending(one => one.Probability)]))];
    }
}

/// <summary>A picture as the network sees it.</summary>
public sealed class PreparedImage
{
    internal PreparedImage(string name, byte[] planes) => (Name, Planes) = (name, planes);

    /// <summary>What to call it.</summary>
    public string Name { get; }

    internal byte[] Planes { get; }
}

/// <summary>What a network makes of a picture.</summary>
/// <param name="Name">What the picture is called: its path, where it is a file.</param>
/// <param name="Probabilities">Every class, the likeliest first.</param>
public sealed record Classification(string Name, IReadOnlyList<ClassProbability> Probabilities)
{
    /// <summary>Name of the likeliest class.</summary>
    public string Class => Probabilities[0].Class;

    /// <summary>Its probability, in [0, 1].</summary>
    public double Confidence => Probabilities[0].Probability;
}

/// <summary>How likely a class is.</summary>
/// <param name="Class">Name of the class.</param>
/// <param name="Probability">In [0, 1].</param>
public readonly record struct ClassProbability(string Class, double Probability);
