using WeakLink.Imaging;
using WeakLink.Tests.Augmentations;

namespace WeakLink.Tests.Imaging;

public sealed class FilteredResizeTests
{
    // Made with Pillow 9.4: Image.resize((width, height), filter) of Samples.Image(6, 7).
    [Theory]
    [InlineData(ResizeFilter.Bicubic, 3, 4, "52 121 150 121 174 116 100 145 123 137 139 104 150 156 113 95 129 123 133 127 111 125 119 157 148 110 99 147 93 151 141 107 151 87 133 133")]
    [InlineData(ResizeFilter.Bicubic, 5, 9, """
        6 29 60 92 130 163 161 167 195 76 104 153 174 129 173 92 35 77 150 203 186 100 30 64 124 180 210 240 150 77 76 138 200 127 81 131 81 84 122 184 227 99 65 103 147
        88 111 151 176 163 206 98 20 61 174 210 209 140 28 57 108 155 183 106 148 117 67 128 189 139 108 150 36 71 128 190 228 126 67 76 119 122 178 120 34 93 98 142 201 241
        184 172 196 180 29 54 94 131 155 171 66 30 78 118 171 147 135 171 45 87 141 191 226 156 71 48 91 134 189 146 73 127 91 127 189 224 216 102 44 74 126 197 110 51 107
        """)]
    [InlineData(ResizeFilter.Bilinear, 3, 4, "65 118 144 125 159 120 110 139 128 134 134 111 146 151 118 98 129 125 131 127 114 122 121 154 142 117 105 141 104 140 136 114 145 96 133 131")]
    [InlineData(ResizeFilter.Bilinear, 9, 5, """
        12 58 111 164 210 44 92 149 149 127 86 138 165 124 58 127 183 76 85 117 169 159 69 117 177 196 114 96 153 194 182 85 146 133 83 124 111 174 99 100 70 145 188 69 144
        95 141 194 134 37 127 175 128 105 82 169 197 66 89 141 210 148 85 144 200 124 114 128 143 132 38 103 171 117 64 79 148 190 78 123 122 123 129 110 183 153 86 62 152 227
        178 224 68 74 120 167 130 83 116 165 138 48 110 153 181 66 93 160 132 70 79 140 188 98 87 121 162 180 82 147 162 112 91 137 206 162 78 107 136 138 150 55 145 121 54
        """)]
    public void EqualsPillow(ResizeFilter filter, int height, int width, string pillow)
    {
        var result = new byte[3 * height * width];
        FilteredResize.Apply(new ImageView(Samples.Image(6, 7), 6, 7), 0, 0, 6, 7, height, width, result, filter);
        Assert.Equal(Bytes(pillow), result);
    }

    // The same of a part: crop((1, 2, 6, 6)).resize((2, 3), Image.BILINEAR).
    [Fact]
    public void OfAPart_EqualsPillow()
    {
        var result = new byte[3 * 3 * 2];
        FilteredResize.Apply(new ImageView(Samples.Image(6, 7), 6, 7), 2, 1, 4, 5, 3, 2, result);
        Assert.Equal(Bytes("136 87 107 135 143 118 121 137 144 125 109 121 144 132 139 121 86 126"), result);
    }

    [Fact]
    public void ToTheSameSize_ChangesNothing_AndAConstantStays()
    {
        var image = Samples.Image(19, 33);
        var result = new byte[image.Length];
        FilteredResize.Apply(new ImageView(image, 19, 33), 0, 0, 19, 33, 19, 33, result);
        Assert.Equal(image, result);

        Array.Fill(image, (byte)201);
        foreach (var (height, width) in ((int, int)[])[(1, 1), (5, 300), (64, 7)])
        {
            var scaled = new byte[3 * height * width];
            FilteredResize.Apply(new ImageView(image, 19, 33), 0, 0, 19, 33, height, width, scaled);
            Assert.All(scaled, level => Assert.Equal(201, level));
            FilteredResize.Apply(new ImageView(image, 19, 33), 0, 0, 19, 33, height, width, scaled, ResizeFilter.Bicubic);
            Assert.All(scaled, level => Assert.Equal(201, level));
        }
    }

    private static byte[] Bytes(string numbers) => [.. numbers.Split([' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries).Select(byte.Parse)];
}
