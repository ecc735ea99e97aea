using System.CommandLine;

namespace WeakLink.Cli;

/// <summary>Arguments that several commands share.</summary>
internal static class CommonOptions
{
    public static Option<string?> Data(string description) => new("--data") { Description = description, HelpName = "D" };

    public static Option<string[]> Set() => new("--set")
    {
        Description = "Change a recipe key, such as ews.width=0.5; may be repeated (all keys: docs/recipes.md).",
        HelpName = "key=value",
        DefaultValueFactory = _ => [],
    };

    public static Option<string?> FrostTextures() => new("--frost-textures")
    {
        Description = "A folder of pictures of ice for frost, such as the six published ones (default: ice drawn by code).",
        HelpName = "DIR",
    };

    public static Option<bool> Json() => new("--json") { Description = "Print one JSON document on standard output, and nothing else there." };

    /// <summary>What to say where a norm was given without a size: the default is one of linf.</summary>
    public static InputException EpsIsMissing(string norm) =>
        new($"--norm {norm} needs --eps: 8/255 is a size for linf (usual for 32x32 images: 0.5 for l2, 12 for l1).");

    public static Argument<string> Model() => new("MODEL") { Description = "A run folder, or a .safetensors checkpoint." };
}
