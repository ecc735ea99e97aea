using System.Diagnostics;
using WeakLink.Files;
using WeakLink.Imaging;
using WeakLink.Perturbations;
using WeakLink.Tests.Corruptions;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Perturbations;

public sealed class PerturbationFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Perturbation _rotate = CommonPerturbations.Named("rotate")[0];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Array_IsRead()
    {
        // Two sequences of 3 frames of 4x5 pixels, counting up.
        var pixels = Enumerable.Range(0, 2 * 3 * 4 * 5 * 3).Select(i => (byte)i).ToArray();
        Write("rotate.npy", "|u1", [2, 3, 4, 5, 3], pixels);
        using var folder = new PerturbationFolder(_folder.Path, ["a"]);
        var (sequences, frames) = folder.Sequences(_rotate);
        Assert.Equal((3, 2, 12, 5), (frames, sequences.Count, sequences.Height, sequences.Width));
        var planes = new byte[sequences.BytesPerImage];
        sequences.Read(1, planes);
        for (var i = 0; i < planes.Length; i++)
        {
            var (frame, channel, pixel) = (i / 60, i / 20 % 3, i % 20);
            Assert.Equal(pixels[(3 * 60) + (frame * 60) + (pixel * 3) + channel], planes[i]);
        }
    }

    [Fact]
    public void WrongArrays_AreNamed()
    {
        Write("rotate.npy", "|u1", [2, 1, 4, 5, 3], new byte[2 * 60]);
        Write("tilt.npy", "<f4", [1, 2, 1, 1, 3], new byte[24]);
        using var folder = new PerturbationFolder(_folder.Path, ["a"]);
        Assert.Contains("expected bytes", Assert.Throws<InputException>(() => folder.Sequences(_rotate)).Message, StringComparison.Ordinal);
        Assert.Contains("expected bytes", Assert.Throws<InputException>(() => folder.Sequences(CommonPerturbations.Named("tilt")[0])).Message, StringComparison.Ordinal);
        Assert.Contains("neither scale.npy", Assert.Throws<InputException>(() => folder.Sequences(CommonPerturbations.Named("scale")[0])).Message, StringComparison.Ordinal);
        Assert.Throws<InputException>(() => new PerturbationFolder(Path.Combine(_folder.Path, "absent"), ["a"]));
    }

    [Fact]
    public void Videos_AreDecoded()
    {
        var ffmpeg = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, "ffmpeg")));
        Assert.SkipUnless(ffmpeg, "the program ffmpeg is not installed");
        var image = CorruptionTests.Image(32, 48);
        var view = new CentreCrop(32, 48);
        var frames = new byte[31 * view.Bytes];
        _rotate.Apply(new WeakLink.Imaging.ImageView(image, 32, 48), view, WeakLink.Corruptions.SeverityTable.Cifar, new SeededRandom(0, RandomUse.Perturbation), frames);
        var ppm = Path.Combine(_folder.Path, "frames.ppm");
        using (var stream = File.Create(ppm))
        {
            for (var frame = 0; frame < 31; frame++)
            {
                stream.Write("P6\n48 32\n255\n"u8);
                var planes = frames.AsSpan(frame * view.Bytes, view.Bytes);
                for (var i = 0; i < 32 * 48; i++)
                {
                    stream.Write([planes[i], planes[(32 * 48) + i], planes[(2 * 32 * 48) + i]]);
                }
            }
        }

        var video = Path.Combine(Directory.CreateDirectory(Path.Combine(_folder.Path, "rotate", "n01440764")).FullName, "one.mp4");
        // Without loss, so that what is read can be compared to the bit.
        using (var process = Process.Start("ffmpeg", ["-v", "error", "-f", "image2pipe", "-vcodec", "ppm", "-framerate", "1", "-i", ppm, "-vcodec", "libx264rgb", "-crf", "0", video]))
        {
            process.WaitForExit();
            Assert.Equal(0, process.ExitCode);
        }

        using var folder = new PerturbationFolder(_folder.Path, ["a"]);
        var (sequences, count) = folder.Sequences(_rotate, TestContext.Current.CancellationToken);
        Assert.Equal((31, 1), (count, sequences.Count));
        var read = new byte[sequences.BytesPerImage];
        sequences.Read(0, read);
        Assert.Equal(frames, read);

        File.WriteAllBytes(video, [1, 2, 3]);
        Assert.Contains("can't be decoded", Assert.Throws<InputException>(() => folder.Sequences(_rotate)).Message, StringComparison.Ordinal);
    }

    private void Write(string name, string type, long[] shape, byte[] bytes) =>
        File.WriteAllBytes(Path.Combine(_folder.Path, name), [.. NumpyFile.Header(type, shape), .. bytes]);
}
