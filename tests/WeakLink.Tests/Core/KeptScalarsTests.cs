using Mono.Cecil;
using TorchSharp;
using TorchSharp.Modules;
using WeakLink.Attacks;
using WeakLink.Models;
using WeakLink.Subnets;
using WeakLink.Training;

namespace WeakLink.Tests.Core;

public class KeptScalarsTests
{
    // What a+b and x*0.5 of TorchSharp do: a Scalar that nothing holds while libtorch reads it.
    private static bool MakesScalar(MethodReference method) =>
        method.ReturnType.FullName == "TorchSharp.Scalar" && method.Name is "op_Implicit" or "ToScalar";

    [Fact]
    public void NoMethodHandsATemporaryScalarToLibtorch()
    {
        using var torchSharp = ModuleDefinition.ReadModule(typeof(torch).Assembly.Location);
        using var weakLink = ModuleDefinition.ReadModule(typeof(Subnet).Assembly.Location);
        var calls = torchSharp.GetTypes()
            .Where(type => type.FullName != "TorchSharp.Scalar" && type.Name != "ScalarExtensionMethods")
            .SelectMany(type => type.Methods)
            .ToDictionary(method => method.FullName, method => Called(method).ToList());
        var unsafeMethods = calls.Where(pair => pair.Value.Any(MakesScalar)).Select(pair => pair.Key).ToHashSet();
        Assert.Contains(unsafeMethods, name => name.Contains("::add(TorchSharp.torch/Tensor)", StringComparison.Ordinal));
        for (var before = -1; before != unsafeMethods.Count;)
        {
            before = unsafeMethods.Count;
            unsafeMethods.UnionWith(calls.Where(pair => pair.Value.Any(called => unsafeMethods.Contains(called.FullName))).Select(pair => pair.Key));
        }

        var sites = weakLink.GetTypes()
            .Where(type => type.Name != nameof(KeptScalars))
            .SelectMany(type => type.Methods)
            .SelectMany(method => Called(method)
                // Of a script it gives tensors alone, of which no scalars are made.
                .Where(called => (MakesScalar(called) || unsafeMethods.Contains(called.FullName)) && !(called.Name == "invoke" && method.DeclaringType.Name == nameof(OneDnnConvolution)))
                .Select(called => $"{method.FullName} calls {called.FullName}"))
            .ToList();
        Assert.True(sites.Count == 0, string.Join('\n', sites));
    }

    [Fact]
    public void Numbers_AreWhatTheyAre_HoweverManyCome()
    {
        using var scope = torch.NewDisposeScope();
        var one = torch.ones(1, torch.float64);
        for (var i = 0L; i < 3000; i++)
        {
            var (number, whole) = (i / 7.0, i % 2000);
            Assert.Equal(number, (one * KeptScalars.Kept(number)).item<double>());
            Assert.Equal(whole, (one * KeptScalars.Kept(whole)).item<double>());
        }

        Assert.True(double.IsNaN((one * KeptScalars.Kept(double.NaN)).item<double>()));
    }

    // Either optimizer's step is virtual, which the test above does not see.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void MomentumSgd_MovesAsTorchSharpsSgdDoes(bool nesterov)
    {
        using var scope = torch.NewDisposeScope();
        var (ours, theirs) = (new Parameter(torch.ones(5)), new Parameter(torch.ones(5)));
        using var reference = torch.optim.SGD([theirs], 0.1, 0.9, weight_decay: 5e-3, nesterov: nesterov);
        // A group with settings of its own, as TorchSharp's takes them.
        var (oursToo, theirsToo) = (new Parameter(torch.ones(5)), new Parameter(torch.ones(5)));
        using var own = new MomentumSgd([new ParameterGroup([ours]), new ParameterGroup([oursToo], Rate: 0.3, Decay: 20)], 0.1, 0.9, 5e-3, nesterov);
        reference.add_param_group(new SGD.ParamGroup([theirsToo], lr: 0.03, momentum: 0.9, weight_decay: 0.1, nesterov: nesterov));
        Descend([ours, oursToo], own);
        Descend([theirs, theirsToo], reference);
        Assert.Equal(theirs.data<float>().ToArray(), ours.data<float>().ToArray());
        Assert.Equal(theirsToo.data<float>().ToArray(), oursToo.data<float>().ToArray());
        Assert.NotEqual(1, ours[0].item<float>());
        Assert.NotEqual(oursToo[0].item<float>(), ours[0].item<float>());
    }

    [Fact]
    public void DecoupledAdam_MovesAsTorchSharpsAdamWDoes()
    {
        using var scope = torch.NewDisposeScope();
        var (ours, theirs) = (new Parameter(torch.ones(5)), new Parameter(torch.ones(5)));
        var (oursToo, theirsToo) = (new Parameter(torch.ones(5)), new Parameter(torch.ones(5)));
        using var own = new DecoupledAdam([new ParameterGroup([ours]), new ParameterGroup([oursToo], Rate: 0.5, Decay: 0)], 0.01, 0.9, 0.05);
        using var reference = torch.optim.AdamW([theirs], 0.01, 0.9, 0.999, weight_decay: 0.05);
        using var referenceToo = torch.optim.AdamW([theirsToo], 0.005, 0.9, 0.999, weight_decay: 0);
        Descend([ours, oursToo], own);
        Descend([theirs], reference);
        Descend([theirsToo], referenceToo);
        Assert.All(theirs.data<float>().ToArray().Zip(ours.data<float>().ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-6f));
        Assert.All(theirsToo.data<float>().ToArray().Zip(oursToo.data<float>().ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-6f));
        Assert.NotEqual(oursToo[0].item<float>(), ours[0].item<float>());
    }

    [Fact]
    public void PolicyAdam_MovesAsTorchSharpsAdamDoes()
    {
        using var scope = torch.NewDisposeScope();
        var (ours, theirs) = (new Parameter(torch.ones(5)), new Parameter(torch.ones(5)));
        using var own = new PolicyAdam([ours], 0.01, 0.5, 0.999);
        using var reference = torch.optim.Adam([theirs], 0.01, 0.5, 0.999);
        Descend([ours], own);
        Descend([theirs], reference);
        Assert.All(theirs.data<float>().ToArray().Zip(ours.data<float>().ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-6f));
        Assert.NotEqual(1, ours[0].item<float>());
    }

    [Fact]
    public void CollectionsDuringNativeCalls_FreeNothingThatTheyRead()
    {
        // With TorchSharp's own operators libtorch meets freed numbers within a second of this.
        using var done = new CancellationTokenSource();
        var collector = new Thread(() =>
        {
            while (!done.IsCancellationRequested)
            {
                GC.Collect(0);
                Thread.SpinWait(2000);
            }
        });
        collector.Start();
        try
        {
            using var network = NetworkCatalogue.Create("resnet8", 10, [0.5, 0.5, 0.5], [0.25, 0.25, 0.25]);
            network.eval();
            using var scope = torch.NewDisposeScope();
            using var generator = new torch.Generator(1);
            var images = torch.rand([8, 3, 8, 8], generator: generator);
            var model = new AttackedModel(network);
            var labels = model.Logits(images).argmax(1);
            foreach (var norm in new[] { Norm.L2, Norm.L1 })
            {
                var threat = new ThreatModel(norm, 1e-3);
                new SquareAttack(threat, 25).Perturb(model, images, labels, 0, [0, 1, 2, 3, 4, 5, 6, 7]).Dispose();
            }

            using var search = new PolicySearch(network.Space, new EwsRecipe { PolicyEvery = 1 }, 0);
            for (var step = 0; step < 6; step++)
            {
                search.Propose(new SearchContext(new SeededRandom(0, RandomUse.Proposal, 0, step)));
                search.Learn(step, new SeededRandom(0, RandomUse.Proposal, 0, step), 0.5);
            }
        }
        finally
        {
            done.Cancel();
            collector.Join();
        }
    }

    private static void Descend(Parameter[] weights, torch.optim.Optimizer optimizer)
    {
        var slope = torch.tensor(new[] { 1f, -2f, 0.5f, 3f, 0f });
        for (var step = 0; step < 4; step++)
        {
            optimizer.zero_grad();
            foreach (var one in weights)
            {
                (one * one * slope).sum().backward();
            }

            optimizer.step();
        }
    }

    private static IEnumerable<MethodReference> Called(MethodDefinition method) => method.HasBody
        ? method.Body.Instructions.Select(instruction => instruction.Operand).OfType<MethodReference>().Select(called => called.GetElementMethod())
        : [];
}
