using WeakLink.Tests.Data;

namespace WeakLink.Tests.Core;

public sealed class AtomicFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Target => _folder["kept.txt"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WhatIsWritten_TakesThePlaceOfWhatWasThere_AndLeavesNothingBeside()
    {
        AtomicFile.Write(Target, "a long first text");
        AtomicFile.Write(Target, "ä");
        Assert.Equal([0xC3, 0xA4], File.ReadAllBytes(Target));
        AssertNothingBeside();
    }

    // A reader in the middle of it sees the old file; what stops the writing, the old one stays.
    [Fact]
    public void HalfAFile_IsNeverSeen()
    {
        AtomicFile.Write(Target, "before");
        Assert.Throws<OperationCanceledException>(() => AtomicFile.Write(Target, stream =>
        {
            stream.Write("after"u8);
            stream.Flush();
            Assert.Equal("before", File.ReadAllText(Target));
            throw new OperationCanceledException();
        }));
        Assert.Equal("before", File.ReadAllText(Target));
        AssertNothingBeside();
    }

    [Fact]
    public void ADiskThatFails_IsASentence_AndWhatWasThereIsIntact()
    {
        AtomicFile.Write(Target, "before");
        var message = Assert.Throws<InputException>(() => AtomicFile.Write(Target, _ => throw new IOException("No space left on device."))).Message;
        Assert.Contains($"'{Target}' could not be written (No space left on device)", message, StringComparison.Ordinal);
        Assert.Equal("before", File.ReadAllText(Target));
        AssertNothingBeside();
    }

    [Fact]
    public void AFolderThatIsNotThere_IsNamed()
    {
        var message = Assert.Throws<InputException>(() => AtomicFile.Write(_folder["absent/kept.txt"], "text")).Message;
        Assert.Contains($"the folder '{_folder["absent"]}' does not exist", message, StringComparison.Ordinal);
    }

    [Fact]
    public void AFolderInTheFilesPlace_IsLeftAlone()
    {
        Directory.CreateDirectory(Path.Combine(Target, "inside"));
        Assert.Throws<InputException>(() => AtomicFile.Write(Target, "text"));
        Assert.True(Directory.Exists(Path.Combine(Target, "inside")));
        AssertNothingBeside();
    }

    [Fact]
    public void TheCache_GetsItsFolder_AndCanFailUnnoticed()
    {
        AtomicFile.WriteCache(_folder["cache/deep/file"], stream => stream.Write("text"u8));
        Assert.Equal("text", File.ReadAllText(_folder["cache/deep/file"]));
        AtomicFile.WriteCache(_folder["cache/deep/file/none"], stream => stream.Write("text"u8));
        AtomicFile.WriteCache(_folder["cache/deep/file"], _ => throw new IOException("The disk is full."));
        Assert.Equal("text", File.ReadAllText(_folder["cache/deep/file"]));
        // What is no fault of the disk is no matter of the cache.
        Assert.Throws<InvalidOperationException>(() => AtomicFile.WriteCache(_folder["cache/deep/file"], _ => throw new InvalidOperationException()));
    }

    private void AssertNothingBeside() => Assert.Equal([Target], Directory.GetFileSystemEntries(_folder.Path));
}
