using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using WeakLink.Data;
using WeakLink.Sources;

namespace WeakLink.Perturbations;

/// <summary>
/// A folder of videos, decoded by the program <c>ffmpeg</c>: ImageNet-P is published as H.264, for which no .NET library comes without a
/// native decoder of its own.
/// </summary>
internal sealed class VideoSequences : Dataset
{
    // ImageNet-P's take 5 MB; a hundred frames of high definition would still fit.
    private const long LargestVideo = 1L << 29;

    private readonly string _folder;
    private readonly string[] _videos;
    private readonly int _frameHeight;
    private readonly CancellationToken _stop;

    public VideoSequences(string folder, IReadOnlyList<string> classes, CancellationToken stop)
    {
        (_folder, Classes, _stop) = (folder, classes, stop);
        _videos = [.. FolderTree.Read(folder, stop: stop).Below().SelectMany(tree => tree.Others).Where(other => other.Kind == ".mp4").Select(other => other.Path).Order(StringComparer.Ordinal)];
        if (_videos.Length == 0)
        {
            throw new InputException($"'{folder}' holds no videos (*.mp4): ImageNet-P has them in a folder for each class.");
        }

        var first = Decode(_videos[0]);
        (Frames, _frameHeight, Width) = (first.Frames.Count, first.Height, first.Width);
        if (Frames < 2)
        {
            throw new InputException($"'{_videos[0]}' has {Frames} frames, a sequence needs at least 2: fetch it again.");
        }
    }

    public int Frames { get; }

    public override string Name => _folder;

    public override IReadOnlyList<string> Classes { get; }

    public override int Count => _videos.Length;

    public override int Height => Frames * _frameHeight;

    public override int Width { get; }

    public override int Label(int index) => 0;

    public override string Describe(int index) => _videos[index];

    public override void Read(int index, Span<byte> planes)
    {
        var video = Decode(_videos[index]);
        if ((video.Frames.Count, video.Height, video.Width) != (Frames, _frameHeight, Width))
        {
            throw new InputException($"'{_videos[index]}' has {video.Frames.Count} frames of {video.Width}x{video.Height} pixels, '{_videos[0]}' {Frames} of {Width}x{_frameHeight}: a folder's videos must be alike.");
        }

        for (var frame = 0; frame < Frames; frame++)
        {
            var pixels = video.Frames[frame];
            Interleaved.ToPlanes(pixels, planes.Slice(frame * pixels.Length, pixels.Length));
        }
    }

    private (List<byte[]> Frames, int Height, int Width) Decode(string path)
    {
        _stop.ThrowIfCancellationRequested();
        var start = new ProcessStartInfo("ffmpeg", ["-v", "error", "-nostdin", "-threads", "1", "-i", path, "-f", "image2pipe", "-vcodec", "ppm", "-"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Process ffmpeg;
        try
        {
            ffmpeg = Process.Start(start)!;
        }
        catch (Win32Exception exception)
        {
            throw new InputException($"'{path}' is a video, which the program ffmpeg decodes, and that can't be started ({exception.Message}): install it (Debian: apt install ffmpeg).", exception);
        }

        using (ffmpeg)
        {
            var complaint = ffmpeg.StandardError.ReadToEndAsync(_stop);
            var (frames, height, width) = (new List<byte[]>(), 0, 0);
            using (var pictures = new BufferedStream(ffmpeg.StandardOutput.BaseStream, 1 << 16))
            {
                while (ReadWord(pictures) is { Length: > 0 } kind)
                {
                    (width, height) = (ReadNumber(pictures), ReadNumber(pictures));
                    var most = ReadNumber(pictures);
                    if (kind != "P6" || most != byte.MaxValue || width < 1 || height < 1)
                    {
                        throw new InputException($"'{path}' does not decode to RGB frames of bytes: fetch it again.");
                    }

                    // What is promised; it takes memory only as it arrives.
                    var bytes = (long)Channels * height * width;
                    if (bytes > LargestVideo - frames.Sum(frame => (long)frame.Length))
                    {
                        throw new InputException($"'{path}' decodes to more than {LargestVideo:N0} bytes ({width}x{height} pixels a frame): cut it, or scale it down.");
                    }

                    frames.Add(ReadFrame(pictures, (int)bytes) ?? throw new InputException($"'{path}' ends in the middle of a frame: fetch it again."));
                }
            }

            ffmpeg.WaitForExit();
            return ffmpeg.ExitCode == 0 && frames.Count > 0
                ? (frames, height, width)
                : throw new InputException($"'{path}' can't be decoded ({complaint.Result.Trim().ReplaceLineEndings("; ")}): fetch it again.");
        }
    }

    // Null where it is not whole.
    private static byte[]? ReadFrame(Stream stream, int length)
    {
        const int AtOnce = 1 << 20;
        var pixels = new byte[Math.Min(length, AtOnce)];
        for (var filled = 0; ;)
        {
            filled += stream.ReadAtLeast(pixels.AsSpan(filled), pixels.Length - filled, throwOnEndOfStream: false);
            if (filled < pixels.Length || filled == length)
            {
                return filled == length ? pixels : null;
            }

            Array.Resize(ref pixels, (int)Math.Min(length, 2L * pixels.Length));
        }
    }

    private static int ReadNumber(Stream stream) => int.TryParse(ReadWord(stream), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    // Up to the next white space, which is read too.
    private static string ReadWord(Stream stream)
    {
        const int Longest = 16;
        var word = new StringBuilder();
        for (var next = stream.ReadByte(); next > ' ' && word.Length < Longest; next = stream.ReadByte())
        {
            word.Append((char)next);
        }

        return word.ToString();
    }
}
