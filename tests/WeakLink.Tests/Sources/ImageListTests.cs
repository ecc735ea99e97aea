using SkiaSharp;
using WeakLink.Sources;
using WeakLink.Tests.Data;

namespace WeakLink.Tests.Sources;

public class ImageListTests
{
    [Theory]
    [InlineData("photos.csv", "file,label,note\r\na/0.png,cat,\"x, \"\"y\"\"\r\nz\"\r\n")]
    [InlineData("photos.tsv", "label\tfile\ncat\ta/0.png\n\n")]
    [InlineData("photos.CSV", "\ufefflabel,Path\ncat,a/0.png")]
    [InlineData("photos.jsonl", "{\"file_name\": \"a/0.png\", \"label\": \"cat\", \"id\": [1]}\n\n")]
    public void ALine_NamesAFileAndItsClass(string name, string first)
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder["a"], 1);
        File.WriteAllText(folder[name], first);
        var part = ImageList.Read(folder[name]).Train!;
        var (label, images) = Assert.Single(part.Classes);
        Assert.Equal(("cat", folder["a/0.png"]), (label, Assert.Single(images)));
    }

    [Fact]
    public void AList_IsSplitAsAFolderIs_WithNumbersInTheirOrder()
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder["x"], 11);
        File.WriteAllText(folder["photos.csv"], "file,label\n" + string.Concat(Directory.GetFiles(folder["x"], "*.png", SearchOption.AllDirectories).Select(file => $"{Path.GetRelativePath(folder.Path, file)},{(file.Contains("cat", StringComparison.Ordinal) ? 2 : 10)}\n")));
        var splits = Open(folder["photos.csv"]);
        Assert.Equal(["2", "10"], splits.Train.Classes);
        Assert.Equal("photos", splits.Train.Name);
        Assert.Equal((22, 4), (splits.Train.Count + splits.Validation.Count + splits.Test.Count, splits.Test.Count));
        Assert.All(Enumerable.Range(0, splits.Train.Count), i => Assert.Contains(splits.Train.Label(i) == 0 ? "cat" : "dog", splits.Train.Describe(i), StringComparison.Ordinal));
    }

    [Fact]
    public void ItsSplits_AreTaken_AndWithoutTestTheValidationImagesAreIt()
    {
        using var folder = new TemporaryFolder();
        Pictures.WriteClasses(folder.Path, 10);
        string Line(string name, int i, string split) => $"{{\"path\": \"{name}/{i:00}.png\", \"label\": \"{name}\", \"split\": \"{split}\"}}\n";
        string Lines(Func<int, string> split) => string.Concat(Enumerable.Range(0, 10).SelectMany(i => new[] { Line("cat", i, split(i)), Line("dog", i, split(i)) }));
        File.WriteAllText(folder["three.jsonl"], Lines(i => i < 6 ? "train" : i < 8 ? "Validation" : "test"));
        var splits = Open(folder["three.jsonl"]);
        Assert.Equal((12, 4, 4), (splits.Train.Count, splits.Validation.Count, splits.Test.Count));
        Assert.EndsWith("08.png", splits.Test.Describe(0), StringComparison.Ordinal);

        var notes = new Notes();
        File.WriteAllText(folder["two.jsonl"], Lines(i => i < 7 ? "train" : "val"));
        splits = DataSources.Open(new DataRecipe { Source = folder["two.jsonl"], Validation = 0.2 }, 0, notes);
        Assert.Equal((12, 2, 6), (splits.Train.Count, splits.Validation.Count, splits.Test.Count));
        Assert.Contains("are the test set", Assert.Single(notes.Sentences), StringComparison.Ordinal);

        // A trained network needs no training images.
        File.WriteAllText(folder["one.jsonl"], Lines(_ => "test"));
        Assert.Equal(20, DataSources.Open(new DataRecipe { Source = folder["one.jsonl"] }, ["bird", "cat", "dog"], 0, new Notes()).Test.Count);
        Assert.Contains("lists no training images", Assert.Throws<InputException>(() => Open(folder["one.jsonl"])).Message, StringComparison.Ordinal);

        // Beside others.
        Pictures.Write(folder["more/1.png"], SKColors.Red);
        File.WriteAllText(folder["more.csv"], "image,class\nmore/1.png,cat\n");
        Assert.Equal(1, DataSources.Open(new DataRecipe { Source = folder["three.jsonl"], Extra = [folder["more.csv"]] }, 0, new Notes()).Extra!.Images.Count);
    }

    [Theory]
    [InlineData("x.csv", "", "lists no images")]
    [InlineData("x.csv", "file,label\n", "lists no images")]
    [InlineData("x.csv", "name,label\n1.png,cat\n", "has no column file, but name, label")]
    [InlineData("x.csv", "file,kind\n1.png,cat\n", "has no column label")]
    [InlineData("x.csv", "file,label\n1.png,cat\n2.png\n", "gives '2.png' no label in line 3")]
    [InlineData("x.csv", "file,label\n,cat\n", "names no file in line 2")]
    [InlineData("x.csv", "file,label\n1.png,cat\n./1.png,dog\n", "names './1.png' in line 2 and in line 3")]
    [InlineData("x.csv", "file,label\n\"1.png,cat\n", "has a quotation mark in line 2 that nothing closes")]
    [InlineData("x.csv", "file,label\n\"1\".png,cat\n", "text behind a closing quotation mark in line 2")]
    [InlineData("x.csv", "file,label,split\n1.png,cat,other\n", "has 'other' in line 2 for a split")]
    [InlineData("x.csv", "file,label,split\n1.png,cat,train\n2.png,dog,test\n", "only one class ('cat')")]
    [InlineData("x.csv", "file,label,split\n1.png,cat,train\n2.png,dog,train\n3.png,Dog,test\n", "images of the class 'Dog' for validation or test, but none to train on")]
    [InlineData("x.jsonl", "{\"file\": \"1.png\", \"label\": \"cat\", \"split\": \"train\"}\n{\"file\": \"2.png\", \"label\": \"dog\"}\n", "gives no split in line 2")]
    [InlineData("x.jsonl", "[1]\n", "has no JSON object in line 1")]
    [InlineData("x.jsonl", "{\"file\": \"1.png\", \"label\": 1.5}\n", "has no JSON object in line 1")]
    [InlineData("x.csv", "file,label\n1.png,cat\n2.png,dog\n", "1.png' can't be opened")]
    public void AListThatCantBeUsed_IsASentence(string name, string text, string expected)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder[name], text);
        Assert.Contains(expected, Assert.Throws<InputException>(() => Open(folder[name])).Message, StringComparison.Ordinal);
    }

    private static DataSplits Open(string list) => DataSources.Open(new DataRecipe { Source = list }, 0, new Notes());
}
