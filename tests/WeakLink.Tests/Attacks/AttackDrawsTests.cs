using TorchSharp;
using WeakLink.Attacks;
using WeakLink.Runtime;

namespace WeakLink.Tests.Attacks;

/// <summary>What attacks draw, seen on a network that does not lead every start to the same end, as a linear one does.</summary>
public sealed class AttackDrawsTests : IDisposable
{
    private const int Side = 6, Classes = 4, Images = 6;
    private readonly torch.nn.Module<torch.Tensor, torch.Tensor> _network;

    public AttackDrawsTests()
    {
        NativeLibraries.Load();
        using var generator = torch.manual_seed(3);
        _network = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3, padding: 1), torch.nn.Tanh(), torch.nn.Flatten(), torch.nn.Linear(8 * Side * Side, 16), torch.nn.Tanh(), torch.nn.Linear(16, Classes));
        _network.eval();
    }

    public static TheoryData<Norm> Norms => [.. Enum.GetValues<Norm>()];

    public void Dispose() => _network.Dispose();

    [Theory]
    [MemberData(nameof(Norms))]
    public void TheSeed_IsAllThatDrawsFollowFrom_InEveryAttackThatDraws(Norm norm)
    {
        using var scope = torch.NewDisposeScope();
        var threat = new ThreatModel(norm, norm switch { Norm.Linf => 0.15, Norm.L2 => 1.5, _ => 15 });
        // Every kind of attack, and of its attempts the first that draws; null: it never does.
        List<(Attack Attack, int? Drawing)> attacks =
        [
            (new AutoPgd(threat, AutoPgdLoss.CrossEntropy, steps: 4), 0),
            (new AutoPgd(threat, AutoPgdLoss.TargetedDlr, steps: 4, targets: 2), 0),
            (new FastAdaptiveBoundary(threat, targeted: false, steps: 10, restarts: 2), 1),
            (new FastAdaptiveBoundary(threat, steps: 10, restarts: 2, targets: 1), 1),
            (new SquareAttack(threat, 20), 0),
        ];
        if (norm != Norm.L1)
        {
            attacks.Add((new ProjectedGradientDescent(threat, 2, threat.Epsilon / 10), 0));
            attacks.Add((ProjectedGradientDescent.Fgsm(threat), null));
        }

        var x = torch.rand([Images, 3, Side, Side], generator: new torch.Generator(4));
        var y = new AttackedModel(_network).Logits(x).argmax(1);
        foreach (var (attack, drawing) in attacks)
        {
            for (var attempt = 0; attempt < attack.Attempts(Classes); attempt++)
            {
                torch.Tensor Found(long seed) => attack.Run(attempt, new AttackedModel(_network), x, y, seed, [.. Enumerable.Range(0, Images).Select(i => (long)i)]);
                var (found, again, other) = (Found(1), Found(1), Found(2));
                Assert.True(found.equal(again).all().ToBoolean(), $"{attack.Name}, attempt {attempt}: twice the same seed");
                var moved = (found - other).abs().max().ToSingle();
                Assert.True(attempt >= drawing ? moved > 1e-4 : moved == 0, $"{attack.Name}, attempt {attempt}: another seed moves it by {moved}");
            }
        }
    }
}
