using WeakLink.Data;
using WeakLink.Imaging;

namespace WeakLink.Tests.Data;

public class CropAndFlipTests
{
    [Fact]
    public void RandomCrops_AreAllPositionsOfThePaddedImage_MirroredHalfOfTheTime()
    {
        const int Size = 4;
        const int Padding = 1;
        var source = Enumerable.Range(1, 3 * Size * Size).Select(i => (byte)i).ToArray();
        var crop = new CropAndFlip(Size, Size, Padding, true);
        var seen = new Dictionary<string, int>();
        for (var i = 0; i < 3600; i++)
        {
            var target = new byte[source.Length];
            crop.Random(source, Size, Size, target, new SeededRandom(1, RandomUse.Augmentation, 0, i));
            seen[Convert.ToHexString(target)] = seen.GetValueOrDefault(Convert.ToHexString(target)) + 1;
        }

        var expected = from top in Enumerable.Range(-Padding, 3) from left in Enumerable.Range(-Padding, 3) from mirror in new[] { false, true } select Convert.ToHexString(Slow(top, left, mirror));
        Assert.Equal(expected.Order(), seen.Keys.Order());
        // 18 outcomes, 200 of each: five standard deviations.
        Assert.All(seen.Values, count => Assert.InRange(count, 130, 270));

        byte[] Slow(int top, int left, bool mirror)
        {
            var result = new byte[source.Length];
            for (var c = 0; c < 3; c++)
            {
                for (var y = 0; y < Size; y++)
                {
                    for (var x = 0; x < Size; x++)
                    {
                        var (fromY, fromX) = (y + top, (mirror ? Size - 1 - x : x) + left);
                        if (fromY is >= 0 and < Size && fromX is >= 0 and < Size)
                        {
                            result[(((c * Size) + y) * Size) + x] = source[(((c * Size) + fromY) * Size) + fromX];
                        }
                    }
                }
            }

            return result;
        }
    }

    [Fact]
    public void CentreCrop_IsTheMiddle()
    {
        var source = Enumerable.Range(0, 3 * 36).Select(i => (byte)i).ToArray();
        var target = new byte[3 * 4];
        new CentreCrop(2, 2).Cut(new ImageView(source, 6, 6), target);
        Assert.Equal([14, 15, 20, 21, 50, 51, 56, 57, 86, 87, 92, 93], target);
    }
}
