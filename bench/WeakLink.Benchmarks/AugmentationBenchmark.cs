using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using WeakLink.Augmentations;
using WeakLink.Data;

namespace WeakLink.Benchmarks;

/// <summary>
/// Augmented images a second of processor time, against the same with Pillow: its process and ours take turns, so that both meet the
/// machine as it is. (Of processor time, because what else runs on a shared machine takes it away from both, but never equally.)
/// </summary>
internal static class AugmentationBenchmark
{
    private const int Rounds = 3;
    private const double Seconds = 0.2;
    private const int Images = 64;

    public static void Run()
    {
        foreach (var size in new[] { 32, 224 })
        {
            var images = Enumerable.Range(0, Images).Select(i => Picture(size, i)).ToList();
            var candidates = Candidates(size);
            var pillow = Pillow.Find();
            var theirs = new List<Dictionary<string, double>>();
            var ours = candidates.Select(_ => new List<double>()).ToList();
            for (var round = 0; round < Rounds; round++)
            {
                if (pillow is not null)
                {
                    theirs.Add(pillow.Rates(images, size, Seconds));
                }

                for (var i = 0; i < candidates.Count; i++)
                {
                    ours[i].Add(Rate(candidates[i].Work, images, size));
                }
            }

            Console.WriteLine($"| {size}x{size}, images a second of processor time | WeakLink | {pillow?.Name ?? "no Pillow found"} | ratio |");
            Console.WriteLine("|---|---|---|---|");
            for (var i = 0; i < candidates.Count; i++)
            {
                var name = candidates[i].Name;
                var rate = Median(ours[i]);
                var (other, ratio) = theirs.Count > 0 && theirs[0].ContainsKey(name)
                    ? (Rounded(Median(theirs.Select(rates => rates[name]))), Median(theirs.Select((rates, round) => ours[i][round] / rates[name])).ToString("0.0", CultureInfo.InvariantCulture))
                    : ("", "");
                Console.WriteLine($"| {name} | {Rounded(rate)} | {other} | {ratio} |");
            }

            Console.WriteLine();
        }
    }

    private static List<(string Name, Action<ImageBuffer, SeededRandom> Work)> Candidates(int size) =>
    [
        ("AugMix, CIFAR", new AugMix().Apply),
        ("AutoAugment, CIFAR-10", new AutoAugment(AutoAugmentPolicy.Cifar10).Apply),
        ("AutoAugment, ImageNet", new AutoAugment(AutoAugmentPolicy.ImageNet).Apply),
        ("RandAugment", new RandAugment().Apply),
        ("TrivialAugment", new TrivialAugment().Apply),
        ("Cutout", new Cutout(size / 2).Apply),
        ("random erasing, always", new RandomErasing(1).Apply),
        ("random crop", new RandomCrop(size, size, size / 8).Apply),
        ("random flip", new RandomFlip().Apply),
        ("random resized crop", new RandomResizedCrop(size, size).Apply),
        .. Enum.GetValues<Operator>().Where(kind => kind != Operator.Identity).Select(kind => Alone(kind, Resampling.Nearest)),
        .. new[] { Operator.Rotate, Operator.ShearX, Operator.ShearY, Operator.TranslateX, Operator.TranslateY }.Select(kind => Alone(kind, Resampling.Linear)),
    ];

    private static (string, Action<ImageBuffer, SeededRandom>) Alone(Operator kind, Resampling resampling)
    {
        var parameter = kind switch
        {
            Operator.Posterize => 4,
            Operator.Solarize => 128,
            Operator.Rotate => 13.5,
            Operator.ShearX or Operator.ShearY => 0.21,
            Operator.TranslateX or Operator.TranslateY => 3.3,
            _ => 1.6,
        };
        var name = resampling == Resampling.Linear ? $"{kind}, bilinear" : $"{kind}";
        return (name, (image, _) => new Operation(kind, parameter).Apply(image, resampling, AutoAugmentScale.Outside));
    }

    private static double Rate(Action<ImageBuffer, SeededRandom> work, List<byte[]> images, int size)
    {
        var buffer = new ImageBuffer();
        var (start, done) = (0.0, 0);
        // Half as long again before, for the compiler's second thoughts.
        foreach (var seconds in new[] { Seconds / 2, Seconds })
        {
            (start, done) = (ProcessorSeconds(), 0);
            for (; ProcessorSeconds() - start < seconds; done += images.Count)
            {
                for (var i = 0; i < images.Count; i++)
                {
                    buffer.Load(images[i], size, size);
                    work(buffer, new SeededRandom(0, RandomUse.Augmentation, 0, done + i));
                }
            }
        }

        return done / (ProcessorSeconds() - start);
    }

    private static double ProcessorSeconds() => Environment.CpuUsage.TotalTime.TotalSeconds;

    // Smooth with some noise, as photographs are.
    private static byte[] Picture(int size, int index)
    {
        var random = new SeededRandom(0, RandomUse.Shapes, 0, index);
        var planes = new byte[Dataset.Channels * size * size];
        for (var channel = 0; channel < Dataset.Channels; channel++)
        {
            var (fx, fy, phase) = (random.NextDouble(2, 9) / size, random.NextDouble(2, 9) / size, random.NextDouble(0, 6));
            for (var pixel = 0; pixel < size * size; pixel++)
            {
                var level = 125 + (70 * Math.Sin((fx * (pixel % size)) + (fy * (pixel / size)) + phase)) + (10 * random.NextNormal());
                planes[(channel * size * size) + pixel] = (byte)Math.Clamp(level, 0, 255);
            }
        }

        return planes;
    }

    private static double Median(IEnumerable<double> values) => values.Order().ElementAt(Rounds / 2);

    private static string Rounded(double rate) => rate.ToString("#,0", CultureInfo.InvariantCulture);

    /// <summary>A Python with Pillow and NumPy.</summary>
    private sealed record Pillow(string Python, string Name)
    {
        // Written for this comparison after the papers; images come on standard input, rates go to standard output as JSON.
        private const string Script = """
            import json, random, sys, time
            import numpy as np
            from PIL import Image, ImageEnhance, ImageOps

            size, count, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
            planes = np.frombuffer(sys.stdin.buffer.read(), np.uint8).reshape(count, 3, size, size)
            images = [Image.fromarray(np.ascontiguousarray(p.transpose(1, 2, 0))) for p in planes]
            GREY = (128, 128, 128)

            def affine(image, map, filter, outside):
                return image.transform(image.size, Image.AFFINE, map, filter, fillcolor=outside)

            OPERATORS = {
                'AutoContrast': lambda i, v, f, o: ImageOps.autocontrast(i),
                'Equalize': lambda i, v, f, o: ImageOps.equalize(i),
                'Invert': lambda i, v, f, o: ImageOps.invert(i),
                'Posterize': lambda i, v, f, o: ImageOps.posterize(i, int(v)),
                'Solarize': lambda i, v, f, o: ImageOps.solarize(i, v),
                'Rotate': lambda i, v, f, o: i.rotate(v, f, fillcolor=o),
                'ShearX': lambda i, v, f, o: affine(i, (1, v, 0, 0, 1, 0), f, o),
                'ShearY': lambda i, v, f, o: affine(i, (1, 0, 0, v, 1, 0), f, o),
                'TranslateX': lambda i, v, f, o: affine(i, (1, 0, v, 0, 1, 0), f, o),
                'TranslateY': lambda i, v, f, o: affine(i, (1, 0, 0, 0, 1, v), f, o),
                'Color': lambda i, v, f, o: ImageEnhance.Color(i).enhance(v),
                'Contrast': lambda i, v, f, o: ImageEnhance.Contrast(i).enhance(v),
                'Brightness': lambda i, v, f, o: ImageEnhance.Brightness(i).enhance(v),
                'Sharpness': lambda i, v, f, o: ImageEnhance.Sharpness(i).enhance(v),
            }
            FIXED = {'Posterize': 4, 'Solarize': 128, 'Rotate': 13.5, 'ShearX': 0.21, 'ShearY': 0.21, 'TranslateX': 3.3, 'TranslateY': 3.3}
            MOVING = ['Rotate', 'ShearX', 'ShearY', 'TranslateX', 'TranslateY']

            def sign(value):
                return value if random.random() < 0.5 else -value

            def augmix_value(kind):
                share = random.uniform(0.1, 3) / 10
                if kind == 'Posterize': return 4 - int(4 * share)
                if kind == 'Rotate': return sign(int(30 * share))
                if kind == 'Solarize': return 256 - int(256 * share)
                if kind in ('ShearX', 'ShearY'): return sign(0.3 * share)
                if kind in ('TranslateX', 'TranslateY'): return sign(int(size / 3 * share))

            APART = ['AutoContrast', 'Equalize', 'Posterize', 'Rotate', 'Solarize', 'ShearX', 'ShearY', 'TranslateX', 'TranslateY']

            def augmix(image):
                weights, mixed = np.random.dirichlet([1.0] * 3), random.betavariate(1, 1)
                total = (1 - mixed) * np.asarray(image, np.float32)
                for weight in weights:
                    chain = image
                    for _ in range(random.randint(1, 3)):
                        kind = random.choice(APART)
                        chain = OPERATORS[kind](chain, augmix_value(kind), Image.BILINEAR, None)
                    total += np.float32(mixed * weight) * np.asarray(chain, np.float32)
                return (total + 0.5).astype(np.uint8)

            def strength(kind, share):
                if kind in ('ShearX', 'ShearY'): return sign(0.3 * share)
                if kind in ('TranslateX', 'TranslateY'): return sign(150 / 331 * size * share)
                if kind == 'Rotate': return sign(30 * share)
                if kind == 'Posterize': return round(8 - 4 * share)
                if kind == 'Solarize': return 256 * (1 - share)
                return 1 + sign(0.9 * share)

            def autoaugment(policies):
                def work(image):
                    for kind, probability, level in random.choice(policies):
                        if random.random() < probability:
                            image = OPERATORS[kind](image, strength(kind, level / 9), Image.NEAREST, GREY)
                    return np.asarray(image)
                return work

            def alone(kind, filter):
                return lambda image: np.asarray(OPERATORS[kind](image, FIXED.get(kind, 1.6), filter, GREY))

            work = {'AugMix, CIFAR': augmix}
            for name, policies in json.loads(sys.argv[4]).items():
                work[name] = autoaugment(policies)
            for kind in OPERATORS:
                work[kind] = alone(kind, Image.NEAREST)
            for kind in MOVING:
                work[kind + ', bilinear'] = alone(kind, Image.BILINEAR)

            rates = {}
            for name, apply in work.items():
                start, done = time.process_time(), 0
                while time.process_time() - start < seconds:
                    apply(images[done % count])
                    done += 1
                rates[name] = done / (time.process_time() - start)
            print(json.dumps(rates))
            """;

        public static Pillow? Find()
        {
            foreach (var python in new[] { "python3", "/usr/bin/python3" })
            {
                if (Output(python, ["-c", "import numpy, PIL; print(PIL.__version__)"], null) is { Length: > 0 } version)
                {
                    return new Pillow(python, $"Pillow {version.Trim()}");
                }
            }

            return null;
        }

        public Dictionary<string, double> Rates(List<byte[]> images, int size, double seconds)
        {
            var policies = new Dictionary<string, object>
            {
                ["AutoAugment, CIFAR-10"] = Pairs(AutoAugmentPolicy.Cifar10),
                ["AutoAugment, ImageNet"] = Pairs(AutoAugmentPolicy.ImageNet),
            };
            string[] arguments =
            [
                "-c", Script, $"{size}", $"{images.Count}", seconds.ToString(CultureInfo.InvariantCulture), JsonSerializer.Serialize(policies),
            ];
            return JsonSerializer.Deserialize<Dictionary<string, double>>(Output(Python, arguments, images)!)!;
        }

        private static object[][][] Pairs(AutoAugmentPolicy policy) =>
        [
            .. SubPolicy.Of(policy).Select(pair => new object[][]
            {
                [pair.First.ToString(), pair.FirstProbability, pair.FirstLevel],
                [pair.Second.ToString(), pair.SecondProbability, pair.SecondLevel],
            }),
        ];

        private static string? Output(string python, IReadOnlyList<string> arguments, List<byte[]>? input)
        {
            var start = new ProcessStartInfo(python, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = input is null };
            try
            {
                using var process = Process.Start(start)!;
                foreach (var image in input ?? [])
                {
                    process.StandardInput.BaseStream.Write(image);
                }

                process.StandardInput.Close();
                var output = process.StandardOutput.ReadToEnd();
                process.WaitForExit();
                return process.ExitCode == 0 ? output : null;
            }
            catch (System.ComponentModel.Win32Exception)
            {
                return null;
            }
        }
    }
}
