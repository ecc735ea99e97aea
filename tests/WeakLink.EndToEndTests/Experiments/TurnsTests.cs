using WeakLink.Experiments;

namespace WeakLink.Tests.Experiments;

public class TurnsTests
{
    [Fact]
    public void OneGoesOn_AfterTheOther()
    {
        var seen = new List<string>();
        int[] steps = [3, 1, 2];
        Turns.Take(3, (which, pass) =>
        {
            for (var step = 0; step < steps[which]; step++)
            {
                seen.Add($"{which}.{step}");
                pass();
            }
        });
        Assert.Equal(["0.0", "1.0", "2.0", "0.1", "2.1", "0.2"], seen);
    }

    [Fact]
    public void AFailure_EndsAll_AndIsThrown()
    {
        var steps = new int[3];
        var thrown = Assert.Throws<InputException>(() => Turns.Take(3, (which, pass) =>
        {
            while (true)
            {
                steps[which]++;
                if (which == 1 && steps[1] == 2)
                {
                    throw new InputException("No more.");
                }

                pass();
            }
        }));
        Assert.Equal("No more.", thrown.Message);
        Assert.Equal([2, 2, 1], steps);
    }
}
