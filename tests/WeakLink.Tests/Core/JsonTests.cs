using System.Text.Json;
using WeakLink.Imaging;
using WeakLink.Runs;
using WeakLink.Tests.Comparisons;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Core;

public class JsonTests
{
    [Theory]
    [InlineData("null", "holds null")]
    [InlineData("[\"cat\", null]", "holds null")]
    [InlineData("{}", "JSON")]
    [InlineData("[1]", "WeakLink writes there")]
    [InlineData("[\"cat\"", "WeakLink writes")]
    [InlineData("", "JSON")]
    public void AListOfWords_IsNothingElse(string text, string reason) =>
        Assert.Contains(reason, Json.Problem(Assert.ThrowsAny<JsonException>(() => Json.Parse<string[]>(text))), StringComparison.Ordinal);

    [Theory]
    [InlineData("{\"height\": 8}")]
    [InlineData("{\"height\": 8, \"width\": null}")]
    [InlineData("{\"height\": 8, \"width\": -8}")]
    [InlineData("{\"height\": 8, \"width\": 8, \"width\": 9}")]
    [InlineData("{\"height\": 8, \"width\": 99999999999}")]
    [InlineData("{\"height\": 8, \"width\": 8.5}")]
    [InlineData("{\"height\": 8, \"width\": \"NaN\"}")]
    [InlineData("[]")]
    public void WhatIsMissing_OrBeyondItsLimits_IsRefused(string text) => Assert.ThrowsAny<JsonException>(() => Json.Parse<ImageSize>(text));

    [Fact]
    public void DeepText_IsRefused()
    {
        var deep = new string('[', 100_000);
        Assert.ThrowsAny<JsonException>(() => Json.Parse<string[]>(deep));
        Assert.ThrowsAny<JsonException>(() => Json.Document(System.Text.Encoding.UTF8.GetBytes(deep)));
        Assert.ThrowsAny<JsonException>(() => Json.Parse<Summary>($"{{\"more\": {deep}"));
    }

    // Each of these was an exception somewhere behind the reader, or a number that nobody measured.
    [Theory]
    [InlineData("\"clean\": {", "\"clean\": null, \"x\": {")]
    [InlineData("\"severities\": [", "\"severities\": [], \"x\": [")]
    [InlineData("\"fog\": [", "\"fog\": [], \"x\": [")]
    [InlineData("\"fog\": [", "\"fog\": null, \"x\": [")]
    [InlineData("\"fog\": [", "\"fog\": [0.5], \"haze\": [")]
    [InlineData("\"fog\": [", "\"fog\": [\"NaN\", ")]
    [InlineData("\"error\": {", "\"error\": {}, \"x\": {")]
    [InlineData("\"error\": {", "\"error\": null, \"x\": {")]
    [InlineData("\"top1\": 0.5", "\"top1\": 50")]
    [InlineData("\"top1\": 0.5", "\"top1\": \"NaN\"")]
    [InlineData("\"top1\": 0.5,", "")]
    [InlineData("\"images\": 100", "\"images\": -1")]
    [InlineData("\"attacks\": null", "\"attacks\": {\"pgd\": null}")]
    [InlineData("\"attacks\": null", "\"attacks\": {\"pgd\": {\"linf\": null}}")]
    [InlineData("\"subnets\": null", "\"subnets\": {\"width\": 0.7, \"images\": 1, \"recalibrated\": 0, \"full\": 0.5, \"random\": null, \"proposed\": null}")]
    [InlineData("\"data\": \"shapes\"", "\"data\": null")]
    public void ASummaryThatLacksSomething_IsRefused_WithOrWithoutItsChecksum(string there, string instead)
    {
        using var folder = new TemporaryFolder();
        var text = MadeRuns.Summary(0, 0.5).ToJson();
        Assert.Contains(there, text, StringComparison.Ordinal);
        var changed = text.Replace(there, instead, StringComparison.Ordinal);
        foreach (var one in new[] { changed, WithoutChecksum(changed) })
        {
            File.WriteAllText(folder["summary.json"], one);
            Assert.Contains("summary.json'", Assert.Throws<InputException>(() => Summary.Read(folder["summary.json"])).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void AChangedSummary_IsRefused_ButNotOneWithOtherSpaces_OrOfAnOlderVersion()
    {
        using var folder = new TemporaryFolder();
        var text = MadeRuns.Summary(3, 0.5).ToJson();
        Assert.Equal(0.5, Read(text));
        Assert.Equal(0.5, Read(text.ReplaceLineEndings("\r\n")));
        Assert.Equal(0.5, Read(text.ReplaceLineEndings("").Replace(" ", "", StringComparison.Ordinal).Replace("fp32contiguous", "fp32 contiguous", StringComparison.Ordinal)));
        Assert.Contains("changed", Assert.Throws<InputException>(() => Read(WithoutChecksum(text))).Message, StringComparison.Ordinal);
        Assert.Equal(0.5, Read(System.Text.RegularExpressions.Regex.Replace(WithoutChecksum(text), "\"files\": null,", "")));
        Assert.Contains("changed", Assert.Throws<InputException>(() => Read(text.Replace("\"seed\": 3", "\"seed\": 4", StringComparison.Ordinal))).Message, StringComparison.Ordinal);

        double Read(string json)
        {
            File.WriteAllText(folder["summary.json"], json);
            return Summary.Read(folder["summary.json"]).Clean.Top1;
        }
    }

    [Theory]
    [InlineData("\"seed\"", "\"\\ud800\"")]
    [InlineData("\"fp32 contiguous\"", "\"\\udfff\"")]
    public void HalfACharacter_IsRefused(string there, string instead)
    {
        using var folder = new TemporaryFolder();
        var text = MadeRuns.Summary(3, 0.5).ToJson();
        Assert.Contains(there, text, StringComparison.Ordinal);
        File.WriteAllText(folder["summary.json"], text.Replace(there, instead, StringComparison.Ordinal));
        Assert.Contains("can't be read", Assert.Throws<InputException>(() => Summary.Read(folder["summary.json"])).Message, StringComparison.Ordinal);
    }

    // The next reader can't forget what these two take care of.
    [Fact]
    public void NothingElse_ReadsJsonOrYaml()
    {
        var source = Path.Combine(Repository.Path, "src");
        string[] readers = ["JsonSerializer.Deserialize", "JsonDocument.Parse", "JsonNode.Parse", "JsonSerializer.DeserializeAsync", "Utf8JsonReader", "YamlDotNet"];
        var others = Directory.EnumerateFiles(source, "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Split(Path.DirectorySeparatorChar).Contains("obj") && Path.GetFileName(file) is not "Json.cs" and not "Yaml.cs")
            .Where(file => File.ReadAllText(file) is var text && readers.Any(reader => text.Contains(reader, StringComparison.Ordinal)));
        Assert.Empty(others);
    }

    private static string WithoutChecksum(string json) => System.Text.RegularExpressions.Regex.Replace(json, ",\\s*\"checksum\": \"[0-9a-f]+\"", "");
}
