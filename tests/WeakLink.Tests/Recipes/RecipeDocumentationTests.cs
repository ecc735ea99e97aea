using WeakLink.Recipes;

namespace WeakLink.Tests.Recipes;

public class RecipeDocumentationTests
{
    [Fact]
    public void EveryKey_IsInTheDocumentation_WithItsDefault()
    {
        var text = File.ReadAllText(Path.Combine(Repository.Path, "docs", "recipes.md"));
        Assert.All(RecipeKeys.All, key => Assert.Contains($"| `{key.Name}` | {(key.Default.Length > 0 ? $"`{key.Default}`" : "(none)")} |", text));
        Assert.Equal(RecipeKeys.All.Count, text.Split('\n').Count(line => line.StartsWith("| `", StringComparison.Ordinal) && line.Count(c => c == '|') == 4 && !RecipeFile.Names.Any(name => line.StartsWith($"| `{name}` |", StringComparison.Ordinal))));
        Assert.All(EvaluationRecipe.Quick, setting => Assert.Contains($"`{setting}`", text));
        Assert.All(RecipeFile.Names, name => Assert.Contains($"| `{name}` |", text));
    }
}
