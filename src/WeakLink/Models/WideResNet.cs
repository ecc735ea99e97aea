using System.Globalization;
using System.Text.RegularExpressions;

namespace WeakLink.Models;

/// <summary>Wide ResNets (Zagoruyko and Komodakis 2016, table 1), with RobustBench's parameter names.</summary>
internal sealed partial class WideResNet : ResidualFamily
{
    // Nobody trained a deeper one.
    private const int Deepest = 1000;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Names { get; } = ["wide-resnet-28-10", "wide-resnet-34-10", "wide-resnet-40-2"];

    /// <inheritdoc/>
    public override string Pattern => "wide-resnet-DEPTH-WIDTH";

    /// <inheritdoc/>
    public override bool HasDropout => true;

    /// <inheritdoc/>
    public override bool Has(string name)
    {
        if (!Form.IsMatch(name))
        {
            return false;
        }

        var (depth, width) = Sizes(name);
        return depth is > 4 and <= Deepest && (depth - 4) % 6 == 0 && width is > 0 and <= 64
            ? true
            : throw new InputException($"There is no network '{name}': a wide ResNet's depth is 6n + 4 (10, 16, 22, 28, 34, 40 ... {Deepest}) and its width 1 to 64.");
    }

    /// <inheritdoc/>
    protected override NetworkPlan Plan(NetworkSettings settings)
    {
        var (depth, width) = Sizes(settings.Name);
        int[] channels = [settings.Scaled(16 * width), settings.Scaled(32 * width), settings.Scaled(64 * width)];
        var each = (depth - 4) / 6;
        return NetworkPlan.Of(
            "block{0}.layer", settings.Scaled(16), channels, [each, each, each], 1, (name, from, to, stride, generator) => new WideBlock(name, from, to, stride, settings.Dropout, generator)) with
        { StemNorm = false, FinalNorm = "bn1" };
    }

    private static (int Depth, int Width) Sizes(string name)
    {
        var match = Form.Match(name);
        return (Number(match.Groups[1]), Number(match.Groups[2]));

        static int Number(Group digits) => int.TryParse(digits.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
    }

    [GeneratedRegex("^wide-resnet-([0-9]+)-([0-9]+)$")]
    private static partial Regex Form { get; }
}
