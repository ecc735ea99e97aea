using WeakLink.Recipes;
using WeakLink.Training;

namespace WeakLink.Tests.Training;

public class LearningRateTests
{
    private const int StepsPerEpoch = 10;

    [Fact]
    public void Step_DropsTenfoldAtOneAndTwoThirdsOfTheEpochs()
    {
        // The published CIFAR setting: 400 epochs, 0.1, x0.1 at 133 and 266.
        var recipe = new TrainingRecipe { Epochs = 400, LearningRate = 0.1, Schedule = ScheduleKind.Step };
        Assert.Equal(0.1, At(recipe, 132, StepsPerEpoch - 1), 12);
        Assert.Equal(0.01, At(recipe, 133, 0), 12);
        Assert.Equal(0.01, At(recipe, 265, StepsPerEpoch - 1), 12);
        Assert.Equal(0.001, At(recipe, 266, 0), 12);
    }

    [Fact]
    public void Step_DropsAtEpochs100And150Of200()
    {
        var recipe = new TrainingRecipe { Epochs = 200, LearningRate = 0.1, Schedule = ScheduleKind.Step, Milestones = [0.5, 0.75] };
        Assert.Equal([0.1, 0.01, 0.01, 0.001], new[] { (99, 9), (100, 0), (149, 9), (150, 0) }.Select(at => Math.Round(At(recipe, at.Item1, at.Item2), 12)));
    }

    [Theory]
    [InlineData(1, new[] { 0.1 })]
    [InlineData(2, new[] { 0.1, 0.001 })]
    [InlineData(3, new[] { 0.1, 0.01, 0.001 })]
    public void Step_LeavesTheFirstEpochItsRate(int epochs, double[] rates)
    {
        var recipe = new TrainingRecipe { Epochs = epochs, LearningRate = 0.1, Schedule = ScheduleKind.Step };
        Assert.Equal(rates, Enumerable.Range(0, epochs).Select(epoch => Math.Round(At(recipe, epoch, 0), 12)));
    }

    [Fact]
    public void Cosine_IsHalfThePeakHalfway_AndFallsAllTheWay()
    {
        var recipe = new TrainingRecipe { Epochs = 10, LearningRate = 0.4, Schedule = ScheduleKind.Cosine };
        Assert.InRange(At(recipe, 0, 0), 0.399, 0.4);
        Assert.InRange(At(recipe, 5, 0), 0.19, 0.2);
        Assert.InRange(At(recipe, 9, 9), 0, 0.001);
    }

    [Fact]
    public void OneCycle_RisesOverTheWarmUp_AndFallsLinearlyToZero()
    {
        var recipe = new TrainingRecipe { Epochs = 10, LearningRate = 1, Schedule = ScheduleKind.OneCycle, Warmup = 0.2 };
        var rates = Enumerable.Range(0, 100).Select(step => LearningRate.At(recipe, step, StepsPerEpoch)).ToList();
        Assert.Equal(rates.Max(), rates[20], 12);
        Assert.Equal(rates.Take(20).Order(), rates.Take(20));
        Assert.Equal(rates.Skip(20).OrderDescending(), rates.Skip(20));
        Assert.InRange(rates[99], 0.0001, 0.01);
    }

    [Theory]
    [InlineData(ScheduleKind.Step)]
    [InlineData(ScheduleKind.Cosine)]
    [InlineData(ScheduleKind.OneCycle)]
    public void EverySchedule_StaysWithinZeroAndThePeak_WithAndWithoutWarmUp(ScheduleKind schedule)
    {
        foreach (var warmUp in new[] { 0, 0.5, 3 })
        {
            var recipe = new TrainingRecipe { Epochs = 7, LearningRate = 0.3, Schedule = schedule, Warmup = warmUp / 7.0 };
            Assert.All(Enumerable.Range(0, 70), step => Assert.InRange(LearningRate.At(recipe, step, StepsPerEpoch), 1e-9, 0.3));
        }
    }

    private static double At(TrainingRecipe recipe, int epoch, int step) => LearningRate.At(recipe, (epoch * StepsPerEpoch) + step, StepsPerEpoch);
}
