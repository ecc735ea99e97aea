using WeakLink.Tests.Data;

namespace WeakLink.Tests.Fuzzing;

public class ReaderTests
{
    // Of each reader, with the seed of this test alone; docs/reliability.md says how any number is tried by hand.
    private const int Mutations = 150;
    private const long Seed = 19;

    public static TheoryData<string> Readers => [.. Catalogue.All.Select(reader => reader.Name)];

    [Theory]
    [MemberData(nameof(Readers))]
    public void DamagedFiles_GiveTheirValueOrASentence(string reader)
    {
        Assert.SkipWhen(reader == "videos" && OperatingSystem.IsWindows(), "what stands for ffmpeg is a shell script");
        var failures = new List<Failure>();
        var outcomes = new Fuzzer(Seed).Run(Catalogue.Named(reader), 0, Mutations, failures.Add);
        Assert.True(outcomes.Failed == 0, string.Join('\n', failures.Select(failure => $"dotnet run -c Release --project tests/WeakLink.Fuzzing -- --reader {reader} --seed {Seed} --only {failure.Number}: {failure.Detail}")));
        Assert.Equal(Mutations, outcomes.Same + outcomes.Other + outcomes.Sentences);
        Assert.NotEqual(Mutations, outcomes.Same);
    }

    [Fact]
    public void AMutation_FollowsFromReaderSeedAndNumber()
    {
        var mutation = new Mutation([[.. Enumerable.Range(0, 100).Select(i => (byte)i)]], isText: false);
        Assert.Equal(mutation.Create("a", 1, 2), mutation.Create("a", 1, 2));
        Assert.NotEqual(mutation.Create("a", 1, 2), mutation.Create("a", 1, 3));
        Assert.NotEqual(mutation.Create("a", 1, 2), mutation.Create("a", 2, 2));
        Assert.NotEqual(mutation.Create("a", 1, 2), mutation.Create("b", 1, 2));
    }

    [Theory]
    [InlineData("", "FormatException")]
    [InlineData("two\nlines", "")]
    [InlineData("a sentence", "")]
    [InlineData("other", "other value")]
    [InlineData("memory", "memory")]
    public void AReaderThatFails_IsNoticed(string what, string kind)
    {
        var right = new byte[] { 1, 2, 3 };
        var reader = new Reader("test", "x.bin", [], () => [right], (input, value) =>
        {
            if (input.Bytes.AsSpan().SequenceEqual(right))
            {
                return;
            }

            switch (what)
            {
                case "other":
                    value.Add(1);
                    break;
                case "memory":
                    GC.KeepAlive(new byte[300 << 20]);
                    break;
                default:
                    throw what.Length > 0 ? new InputException(what) : new FormatException();
            }
        })
        { IsChecked = true };
        using var folder = new TemporaryFolder();
        var failures = new List<Failure>();
        using (var worker = new Worker(reader, 0, folder.Path))
        {
            worker.Run(0, 20, failures.Add);
        }

        if (kind.Length == 0)
        {
            Assert.Empty(failures);
        }
        else
        {
            Assert.StartsWith(kind, Assert.Single(failures).Kind, StringComparison.Ordinal);
        }
    }
}
