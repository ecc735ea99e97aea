using System.Text;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Core;

public sealed class ClassNamesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Encodings() => ["utf-8", "utf-8 with mark", "utf-16", "utf-16BE", "utf-32"];

    [Theory]
    [MemberData(nameof(Encodings))]
    public void Lists_InAnyMarkedEncoding_AreRead(string encoding)
    {
        var text = encoding == "utf-8" ? new UTF8Encoding(false) : encoding == "utf-8 with mark" ? new UTF8Encoding(true) : Encoding.GetEncoding(encoding);
        byte[] bytes = [.. text.GetPreamble(), .. text.GetBytes(" Bär\r\nBor\t\n\nвол k\r")];
        Assert.Equal(["Bär", "Bor", "вол k"], Read(bytes));
    }

    [Fact]
    public void OtherEncodings_AreRefused()
    {
        Assert.Contains("not UTF-8", Refused(Encoding.Latin1.GetBytes("bär\nbör\n")));
        Assert.Contains("not UTF-8", Refused(Encoding.Unicode.GetBytes("cat\ndog\n")));
    }

    [Fact]
    public void NamesThatTellNothingApart_AreRefused()
    {
        Assert.Contains("classes 0 and 2 the same name 'cat'", Refused("cat\ndog\ncat\n"u8.ToArray()));
        Assert.Contains("no classes", Refused("\n \n"u8.ToArray()));
        Assert.Contains("more than", Refused(new byte[(1 << 22) + 1]));
        Assert.Contains("class 1", Assert.Throws<InputException>(() => ClassNames.Checked(["a", null], "It")).Message);
        Assert.Contains("class 1", Assert.Throws<InputException>(() => ClassNames.Checked(["a", ""], "It")).Message);
    }

    private IReadOnlyList<string> Read(byte[] bytes)
    {
        File.WriteAllBytes(_folder["names.txt"], bytes);
        return ClassNames.Read(_folder["names.txt"]);
    }

    private string Refused(byte[] bytes)
    {
        var message = Assert.Throws<InputException>(() => Read(bytes)).Message;
        Assert.Contains("names.txt", message);
        return message;
    }
}
