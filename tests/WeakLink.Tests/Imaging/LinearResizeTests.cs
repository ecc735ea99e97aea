using WeakLink.Imaging;
using WeakLink.Tests.Augmentations;

namespace WeakLink.Tests.Imaging;

public sealed class LinearResizeTests
{
    // Made with Pillow 9.4: Image.resize((width, height), Image.BILINEAR) of Samples.Image(6, 7).
    [Theory]
    [InlineData(3, 4, "65 118 144 125 159 120 110 139 128 134 134 111 146 151 118 98 129 125 131 127 114 122 121 154 142 117 105 141 104 140 136 114 145 96 133 131")]
    [InlineData(9, 5, """
        12 58 111 164 210 44 92 149 149 127 86 138 165 124 58 127 183 76 85 117 169 159 69 117 177 196 114 96 153 194 182 85 146 133 83 124 111 174 99 100 70 145 188 69 144
        95 141 194 134 37 127 175 128 105 82 169 197 66 89 141 210 148 85 144 200 124 114 128 143 132 38 103 171 117 64 79 148 190 78 123 122 123 129 110 183 153 86 62 152 227
        178 224 68 74 120 167 130 83 116 165 138 48 110 153 181 66 93 160 132 70 79 140 188 98 87 121 162 180 82 147 162 112 91 137 206 162 78 107 136 138 150 55 145 121 54
        """)]
    public void EqualsPillow(int height, int width, string pillow)
    {
        var result = new byte[3 * height * width];
        LinearResize.Apply(new ImageView(Samples.Image(6, 7), 6, 7), 0, 0, 6, 7, height, width, result);
        Assert.Equal(Bytes(pillow), result);
    }

    // The same of a part: crop((1, 2, 6, 6)).resize((2, 3), Image.BILINEAR).
    [Fact]
    public void OfAPart_EqualsPillow()
    {
        var result = new byte[3 * 3 * 2];
        LinearResize.Apply(new ImageView(Samples.Image(6, 7), 6, 7), 2, 1, 4, 5, 3, 2, result);
        Assert.Equal(Bytes("136 87 107 135 143 118 121 137 144 125 109 121 144 132 139 121 86 126"), result);
    }

    [Fact]
    public void ToTheSameSize_ChangesNothing_AndAConstantStays()
    {
        var image = Samples.Image(19, 33);
        var result = new byte[image.Length];
        LinearResize.Apply(new ImageView(image, 19, 33), 0, 0, 19, 33, 19, 33, result);
        Assert.Equal(image, result);

        Array.Fill(image, (byte)201);
        foreach (var (height, width) in ((int, int)[])[(1, 1), (5, 300), (64, 7)])
        {
            var scaled = new byte[3 * height * width];
            LinearResize.Apply(new ImageView(image, 19, 33), 0, 0, 19, 33, height, width, scaled);
            Assert.All(scaled, level => Assert.Equal(201, level));
        }
    }

    private static byte[] Bytes(string numbers) => [.. numbers.Split([' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries).Select(byte.Parse)];
}
