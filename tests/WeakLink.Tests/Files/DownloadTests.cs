using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using WeakLink.Files;
using WeakLink.Tests.Data;

using static WeakLink.Tests.Data.ScriptedServer;

namespace WeakLink.Tests.Files;

public sealed class DownloadTests : IDisposable
{
    private static readonly byte[] Content = RandomNumberGenerator.GetBytes(300_000);
    private static readonly string Checksum = Convert.ToHexString(SHA256.HashData(Content));

    private readonly TemporaryFolder _folder = new();

    private string Destination => _folder["cache/file.bin"];

    private string Part => Destination + ".part";

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task GoodServer_GivesTheFileAndNoPart()
    {
        using var server = new ScriptedServer(Good(Content));
        await FetchAsync(server);
        AssertFetched();
        Assert.Null(Assert.Single(server.Requests).Range);
    }

    [Fact]
    [SuppressMessage("Security", "CA5351", Justification = "what publishers state")]
    public async Task Md5_IsCheckedToo()
    {
        using var server = new ScriptedServer(Good(Content));
        await Patience().FetchAsync(server.Address, Destination, Content.Length, Convert.ToHexStringLower(MD5.HashData(Content)));
        AssertFetched();
    }

    [Fact]
    public async Task ClosedInTheMiddle_IsResumedWhereItStopped()
    {
        using var server = new ScriptedServer(Cut(Content, 100_000, "\nETag: \"1\""), Good(Content));
        await FetchAsync(server);
        AssertFetched();
        Assert.Equal([null, 100_000], server.Requests.Select(request => request.Range));
        Assert.Equal("\"1\"", server.Requests[1].IfRange);
    }

    [Fact]
    public async Task InterruptedRun_IsResumedByTheNext()
    {
        using (var server = new ScriptedServer(Cut(Content, 123_456), Status(503)))
        {
            var error = await Assert.ThrowsAsync<InputException>(() => FetchAsync(server));
            Assert.Contains("123,456 of 300,000 bytes", error.Message);
            Assert.Contains("503", error.Message);
            Assert.Contains(Destination, error.Message);
        }

        Assert.Equal(123_456, new FileInfo(Part).Length);
        using var next = new ScriptedServer(Good(Content));
        await FetchAsync(next);
        AssertFetched();
        Assert.Equal(123_456, Assert.Single(next.Requests).Range);
    }

    [Fact]
    public async Task ServerThatIgnoresTheRange_IsReadFromTheStart()
    {
        using var server = new ScriptedServer(Cut(Content, 100_000), Whole(Content));
        await FetchAsync(server);
        AssertFetched();
        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task FileChangedBetweenTheHalves_IsFetchedWhole()
    {
        var old = RandomNumberGenerator.GetBytes(Content.Length);
        using var server = new ScriptedServer(Cut(old, 100_000, "\nETag: \"old\""), Good(Content, "\"new\""));
        await FetchAsync(server);
        AssertFetched();
        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task ForeignPart_IsDroppedAndTheFileFetchedWhole()
    {
        Directory.CreateDirectory(_folder["cache"]);
        await File.WriteAllBytesAsync(Part, RandomNumberGenerator.GetBytes(5000), TestContext.Current.CancellationToken);
        using var server = new ScriptedServer(Good(Content));
        await FetchAsync(server);
        AssertFetched();
        Assert.Equal([5000, null], server.Requests.Select(request => request.Range));
    }

    [Fact]
    public async Task PartLongerThanTheFile_IsDropped()
    {
        Directory.CreateDirectory(_folder["cache"]);
        await File.WriteAllBytesAsync(Part, new byte[Content.Length + 1], TestContext.Current.CancellationToken);
        using var server = new ScriptedServer(Good(Content));
        await FetchAsync(server);
        AssertFetched();
    }

    [Fact]
    public async Task RangeNotSatisfiable_StartsOver()
    {
        using var server = new ScriptedServer(Cut(Content, 100_000), Status(416), Good(Content));
        await FetchAsync(server);
        AssertFetched();
        Assert.Equal([null, 100_000, null], server.Requests.Select(request => request.Range));
    }

    [Theory]
    [InlineData("bytes 0-299999/300000")]
    [InlineData("bytes 99999-299999/300000")]
    [InlineData("bytes 100000-299999/300001")]
    [InlineData("nonsense")]
    public async Task WrongContentRange_StartsOver(string range)
    {
        var lie = Raw($"HTTP/1.1 206 Partial Content\nContent-Range: {range}\nContent-Length: 200000", Content[..200_000]);
        using var server = new ScriptedServer(Cut(Content, 100_000), lie, Good(Content));
        await FetchAsync(server);
        AssertFetched();
        Assert.Null(server.Requests[2].Range);
    }

    [Fact]
    public async Task CorruptBytes_AreDeletedAndNamed()
    {
        var corrupt = (byte[])Content.Clone();
        corrupt[777] ^= 1;
        using var server = new ScriptedServer(Good(corrupt));
        var error = await Assert.ThrowsAsync<InputException>(() => FetchAsync(server));
        Assert.Contains("checksum", error.Message);
        Assert.Contains(server.Address.ToString(), error.Message);
        Assert.Contains(Destination, error.Message);
        AssertNothingFetched();
        Assert.False(File.Exists(Part));
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData(299_999)]
    [InlineData(300_001)]
    [InlineData(1234)]
    public async Task AnotherLengthThanPublished_IsRefusedAtOnce(int length)
    {
        using var server = new ScriptedServer(Whole(new byte[length]));
        var error = await Assert.ThrowsAsync<InputException>(() => FetchAsync(server));
        Assert.Contains($"{length:N0} bytes", error.Message);
        Assert.Contains("300,000", error.Message);
        AssertNothingFetched();
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task EndlessBodyWithoutLength_IsNotWrittenBeyondThePublishedLength()
    {
        using var server = new ScriptedServer(async (_, stream, end) =>
        {
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"u8.ToArray(), end);
            for (var i = 0; i < 1000; i++)
            {
                await stream.WriteAsync(new byte[100_000], end);
            }
        });
        await Assert.ThrowsAsync<InputException>(() => FetchAsync(server));
        AssertNothingFetched();
        Assert.False(File.Exists(Part));
    }

    [Fact]
    public async Task TwoServerErrors_AreRetried()
    {
        using var server = new ScriptedServer(Status(500), Status(429), Good(Content));
        await FetchAsync(server);
        AssertFetched();
    }

    [Fact]
    public async Task ServerErrorsWithoutEnd_GiveUp()
    {
        using var server = new ScriptedServer(Status(500));
        var error = await Assert.ThrowsAsync<InputException>(() => FetchAsync(server));
        Assert.Contains("500", error.Message);
        Assert.Equal(3, server.Requests.Count);
    }

    [Theory]
    [InlineData(404)]
    [InlineData(403)]
    public async Task MissingFile_IsNotRetried(int status)
    {
        using var server = new ScriptedServer(Status(status));
        var error = await Assert.ThrowsAsync<InputException>(() => FetchAsync(server));
        Assert.Contains($"{status}", error.Message);
        Assert.Contains(Destination, error.Message);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task Stall_IsTreatedAsADrop()
    {
        using var server = new ScriptedServer(Stall(Content, 100_000), Good(Content));
        await FetchAsync(server);
        AssertFetched();
        Assert.Equal(100_000, server.Requests[1].Range);
    }

    [Fact]
    public async Task StallWithoutEnd_GivesUpAndSaysSo()
    {
        using var server = new ScriptedServer(Stall(Content, 10));
        var error = await Assert.ThrowsAsync<InputException>(() => FetchAsync(server));
        Assert.Contains("nothing arrived for", error.Message);
    }

    [Fact]
    public async Task Redirect_IsFollowed()
    {
        using var target = new ScriptedServer(Good(Content));
        using var server = new ScriptedServer(Raw($"HTTP/1.1 302 Found\nLocation: {target.Address}\nContent-Length: 0", []));
        await FetchAsync(server);
        AssertFetched();
    }

    [Fact]
    public async Task RedirectInACircle_Ends()
    {
        using var server = new ScriptedServer(Raw("HTTP/1.1 302 Found\nLocation: /again\nContent-Length: 0", []));
        var error = await Assert.ThrowsAsync<InputException>(() => FetchAsync(server));
        Assert.Contains("302", error.Message);
    }

    [Fact]
    public async Task Garbage_IsNoCrash()
    {
        using var server = new ScriptedServer(Raw("SSH-2.0-OpenSSH", [0, 1, 2]));
        await Assert.ThrowsAsync<InputException>(() => FetchAsync(server));
        AssertNothingFetched();
    }

    [Fact]
    public async Task NobodyListens_SaysWhatCouldNotBeReachedAndWhereToPutTheFile()
    {
        Uri address;
        using (var server = new ScriptedServer(Status(500)))
        {
            address = server.Address;
        }

        var error = await Assert.ThrowsAsync<InputException>(() => Patience().FetchAsync(address, Destination, Content.Length, Checksum));
        Assert.Contains("127.0.0.1", error.Message);
        Assert.Contains(Destination, error.Message);
        Assert.Contains("WEAKLINK_MIRROR", error.Message);
    }

    [Fact]
    public async Task UnknownHost_IsNotRetried()
    {
        // ".invalid" never resolves (RFC 2606); an endless pause would hang here if it were retried.
        var patience = new Download { FirstDelay = TimeSpan.FromHours(1) };
        var fetch = patience.FetchAsync(new Uri("http://weaklink.invalid/file.bin"), Destination, 10, Checksum);
        var error = await Assert.ThrowsAsync<InputException>(() => fetch.WaitAsync(TimeSpan.FromMinutes(1)));
        Assert.Contains("weaklink.invalid could not be reached", error.Message);
    }

    [Fact]
    public async Task FileThatIsThere_IsKeptWithoutAskingTheServer()
    {
        Directory.CreateDirectory(_folder["cache"]);
        await File.WriteAllBytesAsync(Destination, Content, TestContext.Current.CancellationToken);
        using var server = new ScriptedServer(Status(404));
        await FetchAsync(server);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task AnotherFileThatIsThere_IsNamedAndKept()
    {
        Directory.CreateDirectory(_folder["cache"]);
        await File.WriteAllBytesAsync(Destination, Content[..^1], TestContext.Current.CancellationToken);
        using var server = new ScriptedServer(Good(Content));
        var error = await Assert.ThrowsAsync<InputException>(() => FetchAsync(server));
        Assert.Contains($"{Destination} has 299,999 bytes, the published file 300,000", error.Message);
        Assert.Equal(Content.Length - 1, new FileInfo(Destination).Length);
    }

    [Fact]
    public async Task EightAtOnce_FetchItOnce()
    {
        using var server = new ScriptedServer(Good(Content));
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => FetchAsync(server))));
        AssertFetched();
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task Cancelled_KeepsThePart()
    {
        using var server = new ScriptedServer(Stall(Content, 100_000));
        using var cancellation = new CancellationTokenSource();
        var patience = new Download { StallLimit = TimeSpan.FromMinutes(5) };
        var cancel = new Sink(report => cancellation.CancelAfter(report.Bytes > 0 ? 100 : -1));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => patience.FetchAsync(server.Address, Destination, Content.Length, Checksum, cancel, cancellation.Token));
        Assert.InRange(new FileInfo(Part).Length, 1, 100_000);
        AssertNothingFetched();
    }

    [Fact]
    public async Task Progress_CountsTheResumedBytesAndEndsAtTheTotal()
    {
        var reports = new List<DownloadProgress>();
        using var server = new ScriptedServer(Cut(Content, 200_000), Good(Content));
        await Patience().FetchAsync(server.Address, Destination, Content.Length, Checksum, new Sink(reports.Add));
        Assert.Equal(reports.OrderBy(report => report.Bytes), reports);
        Assert.Equal(("file.bin", 300_000, 300_000), (reports[^1].File, reports[^1].Bytes, reports[^1].Total));
        Assert.True(reports[^1].BytesPerSecond > 0);
    }

    [Fact]
    public async Task FullDisk_SaysSo()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs /dev/full");
        Directory.CreateDirectory(_folder["cache"]);
        File.CreateSymbolicLink(Part, "/dev/full");
        using var server = new ScriptedServer(Good(Content));
        var error = await Assert.ThrowsAsync<InputException>(() => FetchAsync(server));
        Assert.Contains("is full", error.Message);
        Assert.Contains("WEAKLINK_CACHE", error.Message);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task FolderThatCannotBeMade_IsNamed()
    {
        await File.WriteAllTextAsync(_folder["cache"], "a file", TestContext.Current.CancellationToken);
        using var server = new ScriptedServer(Good(Content));
        var error = await Assert.ThrowsAsync<InputException>(() => FetchAsync(server));
        Assert.Contains(_folder["cache"], error.Message);
    }

    private static Download Patience() => new() { Attempts = 3, FirstDelay = TimeSpan.FromMilliseconds(1), StallLimit = TimeSpan.FromSeconds(1) };

    private Task FetchAsync(ScriptedServer server) => Patience().FetchAsync(server.Address, Destination, Content.Length, Checksum);

    private void AssertFetched()
    {
        Assert.Equal(Content, File.ReadAllBytes(Destination));
        Assert.False(File.Exists(Part));
    }

    private void AssertNothingFetched() => Assert.False(File.Exists(Destination));

    private sealed class Sink(Action<DownloadProgress> receive) : IProgress<DownloadProgress>
    {
        public void Report(DownloadProgress value) => receive(value);
    }
}
