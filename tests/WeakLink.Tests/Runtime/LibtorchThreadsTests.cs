using TorchSharp;
using WeakLink.Runtime;

namespace WeakLink.Tests.Runtime;

public class LibtorchThreadsTests
{
    // A run that is over leaves the process as it was: what comes after it is not slower for it.
    [Theory]
    [InlineData(3, 3)]
    [InlineData(0, 2)]
    public void ThereAreAsManyAsAskedFor_AndAfterwardsAsManyAsBefore(int count, int expected)
    {
        NativeLibraries.Load();
        var before = torch.get_num_threads();
        torch.set_num_threads(2);
        try
        {
            using (new LibtorchThreads(count))
            {
                Assert.Equal(expected, torch.get_num_threads());
            }

            Assert.Equal(2, torch.get_num_threads());
        }
        finally
        {
            torch.set_num_threads(before);
        }
    }
}
