namespace WeakLink.Tests.Core;

public sealed class InputExceptionTests
{
    // What is written out is six times as long as what it stands for.
    [Theory]
    [InlineData('x')]
    [InlineData('\0')]
    [InlineData('\u2028')]
    [InlineData('\u202e')]
    public void AMessageHasOneLine_AndAnEnd(char letter)
    {
        var message = new InputException($"There is no key '{new string(letter, 100_000)}': remove it.").Message;
        Assert.True(message.Length <= 2100);
        Assert.DoesNotContain(message, each => char.IsControl(each) || each is '\u2028' or '\u202e');
        Assert.StartsWith("There is no key '", message, StringComparison.Ordinal);
        Assert.EndsWith("': remove it.", message, StringComparison.Ordinal);
    }
}
