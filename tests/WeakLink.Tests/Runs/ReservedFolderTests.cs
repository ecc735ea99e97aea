using WeakLink.Runs;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Runs;

public class ReservedFolderTests
{
    [Fact]
    public void TwoThatBeginTogether_GetTwoNames_AndNothingIsMade()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["runs/photos-1"]);
        using (var first = ReservedFolder.Next(folder["runs"], "photos"))
        using (var second = ReservedFolder.Next(folder["runs"], "photos"))
        {
            Assert.Equal([folder["runs/photos-2"], folder["runs/photos-3"]], [first.Folder, second.Folder]);
        }

        using var again = ReservedFolder.Next(folder["runs"], "photos");
        Assert.Equal(folder["runs/photos-2"], again.Folder);
        Assert.Equal([folder["runs/photos-1"]], Directory.GetFileSystemEntries(folder["runs"]));
    }
}
