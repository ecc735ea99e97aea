using CsCheck;

namespace WeakLink.Tests.Core;

public class YamlTests
{
    [Theory]
    [InlineData("training:\n  milestones: [0.3, 0.5", "line 2")]
    [InlineData("ews: {width: 0.5\ntraining:\n  epochs: 3\n", "line 2")]
    [InlineData("name: \"never closed", "line 1")]
    [InlineData("name: \"\\uD800\"", "line 1")]
    [InlineData("a: b: c", "line 1")]
    [InlineData("a: 1\nb: 2\0\nc: 3", "line 2: it holds a null character")]
    [InlineData("%YAML 99\n---\na: 1", "line 1")]
    [InlineData("? [a]\n: b", "a key must be a word")]
    [InlineData("a: [[1]]", "an item of 'a'")]
    [InlineData("a: [{b: 1}]", "an item of 'a'")]
    [InlineData("a: &x 1\nb: *x", "anchors and aliases")]
    [InlineData("a: *x", "anchors and aliases")]
    [InlineData("a: &x {b: 1}", "anchors and aliases")]
    [InlineData("a: &x [1]", "anchors and aliases")]
    [InlineData("<<: *x", "anchors and aliases")]
    [InlineData("a: 1\n---\na: 2", "second document")]
    [InlineData("a: 1\n...\na: 2", "second document")]
    [InlineData("a: 1\na: 2", "'a' is there a second time")]
    [InlineData("a:\n  b: 1\na:\n  c: 2", "'a' is there a second time")]
    [InlineData("a:\n  b: 1\na.b: 2", "first in line 2")]
    [InlineData("a.b: 1\na:\n  b: 2", "first in line 1")]
    [InlineData("- 1", "'key: value' lines")]
    [InlineData("words", "'key: value' lines")]
    public void WhatIsNoSimpleDocument_IsRefused_WithThePlace(string yaml, string reason)
    {
        var message = Assert.Throws<InputException>(() => Yaml.Read(yaml, "my.yaml")).Message;
        Assert.Contains("'my.yaml'", message, StringComparison.Ordinal);
        Assert.Contains(reason, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    // Each of them made a reader that builds the whole document overflow its stack or take seconds.
    [Fact]
    public void DeepOrLongText_IsRefusedBeforeItIsRead()
    {
        foreach (var deep in new[] { Repeated("[", 50_000), Repeated("{a: ", 20_000), Repeated("- ", 50_000), "a: " + Repeated("[", 50_000), string.Concat(Enumerable.Range(0, 1000).Select(i => new string(' ', i) + "a:\n")), Repeated("? ", 50_000) })
        {
            Assert.Throws<InputException>(() => Yaml.Read(deep, "deep.yaml"));
        }

        Assert.Contains("characters", Assert.Throws<InputException>(() => Yaml.Read("a: " + new string('x', Yaml.MostCharacters), "long.yaml")).Message, StringComparison.Ordinal);

        static string Repeated(string text, int times) => string.Concat(Enumerable.Repeat(text, times));
    }

    [Fact]
    public void KeysComeNested_OrWithDots_InTheirOrder()
    {
        var entries = Yaml.Read("# a comment\na:\n  b: 1\n  c: [x, 'y, z']\na.d: ''\ne:\n", "my.yaml");
        Assert.Equal([("a.b", "1", 3L), ("a.c", "x,y, z", 4L), ("a.d", "", 5L), ("e", "", 6L)], entries.Select(entry => (entry.Key, entry.Text, entry.Line)));
        Assert.Equal(["x", "y, z"], entries[1].Items);
        Assert.All(new[] { "", "---", "# nothing", "~: \n"[..0] }, nothing => Assert.Empty(Yaml.Read(nothing, "my.yaml")));
    }

    [Fact]
    public void AnyText_SurvivesItsQuotes() => Gen.String[Gen.Char['\u0000', '\ud7ff'], 0, 30].Sample(text =>
    {
        Assert.Equal(text, Yaml.Read($"a: {Yaml.Quoted(text)}", "test")[0].Text);
        Assert.Equal([text, "b"], Yaml.Items(Yaml.Quoted([text, "b"]), "test"));
    }, iter: 2000);

    // Not a proof, but every kind of exception that YamlDotNet has is met in a tenth of these.
    [Fact]
    public void MutatedText_IsReadOrRefused()
    {
        const string Text = "# c\nname: 'a''b'\nseed: 3\ntraining:\n  milestones: [0.3, \"0.5\\u0020\"]\n  epochs: 3\naugmentation: {crop: 24, sequence: [crop, flip]}\ntext: |\n  more\n  lines\n";
        string[] tokens = ["[", "]", "{", "}", "'", "\"", ":", "- ", "? ", "| ", "> ", "&a ", "*a ", "!t ", "%", "---\n", "\t", "\0", "\n", "#", "\\x", ",", "\ufeff", "\ud800"];
        Gen.Select(Gen.Int[0, Text.Length - 1], Gen.Int[0, tokens.Length - 1].Select(i => tokens[i]), Gen.Int[0, 8]).Array[1, 4].Sample(changes =>
        {
            var text = Text;
            foreach (var (place, inserted, removed) in changes)
            {
                var at = Math.Min(place, text.Length);
                text = text[..at] + inserted + text[Math.Min(at + removed, text.Length)..];
            }

            try
            {
                Yaml.Read(text, "mutated.yaml");
            }
            catch (InputException)
            {
                // The sentence.
            }
        }, iter: 5000);
    }
}
