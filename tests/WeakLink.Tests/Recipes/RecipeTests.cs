using CsCheck;
using TorchSharp;
using WeakLink.Data;
using WeakLink.Evaluation;
using WeakLink.Experiments;
using WeakLink.Imaging;
using WeakLink.Models;
using WeakLink.Recipes;
using WeakLink.Runs;
using WeakLink.Runtime;
using WeakLink.Sources;
using WeakLink.Subnets;

namespace WeakLink.Tests.Recipes;

public class RecipeTests
{
    [Theory]
    [InlineData("")]
    [InlineData("\n# all is as it is\n")]
    public void AnEmptyRecipe_IsRefused(string text)
    {
        var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():n}.yaml");
        File.WriteAllText(path, text);
        Assert.Contains("is empty", Assert.Throws<InputException>(() => RecipeFile.Load(path, ["seed=1"])).Message, StringComparison.Ordinal);
        File.Delete(path);
    }

    [Fact]
    public void EveryRecipe_SurvivesBeingWrittenAndRead()
    {
        Gen.Select(Gen.Long, Gen.Double[1e-6, 1], Gen.Int[1, 100_000], Gen.String[Gen.Char[' ', '~'], 1, 40], Gen.Bool).Sample((seed, number, integer, text, flag) =>
        {
            var recipe = new Recipe
            {
                Seed = seed,
                Name = text.Trim(),
                // Spaces alone are no path.
                Data = new DataRecipe { Source = $"photos{text.TrimEnd()}", SkipBadImages = flag },
                Training = new TrainingRecipe { Batch = integer, LearningRate = number, Milestones = [number / 2, (number / 2) + 0.25] },
                Ews = new EwsRecipe { Width = number, Kl = flag ? DivergenceMean.BatchAndClassMean : DivergenceMean.BatchMean },
            };
            var yaml = RecipeFile.ToYaml(recipe);
            var read = RecipeFile.Parse(yaml, "test");
            Assert.Equal(yaml, RecipeFile.ToYaml(read));
            Assert.Equal(recipe, read);
            Assert.Equal(recipe.Data with { Extra = [] }, read.Data with { Extra = [] });
            Assert.Equal(recipe.Ews, read.Ews);
            Assert.Equal(recipe.Training.Milestones, read.Training.Milestones);
        }, iter: 300);
    }

    [Theory]
    [InlineData("cifar-corruptions", "resnet50", 400, 128, 0.7, 1)]
    [InlineData("imagenet-corruptions", "resnet50-imagenet", 180, 256, 0.7, 1)]
    public void PublishedRecipes_HaveThePublishedSettings(string name, string network, int epochs, int batch, double width, double weight)
    {
        var recipe = RecipeFile.Load(name, []);
        Assert.Equal((network, epochs, batch), (recipe.Model.Name, recipe.Training.Epochs, recipe.Training.Batch));
        Assert.Equal((width, weight, 0.005), (recipe.Ews.Width, recipe.Ews.Weight, recipe.Ews.EntropyBonus));
        Assert.Equal((0.1, 0.9, true, 1e-4, 3), (recipe.Training.LearningRate, recipe.Training.Momentum, recipe.Training.Nesterov, recipe.Training.WeightDecay, recipe.Training.GradientClip));
        Assert.Equal((ScheduleKind.Step, 0.1), (recipe.Training.Schedule, recipe.Training.Drop));
        Assert.Equal([1.0 / 3, 2.0 / 3], recipe.Training.Milestones.Select(milestone => Math.Round(milestone * 3) / 3));
    }

    [Theory]
    [InlineData("cifar-adversarial", ObjectiveKind.Pgd, 0.1, 2.0 / 255)]
    [InlineData("cifar-trades", ObjectiveKind.Trades, 0, 0.007)]
    public void PublishedAdversarialRecipes_HaveThePublishedSettings(string name, ObjectiveKind kind, double smoothing, double step)
    {
        var recipe = RecipeFile.Load(name, []);
        Assert.Equal(("preact-resnet18", 200, 128), (recipe.Model.Name, recipe.Training.Epochs, recipe.Training.Batch));
        Assert.Equal((kind, smoothing, 6), (recipe.Objective.Kind, recipe.Objective.LabelSmoothing, recipe.Objective.Beta));
        Assert.Equal((0.1, 0.9, true, 5e-4, 0), (recipe.Training.LearningRate, recipe.Training.Momentum, recipe.Training.Nesterov, recipe.Training.WeightDecay, recipe.Training.GradientClip));
        Assert.Equal([100, 150], recipe.Training.Milestones.Select(milestone => milestone * recipe.Training.Epochs));
        Assert.Equal((0.9, 0.1, 0.01), (recipe.Ews.Width, recipe.Ews.Weight, recipe.Ews.EntropyBonus));
        var attack = recipe.Objective.InnerAttack();
        Assert.Equal((8.0 / 255, 10, step, kind == ObjectiveKind.Pgd), (attack.Threat.Epsilon, attack.Steps, attack.StepSize, attack.BatchStatistics));
    }

    [Theory]
    [InlineData("pgd", 2.0 / 255)]
    [InlineData("trades", 2.0 / 255)]
    [InlineData("fgsm", 10.0 / 255)]
    [InlineData("fgsm", 0.625, "objective.norm=l2", "objective.eps=0.5")]
    [InlineData("pgd", 0.125, "objective.norm=l2", "objective.eps=0.5")]
    [InlineData("pgd", 4.0 / 255, "objective.steps=5")]
    [InlineData("fgsm", 4.0 / 255, "objective.step-size=4/255")]
    public void StepSize_FollowsFromEpsilonAndSteps_UnlessItIsGiven(string kind, double expected, params string[] settings) =>
        Assert.Equal(expected, RecipeFile.Parse("", "my.yaml", [$"objective.kind={kind}", .. settings]).Objective.InnerAttack().StepSize, 1e-12);

    [Theory]
    [InlineData("objective.eps=8", "write 8/255")]
    [InlineData("objective.eps=eight", "such as 8/255")]
    [InlineData("objective.step-size=-1/255", "at least a millionth")]
    [InlineData("evaluation.attack=pdg", "did you mean 'pgd'", "evaluation.attack-eps=4/255")]
    [InlineData("evaluation.attack-eps=8", "write 8/255", "evaluation.attack=pgd")]
    [InlineData("objective.norm=l1", "linf or l2", "objective.kind=pgd", "objective.eps=1")]
    public void AnImpossibleAttack_IsRefusedWithItsKey_AndTheRemedy(string setting, string remedy, params string[] others)
    {
        var message = Assert.Throws<InputException>(() => RecipeFile.Parse("", "my.yaml", [setting, .. others])).Message;
        Assert.Contains(setting.Split('=')[0], message, StringComparison.Ordinal);
        Assert.Contains(remedy, message, StringComparison.Ordinal);
    }

    // A size of one norm says nothing in another.
    [Theory]
    [InlineData("", "objective.norm=l2", "objective.eps")]
    [InlineData("", "objective.norm=l2 objective.eps=8/255", null)]
    [InlineData("objective:\n  norm: l2", "", "objective.eps")]
    [InlineData("objective:\n  norm: l2", "objective.eps=0.5", null)]
    [InlineData("objective:\n  norm: l2\n  eps: 0.5", "objective.norm=l2", null)]
    [InlineData("objective:\n  norm: l2\n  eps: 0.5", "objective.norm=linf", "objective.eps")]
    [InlineData("objective:\n  norm: l2\n  eps: 0.5", "objective.eps=4/255 objective.norm=linf", null)]
    [InlineData("objective:\n  norm: linf\n  eps: 4/255", "objective.norm=linf", null)]
    [InlineData("", "evaluation.attack=apgd-ce evaluation.attack-norm=l1", "evaluation.attack-eps")]
    [InlineData("evaluation:\n  attack-norm: l2", "", null)]
    public void ASizeOfAnotherNorm_IsRefused(string yaml, string settings, string? key)
    {
        string[] all = ["objective.kind=pgd", .. settings.Split(' ', StringSplitOptions.RemoveEmptyEntries)];
        if (key is null)
        {
            // And what was accepted once always is.
            var recipe = RecipeFile.Parse(yaml, "my.yaml", all);
            Assert.Equal(recipe.Objective, RecipeFile.Parse(RecipeFile.ToYaml(recipe), "kept.yaml").Objective);
        }
        else
        {
            Assert.Contains($"{key} is ", Assert.Throws<InputException>(() => RecipeFile.Parse(yaml, "my.yaml", all)).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("crop,flip,augmux", "augmix")]
    [InlineData("crop,mixup,flip", "last")]
    [InlineData("crop,flip,flip", "twice")]
    [InlineData("crop,random-resized-crop", "both")]
    public void ASequenceThatCantWork_IsRefusedWithTheReason(string sequence, string reason) =>
        Assert.Contains(reason, Assert.Throws<InputException>(() => RecipeFile.Parse("", "my.yaml", [$"augmentation.sequence={sequence}"])).Message, StringComparison.Ordinal);

    [Fact]
    public void ARateOfTheOtherOptimiser_IsRefused()
    {
        Assert.Contains("0.001 for adamw", Assert.Throws<InputException>(() => RecipeFile.Load("small", ["training.optimiser=adamw"])).Message, StringComparison.Ordinal);
        Assert.Equal(0.002, RecipeFile.Load("small", ["training.optimiser=adamw", "training.learning-rate=0.002"]).Training.LearningRate);
    }

    [Theory]
    [InlineData("same", "random", 1)]
    [InlineData("adversarial", "random", 1)]
    [InlineData("crop", "random", 2)]
    [InlineData("augmix", "random", 2)]
    [InlineData("randaugment", "random", 2)]
    [InlineData("corrupted", "random", 2)]
    [InlineData("augmix", "off", 1)]
    public void TheLoader_MakesTheSubnetsView_WhereOneIsTaughtOnAnother(string view, string search, int count) =>
        Assert.Equal(count, AugmentationSequence.Views(new Recipe().With($"ews.view={view}", $"ews.search={search}"), 32, 32).Count);

    [Fact]
    public void Consistency_NeedsAugMix() =>
        Assert.Contains("'augmix'", Assert.Throws<InputException>(() => RecipeFile.Parse("", "my.yaml", ["objective.kind=consistency"])).Message, StringComparison.Ordinal);

    // Of images in 0 ... 255, as much code has them; a channel that hardly varies, and none at all, are images too.
    [Theory]
    [InlineData("123.675,116.28,103.53", "0.2,0.2,0.2", "model.mean is 123.675, 116.28, 103.53, but must be in [0, 1], as images are: divide")]
    [InlineData("0.4,0.4,0.4", "58.395,57.12,57.375", "model.standard-deviation is 58.395, 57.12, 57.375, but must be in [0.0001, 1], as images are in [0, 1]: divide")]
    [InlineData("-1,0,0", "1,1,1", "model.mean")]
    [InlineData("0,0,0", "1,1,0.00001", "model.standard-deviation")]
    [InlineData("0,0,0", "1,1,0", "model.standard-deviation")]
    [InlineData("0,0.5,1", "0.0001,0.5,1", null)]
    public void Normalisation_IsOfImagesInZeroToOne(string mean, string deviation, string? reason)
    {
        Recipe Parse() => RecipeFile.Parse("", "my.yaml", [$"model.mean={mean}", $"model.standard-deviation={deviation}"]);
        if (reason is null)
        {
            Assert.Equal([0, 0.5, 1], Parse().Model.Mean);
        }
        else
        {
            Assert.Contains(reason, Assert.Throws<InputException>(Parse).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void EveryShippedRecipe_Loads()
    {
        Assert.Contains("shapes", RecipeFile.Names);
        Assert.All(RecipeFile.Names, name => Assert.Equal(name, RecipeFile.Load(name, []).Name));
    }

    [Theory]
    [InlineData("ews:\n  widht: 0.5", "ews.width")]
    [InlineData("training:\n  epoch: 5", "training.epochs")]
    [InlineData("modle:\n  name: resnet8", "model.name")]
    public void UnknownKey_NamesTheNearest(string yaml, string nearest) =>
        Assert.Contains($"'{nearest}'", Assert.Throws<InputException>(() => RecipeFile.Parse(yaml, "my.yaml")).Message);

    [Theory]
    [InlineData("ews.width=0")]
    [InlineData("ews.width=1.1")]
    [InlineData("ews.weight=-1")]
    [InlineData("training.batch=0")]
    [InlineData("training.epochs=-3")]
    [InlineData("training.learning-rate=NaN")]
    [InlineData("training.momentum=1")]
    [InlineData("training.milestones=0.6,0.3")]
    [InlineData("training.warmup=1")]
    [InlineData("training.precision=fp8")]
    [InlineData("data.validation=1")]
    [InlineData("data.skip-bad-images=perhaps")]
    [InlineData("objective.label-smoothing=1")]
    [InlineData("model.mean=0.5,0.5")]
    [InlineData("model.mean=0.5,0.5,0.5")]
    [InlineData("data.extra-fraction=1")]
    [InlineData("augmentation.augmix-severity=0")]
    [InlineData("augmentation.randaugment-magnitude=31")]
    [InlineData("augmentation.resized-crop-area=0")]
    public void ImpossibleValue_IsNamedWithItsKey(string setting)
    {
        var message = Assert.Throws<InputException>(() => RecipeFile.Parse("", "recipe", [setting])).Message;
        Assert.Contains(setting.StartsWith("model.mean=0.5,0.5,0.5", StringComparison.Ordinal) ? "model.standard-deviation" : setting.Split('=')[0], message);
    }

    // What training computes with is float32, and an integer too large for its key has a range to say.
    [Theory]
    [InlineData("training.weight-decay=1e39", "from 0 to 1000000")]
    [InlineData("training.weight-decay=1e-300", "float32")]
    [InlineData("training.learning-rate=1e-45", "float32")]
    [InlineData("objective.beta=1e300", "from 0 to")]
    [InlineData("ews.weight=1e39", "from 0 to")]
    [InlineData("augmentation.mixup-alpha=1e-20", "from 0.001 to 1000")]
    [InlineData("training.batch=99999999999", "from 1 to 1000000")]
    [InlineData("training.batch=1e3", "a whole number from 1 to")]
    [InlineData("seed=9223372036854775808", "a whole number")]
    [InlineData("model.mean=123.675,116.28,103.53", "by 255", "model.standard-deviation=0.2,0.2,0.2")]
    [InlineData("model.standard-deviation=58,57,57", "by 255", "model.mean=0.5,0.5,0.5")]
    [InlineData("objective.eps=1e-300", "millionth")]
    [InlineData("objective.step-size=1e-300", "millionth")]
    [InlineData("data.extra=[a", "not valid YAML")]
    public void NumbersBeyondWhatTheyAreStoredIn_AreRefusedWithTheLimits(string setting, string limits, params string[] others)
    {
        var message = Assert.Throws<InputException>(() => RecipeFile.Parse("", "recipe", [setting, .. others])).Message;
        Assert.Contains(setting.Split('=')[0], message, StringComparison.Ordinal);
        Assert.Contains(limits, message, StringComparison.Ordinal);
    }

    [Fact]
    public void EveryNumber_DeclaresItsLimits_AndTheDefaultKeepsToThem()
    {
        foreach (var (name, property, value) in Keys.Of(new Recipe()).Where(key => key.Value is int or double or IEnumerable<double>))
        {
            var limits = property.GetCustomAttributes(typeof(LimitsAttribute), false).Cast<LimitsAttribute>().SingleOrDefault();
            Assert.True(limits is not null, $"{name} has no limits");
            Assert.True(limits.Hold(value), $"{name}: {limits}");
            Assert.False(limits.Hold(double.NaN), name);
            Assert.True(limits.Most <= float.MaxValue, name);
        }
    }

    [Fact]
    public void ALambdaThatIsNeverReached_IsRefused()
    {
        Assert.Contains("ews.warmup is 0.5, but must be at most what ews.start=0.9 leaves", Assert.Throws<InputException>(() => new Recipe().With("ews.start=0.9", "ews.warmup=0.5")).Message, StringComparison.Ordinal);
        Assert.Equal(0.3, new Recipe().With("ews.start=0.7", "ews.warmup=0.3").Ews.Warmup);
    }

    // What is said of a value is the same wherever it came from; a file's line stands before it.
    [Theory]
    [InlineData("training.batch=-5", "training.batch is -5, but must be from 1 to 1000000.")]
    [InlineData("ews.width=1.5", "ews.width is 1.5, but must be above 0 and at most 1.")]
    [InlineData("training.milestones=[0.6, 0.3]", "training.milestones is 0.6, 0.3, but must be ascending.")]
    [InlineData("augmentation.sequence=flip,flip", "augmentation.sequence names 'flip' twice: leave one out.")]
    [InlineData("objective.kind=consistency", "objective.kind is consistency, which compares AugMix's mixtures of an image, but augmentation.sequence has no 'augmix': add it.")]
    public void OneSentence_ForAValueOfAFile_OfAnOverrideAndOfCode(string setting, string sentence)
    {
        var (key, value) = (setting.Split('=')[0], setting.Split('=')[1]);
        var made = key switch
        {
            "training.batch" => new Recipe { Training = new TrainingRecipe { Batch = -5 } },
            "ews.width" => new Recipe { Ews = new EwsRecipe { Width = 1.5 } },
            "training.milestones" => new Recipe { Training = new TrainingRecipe { Milestones = [0.6, 0.3] } },
            "augmentation.sequence" => new Recipe { Augmentation = new AugmentationRecipe { Sequence = ["flip", "flip"] } },
            _ => new Recipe { Objective = new ObjectiveRecipe { Kind = ObjectiveKind.Consistency } },
        };
        Assert.Equal(sentence, Message(() => RecipeCheck.Check(made)));
        Assert.Equal(sentence, Message(() => new Recipe().With(setting)));
        Assert.Equal(sentence, Message(() => RecipeFile.Parse("seed: 1", "my.yaml", [setting])));
        Assert.Equal($"my.yaml, line 2: {sentence}", Message(() => RecipeFile.Parse($"seed: 1\n{key}: {(value.Contains(',') && value[0] != '[' ? $"[{value}]" : value)}", "my.yaml")));

        static string Message(Action action) => Assert.Throws<InputException>(action).Message;
    }

    [Fact]
    public void AChoiceThatIsNone_IsRefusedWithTheChoices() => Assert.Equal(
        "training.schedule is 7, but must be one of step, cosine, one-cycle.",
        Assert.Throws<InputException>(() => RecipeCheck.Check(new Recipe { Training = new TrainingRecipe { Schedule = (ScheduleKind)7 } })).Message);

    // As if the recipe were written and read with the overrides on top of it.
    [Fact]
    public void With_ChangesTheKeysThatAreGiven_AndNoOther()
    {
        string[] settings = ["seed=7", "data.extra=['a, b', c]", "data.size=64", "model.dropout=0.5", "training.milestones=0.2,0.4", "training.nesterov=false", "ews.search=off", "objective.norm=l2", "objective.eps=0.5", "evaluation.attack=pgd"];
        Gen.Select(Gen.Int[0, RecipeFile.Names.Count - 1], Gen.Bool.Array[settings.Length]).Sample((recipe, chosen) =>
        {
            var from = RecipeFile.Load(RecipeFile.Names[recipe], []);
            var before = RecipeFile.ToYaml(from);
            string[] overrides = [.. settings.Where((_, i) => chosen[i])];
            var (expected, refusal) = Outcome(() => RecipeFile.Parse(before, "kept.yaml", overrides));
            var (changed, reason) = Outcome(() => from.With(overrides));
            Assert.Equal(expected, changed);
            // A kept file would say where it stands, too.
            Assert.EndsWith(reason ?? "", refusal ?? "", StringComparison.Ordinal);
            Assert.Equal(refusal is null, reason is null);
            Assert.Equal(before, RecipeFile.ToYaml(from));
        }, iter: 200);

        static (string? Yaml, string? Reason) Outcome(Func<Recipe> recipe)
        {
            try
            {
                return (RecipeFile.ToYaml(recipe()), null);
            }
            catch (InputException exception)
            {
                return (null, exception.Message);
            }
        }
    }

    [Fact]
    public void Recipes_AreEqualWhereTheirKeysAre()
    {
        var recipe = RecipeFile.Load("small", ["data.extra=a,b"]);
        Assert.Equal(recipe, RecipeFile.Load("small", ["data.extra=a,b"]));
        Assert.Equal(recipe.GetHashCode(), RecipeFile.Load("small", ["data.extra=a,b"]).GetHashCode());
        Assert.Equal(recipe, recipe.With("ews.width=0.3").With($"ews.width={recipe.Ews.Width}"));
        Assert.NotEqual(recipe, recipe.With("data.extra=['a, b']"));
        Assert.NotEqual(recipe, recipe.With("training.milestones=0.5"));
    }

    [Theory]
    [InlineData("ews.widht=0.5", "'ews.width'")]
    [InlineData("ews.width", "key=value")]
    [InlineData("ews.width=wide", "ews.width must be a number above 0 and at most 1, not 'wide'.")]
    [InlineData("training.schedule=linear", "choose step, cosine, one-cycle")]
    public void With_SaysWhatIsWrong(string setting, string reason) =>
        Assert.Contains(reason, Assert.Throws<InputException>(() => new Recipe().With(setting)).Message, StringComparison.Ordinal);

    [Fact]
    public void ResolvedRecipe_NamesItsFolders_WhereverItIsReadFrom()
    {
        using var folder = new WeakLink.Tests.Data.TemporaryFolder();
        var images = new MemoryDataset("images", ["a", "b"], 4, 4, [new byte[48], new byte[48]], [0, 1]);
        var here = Path.GetRelativePath(Environment.CurrentDirectory, folder.Path);
        Assert.False(Path.IsPathRooted(here));
        var evaluation = new EvaluationRecipe { CorruptedImages = here, PerturbedImages = here, FrostTextures = here };
        var recipe = new Recipe { Evaluation = evaluation, Training = new TrainingRecipe { Precision = Precision.Fp32, Layout = Layout.Contiguous } };
        var resolved = RecipeResolution.Resolve(recipe, new DataSplits(images, images, images, []), EnvironmentReport.Create(), torch.CPU, new SilentObserver()).Evaluation;
        Assert.Equal([folder.Path, folder.Path, folder.Path], [resolved.CorruptedImages, resolved.PerturbedImages, resolved.FrostTextures]);
    }

    [Fact]
    public void ARecipeMadeInCode_IsCheckedToo()
    {
        using var folder = new WeakLink.Tests.Data.TemporaryFolder();
        using var network = NetworkCatalogue.Create("resnet8", 2, [0.5, 0.5, 0.5], [0.25, 0.25, 0.25]);
        var images = new MemoryDataset("images", ["a", "b"], 4, 4, [new byte[48], new byte[48]], [0, 1]);
        var data = new DataSplits(images, images, images, []);
        var recipe = new Recipe { Data = new DataRecipe { Limit = -5 }, Training = new TrainingRecipe { Precision = Precision.Fp32, Layout = Layout.Contiguous } };
        foreach (var use in new Action[]
        {
            () => Experiment.Run(recipe, folder["run"], resume: false, new SilentObserver()),
            () => RunFolder.Open(folder["run"], recipe, images.Classes, new ImageSize(4, 4), new { }, resume: false),
            () => RecipeResolution.Resolve(recipe, data, EnvironmentReport.Create(), torch.CPU, new SilentObserver()),
            () => DataSources.Open(recipe.Data, 0, new SilentObserver()),
            () => Loaders.Training(recipe, data),
            () => Loaders.Measuring(recipe, images),
            () => Loaders.Recalibrating(recipe, images),
            () => _ = new Evaluator(network, recipe, images, torch.CPU, new SilentObserver()),
            () => SubnetStudyImages.Create(recipe, images, images, new SubnetStudyImagesOptions(), new SilentObserver()),
            () => new Recipe().With("data.limit=-5"),
        })
        {
            Assert.Equal("data.limit is -5, but must be at least 0.", Assert.Throws<InputException>(use).Message);
        }

        Assert.False(Path.Exists(folder["run"]));
        Assert.Equal("ews.width is NaN, but must be above 0 and at most 1.", Assert.Throws<InputException>(() => new PolicySearch(network.Space, new EwsRecipe { Width = double.NaN }, 0)).Message);
    }

    [Fact]
    public void PathsStayAsTheyAre_InFilesAndOverrides()
    {
        string[] paths = ["a, b/c", " begins and ends with a space ", "line\nbreak", "it's \"quoted\" \\", "- #:&*", "[x]"];
        var recipe = new Recipe { Data = new DataRecipe { Source = paths[2], Extra = paths } };
        var read = RecipeFile.Parse(RecipeFile.ToYaml(recipe), "kept.yaml");
        Assert.Equal(paths[2], read.Data.Source);
        Assert.Equal(paths, read.Data.Extra);
        var given = RecipeFile.Parse("", "my.yaml", [$"data.source={paths[1]}", $"data.extra={RecipeKeys.ListText(paths)}"]);
        Assert.Equal(paths[1], given.Data.Source);
        Assert.Equal(paths, given.Data.Extra);
        Assert.Equal(["a", "b"], RecipeFile.Parse("", "my.yaml", ["data.extra=a, b"]).Data.Extra);
    }

    [Fact]
    public void ASectionMayBeEmpty() => Assert.Equal(new EwsRecipe(), RecipeFile.Parse("ews:\n  # width: 0.5\nseed: 3", "my.yaml").Ews);

    [Theory]
    [InlineData("a: [1, 2")]
    [InlineData("- 1\n- 2")]
    [InlineData("just text")]
    public void WhatIsNoRecipe_IsRefused(string yaml) => Assert.Throws<InputException>(() => RecipeFile.Parse(yaml, "my.yaml"));

    [Theory]
    [InlineData("true", new[] { "crop", "flip" })]
    [InlineData("false", new[] { "crop" })]
    public void RecipesOfEarlierRuns_AreStillRead(string flip, string[] sequence) =>
        Assert.Equal(sequence, RecipeFile.Parse($"augmentation:\n  padding: 2\n  flip: {flip}", "recipe.yaml").Augmentation.Sequence);

    [Fact]
    public void Overrides_WinOverTheFile_AndTheLastOverEarlierOnes()
    {
        var recipe = RecipeFile.Parse("ews:\n  width: 0.5\ntraining:\n  epochs: 7", "my.yaml", ["ews.width=0.6", "ews.width=0.8", "training.milestones=[0.25, 0.5]"]);
        Assert.Equal((0.8, 7), (recipe.Ews.Width, recipe.Training.Epochs));
        Assert.Equal([0.25, 0.5], recipe.Training.Milestones);
    }
}
