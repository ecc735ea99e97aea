using SkiaSharp;
using WeakLink.Sources;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Sources;

/// <summary>Splits and classes are told apart by what folders hold and what stands beside them.</summary>
public class FolderLayoutTests
{
    // Folders with their number of images; then classes, all images, test images (0: held out), and what is said.
    [Theory]
    [InlineData("Training/a=10 Training/b=10 Testing/a=3 Testing/b=3", "a b", 26, 6, "")]
    [InlineData("TRAIN/a=10 TRAIN/b=10 VAL/a=3 VAL/b=3", "a b", 26, 6, "no 'test'")]
    [InlineData("train/a=10 train/b=10 Valid/a=3 Valid/b=3 Test/a=4 Test/b=4", "a b", 34, 8, "")]
    [InlineData("train/a=10 train/b=10 validation/a=3 validation/b=3 evaluation/a=4 evaluation/b=4", "a b", 34, 8, "")]
    [InlineData("training_set/a=10 training_set/b=10 test-set/a=3 test-set/b=3", "a b", 26, 6, "")]
    [InlineData("seg_train/seg_train/a=10 seg_train/seg_train/b=10 seg_test/seg_test/a=3 seg_test/seg_test/b=3", "a b", 26, 6, "")]
    [InlineData("train/a=10 train/b=10", "a b", 20, 0, "")]
    [InlineData("train/a=10 train/b=10 test/a=3 test/b=3 all/x=2", "a b", 26, 6, "'all' beside the splits")]
    [InlineData("train/a=10 train/b=10 test=7", "a b", 20, 0, "'test'")]
    [InlineData("train/a=10 train/b=10 test/a=3 test/b=0", "a b", 23, 3, "no images of b")]
    [InlineData("train/a=10 train/b=10 train/c=10 test/a=3", "a b c", 33, 3, "no images of b, c")]
    [InlineData("apple=10 bus=10 train=10", "apple bus train", 30, 0, "'train'")]
    [InlineData("control=10 test=10", "control test", 20, 0, "'test'")]
    [InlineData("trains=10 tests=10", "tests trains", 20, 0, "")]
    [InlineData("apple/images=10 bus/images=10 train/images=10", "apple bus train", 30, 0, "'train'")]
    [InlineData("apple/red=5 apple/green=5 test/red=5 test/blue=5", "apple test", 20, 0, "'test'")]
    [InlineData("cat/test=5 cat/train=5 dog/test=5 dog/train=5", "cat dog", 20, 0, "put them outside")]
    [InlineData("apprendre/a=5 apprendre/b=5 essai/a=5 essai/b=5", "apprendre essai", 20, 0, "call them train")]
    [InlineData("a=10 b=10 c=1", "a b c", 21, 0, "no images of c (1 of 3 classes) among the test images")]
    public void FoldersAreSplitsOrClasses(string folders, string classes, int images, int test, string said)
    {
        using var folder = new TemporaryFolder();
        Write(folder, folders);
        var told = new Told();
        var splits = Open(folder.Path, told);
        Assert.Equal(classes.Split(' '), splits.Train.Classes);
        Assert.Equal(images, Count(splits));
        Assert.True(test == 0 || test == splits.Test.Count);
        if (said.Length == 0)
        {
            Assert.Empty(told.Notes);
        }
        else
        {
            Assert.Contains(told.Notes, note => note.Contains(said, StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("train=5 test=5", "class folders")]
    [InlineData("train=5", "class folders")]
    [InlineData("test/a=5 test/b=5", "no 'train' folder")]
    [InlineData("train/a=5 train/b=5 Training/a=5 Training/b=5", "'Training' and 'train'")]
    [InlineData("train/a=5 train/b=5 test/c=5", "'c'")]
    [InlineData("train/a=5 train/b=0", "'b'")]
    [InlineData("a=5", "only one class folder")]
    public void WhatCantBeTold_IsRefused(string folders, string said)
    {
        using var folder = new TemporaryFolder();
        Write(folder, folders);
        Assert.Contains(said, Assert.Throws<InputException>(() => Open(folder.Path, new Told())).Message.Replace(Path.Combine(folder.Path, "train", "b"), "'b'", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public void ClassesAlikeButForCapitals_AreNamed()
    {
        using var folder = new TemporaryFolder();
        Write(folder, "cat=5 Cat=5 dog=5");
        // A disk that takes them for one has one.
        Assert.SkipUnless(Directory.GetDirectories(folder.Path).Length == 3, "This disk takes both names for one.");
        var told = new Told();
        Assert.Equal(3, Open(folder.Path, told).Train.Classes.Count);
        Assert.Contains(told.Notes, note => note.Contains("capitals", StringComparison.Ordinal));
    }

    internal static void Write(TemporaryFolder folder, string folders)
    {
        foreach (var one in folders.Split(' '))
        {
            var (name, count) = (one.Split('=')[0], int.Parse(one.Split('=')[1], System.Globalization.CultureInfo.InvariantCulture));
            Directory.CreateDirectory(folder[name]);
            for (var i = 0; i < count; i++)
            {
                Pictures.Write(folder[$"{name}/{i}.png"], new SKColor((byte)i, 0, 0));
            }
        }
    }

    internal static DataSplits Open(string path, IRunObserver observer) => DataSources.Open(new DataRecipe { Source = path }, 0, observer);

    internal static int Count(DataSplits splits) => splits.Train.Count + splits.Validation.Count + splits.Test.Count;

    /// <summary>Keeps what is said.</summary>
    internal sealed class Told : IRunObserver
    {
        public List<string> Notes { get; } = [];

        public void Begin(string name, long total, string unit, long done = 0)
        {
        }

        public void Advance(long done, string detail = "")
        {
        }

        public void Epoch(EpochMetrics metrics)
        {
        }

        public void Note(string sentence) => Notes.Add(sentence);
    }
}
