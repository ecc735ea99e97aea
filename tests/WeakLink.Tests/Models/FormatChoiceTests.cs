using TorchSharp;
using WeakLink.Models;
using WeakLink.Runtime;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Models;

public class FormatChoiceTests
{
    [Fact]
    public void ATiming_IsKept_ForThisNetworkOnThisMachine()
    {
        using var folder = new TemporaryFolder();
        var (environment, timed) = (EnvironmentReport.Create(), 0);
        var first = new Notes();
        var chosen = Choose(first);
        Assert.Equal(1, timed);
        Assert.Empty(first.Sentences);

        var file = Assert.Single(Directory.GetFiles(folder["formats"]));
        var other = chosen.Layout == Layout.Contiguous ? "channelsLast" : "contiguous";
        // Whatever a second timing would say.
        File.WriteAllText(file, File.ReadAllText(file).Replace($"\"{(chosen.Layout == Layout.Contiguous ? "contiguous" : "channelsLast")}\"", $"\"{other}\"", StringComparison.Ordinal));
        var second = new Notes();
        Assert.NotEqual(chosen.Layout, Choose(second).Layout);
        Assert.Contains(file, Assert.Single(second.Sentences), StringComparison.Ordinal);
        Assert.Equal(1, timed);

        // Another network, machine or batch, or a damaged file.
        Choose(new Notes(), network: "other");
        Choose(new Notes(), batch: 3);
        environment = environment with { Processor = "another" };
        Choose(new Notes());
        Assert.Equal(4, timed);
        Assert.Equal(4, Directory.GetFiles(folder["formats"]).Length);
        File.WriteAllText(Directory.GetFiles(folder["formats"]).Order().First(), "{");
        environment = EnvironmentReport.Create();
        Choose(new Notes(), network: "other");
        Choose(new Notes(), batch: 3);
        Choose(new Notes());
        environment = environment with { Processor = "another" };
        Choose(new Notes());
        Assert.Equal(5, timed);

        ComputeFormat Choose(Notes notes, string network = "mine", int batch = 2) => FormatChoice.Of(
            folder["formats"],
            network,
            environment,
            notes,
            () =>
            {
                timed++;
                return NetworkCatalogue.Create("resnet8", 2, [0.5, 0.5, 0.5], [0.25, 0.25, 0.25], widthMultiplier: 0.25);
            },
            Precision.Fp32,
            Layout.Auto,
            nativeBf16: false,
            batch,
            8,
            8,
            torch.CPU);
    }

    [Fact]
    public void WhatARecipeDecides_IsNotTimed()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(
            new ComputeFormat(Precision.Bf16, Layout.ChannelsLast),
            FormatChoice.Of(folder.Path, "mine", EnvironmentReport.Create(), new Notes(), () => throw new InvalidOperationException(), Precision.Bf16, Layout.ChannelsLast, false, 2, 8, 8, torch.CPU));
        Assert.Empty(Directory.GetFiles(folder.Path));
    }
}
