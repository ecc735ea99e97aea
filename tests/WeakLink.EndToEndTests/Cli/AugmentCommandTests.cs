using SkiaSharp;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Cli;

public class AugmentCommandTests
{
    [Fact]
    public void ImagesOfSeveralSizes_AndFolders_AreDrawn_AsManyAsCanBeLookedAt()
    {
        using var folder = new TemporaryFolder();
        Pictures.Write(folder["photos/00.png"], SKColors.Red, 109, 162);
        Pictures.Write(folder["photos/01.png"], SKColors.Blue, 286, 220);
        for (var i = 2; i < 30; i++)
        {
            Pictures.Write(folder[$"photos/{i:00}.png"], SKColors.Green, 40, 40);
        }

        var outcome = Weaklink.Run(folder.Path, "augment", "small", "photos", "--out", "sheet.png", "--epochs", "1");
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        Assert.Contains("sheet.png: 24 images", outcome.Output, StringComparison.Ordinal);
        Assert.Contains("The first 24 of 30 images", outcome.Error, StringComparison.Ordinal);
        Directory.CreateDirectory(folder["empty"]);
        Assert.Contains("The folder 'empty' has no images", Weaklink.Run(folder.Path, "augment", "small", "empty", "--out", "sheet.png").Sentence, StringComparison.Ordinal);
    }
}
