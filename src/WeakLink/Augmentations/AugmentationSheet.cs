using TorchSharp;
using WeakLink.Data;

namespace WeakLink.Augmentations;

/// <summary>A picture of what training sees, for people to look at: a row for each image, as it is and then what becomes of it in one epoch after another.</summary>
public static class AugmentationSheet
{
    /// <summary>Draws the sheet into a PNG file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="images">The images.</param>
    /// <param name="views">What becomes of them.</param>
    /// <param name="mixings">How they are mixed with one another.</param>
    /// <param name="epochs">Epochs shown; an epoch with several views of an image takes as many columns.</param>
    /// <param name="seed">Seed of the draws.</param>
    /// <exception cref="InputException">The images are smaller than the crop.</exception>
    public static void Write(string path, Dataset images, IViews views, IReadOnlyList<BatchMixing> mixings, int epochs, long seed)
    {
        var sheet = Draw(images, views, mixings, epochs, seed);
        AtomicFile.Write(path, stream => stream.Write(sheet));
    }

    /// <summary>Draws the sheet.</summary>
    /// <param name="images">The images.</param>
    /// <param name="views">What becomes of them.</param>
    /// <param name="mixings">How they are mixed with one another.</param>
    /// <param name="epochs">Epochs shown; an epoch with several views of an image takes as many columns.</param>
    /// <param name="seed">Seed of the draws.</param>
    /// <returns>A PNG file.</returns>
    /// <exception cref="InputException">The images are smaller than the crop, or too large to be mixed.</exception>
    public static byte[] Draw(Dataset images, IViews views, IReadOnlyList<BatchMixing> mixings, int epochs, long seed)
    {
        var rows = Enumerable.Range(0, images.Count).Select(index => new List<Picture> { Picture.Of(images, index).Within(PictureTable.LargestCell) }).ToList();
        var bytes = Dataset.Channels * views.Height * views.Width;
        // What is mixed with one another at once, in order, as training would mix this batch; else each by itself.
        var together = mixings.Count > 0 ? images.Count : 1;
        if ((long)views.Count * together * bytes > Array.MaxLength)
        {
            throw new InputException($"{together} images of {views.Width}x{views.Height} pixels are too many to be mixed at once: give fewer, or set data.size to {PictureTable.LargestCell}.");
        }

        var batch = new byte[views.Count * together * bytes];
        for (var epoch = 0; epoch < epochs; epoch++)
        {
            foreach (var part in Enumerable.Range(0, images.Count).Chunk(together))
            {
                foreach (var (place, index) in part.Index())
                {
                    views.Make(Picture.Of(images, index).Planes, images.Height, images.Width, new ViewTargets(batch, place, together, bytes), new SeededRandom(seed, RandomUse.Augmentation, epoch, images.Identity(index)));
                }

                var mixed = Mix(batch, epoch);
                for (var view = 0; view < views.Count; view++)
                {
                    foreach (var (place, index) in part.Index())
                    {
                        rows[index].Add(new Picture(new ViewTargets(mixed, place, together, bytes)[view].ToArray(), views.Height, views.Width).Within(PictureTable.LargestCell));
                    }
                }
            }
        }

        return PictureTable.Draw([.. rows.Select((row, index) => ($"{string.Join('/', images.Describe(index).Split('/', '\\').TakeLast(2))}: as it is, then {(views.Count > 1 ? $"the {views.Count} views of" : "in")} {epochs} epochs", (IReadOnlyList<Picture>)row))]);

        byte[] Mix(byte[] batch, int epoch)
        {
            if (mixings.Count == 0)
            {
                return batch;
            }

            using var scope = torch.NewDisposeScope();
            var random = new SeededRandom(seed, RandomUse.Mixing, 0, epoch);
            var (mixed, _) = mixings[random.Next(mixings.Count)].Mix(
                Pixels.ToUnit(torch.tensor(batch, [views.Count * images.Count, Dataset.Channels, views.Height, views.Width], torch.uint8)),
                torch.zeros(images.Count, torch.int64),
                random);
            return mixed.mul(Kept(255)).round().to(torch.uint8).data<byte>().ToArray();
        }
    }
}
