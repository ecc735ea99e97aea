using WeakLink.Data;
using WeakLink.Files;
using WeakLink.Sources;

namespace WeakLink.Perturbations;

/// <summary>
/// Perturbation sequences on disk: one array for each perturbation as in CIFAR-10-P (<c>rotate.npy</c>, N×frames×H×W×3 bytes), or
/// videos as in ImageNet-P (<c>rotate/class/image.mp4</c>). Stability needs no labels, so there are none.
/// </summary>
public sealed class PerturbationFolder : IDisposable
{
    private readonly string _folder;
    private readonly IReadOnlyList<string> _classes;
    private readonly List<NumpyFile> _arrays = [];

    /// <summary>Opens a folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="classes">The classes that the network knows.</param>
    /// <exception cref="InputException">It does not exist.</exception>
    public PerturbationFolder(string folder, IReadOnlyList<string> classes)
    {
        if (!Directory.Exists(folder))
        {
            throw new InputException($"The folder of perturbation sequences '{folder}' does not exist: check the path.");
        }

        (_folder, _classes) = (folder, classes);
    }

    /// <summary>The sequences of a perturbation, as in <see cref="PerturbedDataset"/>, and how many frames each has.</summary>
    /// <exception cref="InputException">They are missing or of a wrong shape or type.</exception>
    public (Dataset Sequences, int Frames) Sequences(Perturbation perturbation, CancellationToken stop = default)
    {
        var path = Path.Combine(_folder, perturbation.Name);
        if (Directory.Exists(path))
        {
            var videos = new VideoSequences(path, _classes, stop);
            return (videos, videos.Frames);
        }

        if (!File.Exists(path + ".npy"))
        {
            throw new InputException($"'{_folder}' has neither {perturbation.Name}.npy (as CIFAR-10-P) nor a folder {perturbation.Name} of videos (as ImageNet-P): name the perturbations it has in evaluation.perturbations.");
        }

        var array = NumpyFile.Open(path + ".npy");
        _arrays.Add(array);
        return array.Type == "|u1" && array.Shape is [> 0, > 1, > 0, > 0, 3]
            ? (new ArraySequences(array, perturbation.Name, _classes), (int)array.Shape[1])
            : throw new InputException($"'{array.Path}' is an array of type {array.Type} and shape {string.Join('x', array.Shape)}, expected bytes (|u1) of shape Nx31x32x32x3: save the sequences as uint8, channels last.");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var array in _arrays)
        {
            array.Dispose();
        }
    }

    private sealed class ArraySequences(NumpyFile array, string name, IReadOnlyList<string> classes) : Dataset
    {
        public override string Name => name;

        public override IReadOnlyList<string> Classes => classes;

        public override int Count => (int)array.Shape[0];

        public override int Height => (int)(array.Shape[1] * array.Shape[2]);

        public override int Width => (int)array.Shape[3];

        public override int Label(int index) => 0;

        public override void Read(int index, Span<byte> planes)
        {
            var pixels = new byte[BytesPerImage];
            array.Read((long)index * BytesPerImage, pixels);
            var area = (int)(array.Shape[2] * array.Shape[3]);
            for (var frame = 0; frame < array.Shape[1]; frame++)
            {
                Interleaved.ToPlanes(pixels.AsSpan(frame * Channels * area, Channels * area), planes.Slice(frame * Channels * area, Channels * area));
            }
        }
    }
}
