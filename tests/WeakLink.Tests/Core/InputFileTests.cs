using System.IO.Pipes;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Core;

public sealed class InputFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void FilesAreOpened_AlsoThroughLinks()
    {
        File.WriteAllText(_folder["a"], "text");
        File.CreateSymbolicLink(_folder["link"], _folder["a"]);
        foreach (var name in new[] { "a", "link" })
        {
            using var file = InputFile.Open(_folder[name]);
            Assert.Equal(4, file.Length);
            Assert.Equal("text", TextFile.Read(_folder[name], 10));
        }

        Assert.False(InputFile.IsSpecial(_folder.Path));
        Assert.False(InputFile.IsSpecial(_folder["missing"]));
        Assert.Throws<FileNotFoundException>(() => InputFile.Open(_folder["missing"]));
        Assert.Throws<UnauthorizedAccessException>(() => InputFile.Open(_folder.Path));
    }

    [Fact]
    public void WhatMayNeverAnswer_IsRefused()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "pipes with names are of Linux");
        var pipe = Pipes.Make(_folder["pipe"]);
        File.CreateSymbolicLink(_folder["link"], pipe);
        foreach (var path in new[] { pipe, _folder["link"], "/dev/zero", "/dev/null" })
        {
            Assert.True(InputFile.IsSpecial(path));
            Assert.Contains("not a file", Assert.Throws<IOException>(() => InputFile.Open(path)).Message, StringComparison.Ordinal);
            Assert.Contains(path, Assert.Throws<IOException>(() => TextFile.Read(path, 10)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void ADevice_IsNotReplacedByAFile()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "pipes with names are of Linux");
        var pipe = Pipes.Make(_folder["out.json"]);
        Assert.Contains("name a file", Assert.Throws<InputException>(() => AtomicFile.Write(pipe, "text")).Message, StringComparison.Ordinal);
        Assert.True(InputFile.IsSpecial(pipe));
    }

    [Fact]
    public void WhatAShellHandsOver_IsReadOnce()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "/dev/fd is of Linux");
        using var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
        pipe.Write("text"u8);
        var reading = pipe.ClientSafePipeHandle.DangerousGetHandle();
        pipe.SafePipeHandle.Dispose();
        Assert.Equal("text", TextFile.Read($"/dev/fd/{reading}", 10));
    }
}
