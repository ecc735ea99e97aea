using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using WeakLink.Fuzzing;

if (args is [Fuzzer.WorkerMode, var workersReader, var workersSeed, var first, var end, var folder])
{
    using var worker = new Worker(Catalogue.Named(workersReader), Number(workersSeed), folder);
    worker.Run(Number(first), Number(end), failure =>
    {
        Console.Out.WriteLine(JsonSerializer.Serialize(failure));
        Console.Out.Flush();
    });
    return 0;
}

var mutations = new Option<long>("--mutations") { Description = "Damaged files in all: as many for each reader, fewer for those that take long.", HelpName = "N", DefaultValueFactory = _ => 20_000 };
var names = new Option<string[]>("--reader") { Description = "Only this reader; may be repeated (default: all).", HelpName = "NAME", AllowMultipleArgumentsPerToken = true };
var seed = new Option<long>("--seed") { Description = "Decides the damages.", HelpName = "N", DefaultValueFactory = _ => 0 };
var only = new Option<long?>("--only") { Description = "Only the mutation of this number, in this process and with its whole exception.", HelpName = "N" };
var keep = new Option<string>("--keep") { Description = "Where the files of failures are kept.", HelpName = "DIR", DefaultValueFactory = _ => "fuzz-failures" };
var root = new RootCommand("Let every reader of WeakLink read damaged files: each has to be read to its value or refused with a sentence.") { mutations, names, seed, only, keep };
root.SetAction(parsed =>
{
    IReadOnlyList<Reader> readers = parsed.GetValue(names) is { Length: > 0 } chosen ? [.. chosen.Select(Catalogue.Named)] : Catalogue.All;
    if (parsed.GetValue(only) is { } number)
    {
        var scratch = Directory.CreateTempSubdirectory("weaklink-fuzz-").FullName;
        using var worker = new Worker(readers[0], parsed.GetValue(seed), scratch);
        worker.Run(number, number + 1, failure => Console.WriteLine(failure.Detail));
        Console.WriteLine($"The file is {Keep(worker, readers[0], number)}.");
        Directory.Delete(scratch, recursive: true);
        return 0;
    }

    var fuzzer = new Fuzzer(parsed.GetValue(seed));
    var each = parsed.GetValue(mutations) / readers.Sum(reader => reader.Share);
    var total = new Outcomes(0, 0, 0, 0, 0, 0);
    Console.WriteLine("| reader | mutations | same value | other value | sentence | failures | processor seconds |\n|---|---:|---:|---:|---:|---:|---:|");
    foreach (var reader in readers)
    {
        var failures = new List<Failure>();
        var outcomes = fuzzer.Run(reader, 0, (long)Math.Ceiling(each * reader.Share), failures.Add);
        Row(reader.Name, outcomes);
        total += outcomes;
        foreach (var failure in failures)
        {
            Console.Error.WriteLine($"{reader.Name}: --reader {reader.Name} --seed {parsed.GetValue(seed)} --only {failure.Number} {failure.Detail}");
        }

        if (failures.Count > 0)
        {
            var scratch = Directory.CreateTempSubdirectory("weaklink-fuzz-").FullName;
            using var worker = new Worker(reader, parsed.GetValue(seed), scratch);
            failures.ForEach(failure => Keep(worker, reader, failure.Number));
            Directory.Delete(scratch, recursive: true);
        }
    }

    Row("all", total);
    return total.Failed == 0 ? 0 : 1;

    string Keep(Worker worker, Reader reader, long number)
    {
        var path = Path.Combine(Directory.CreateDirectory(parsed.GetValue(keep)!).FullName, FormattableString.Invariant($"{reader.Name}-{parsed.GetValue(seed)}-{number}{Path.GetExtension(reader.FileName)}"));
        File.WriteAllBytes(path, worker.File(number));
        return path;
    }
});
return root.Parse(args).Invoke();

static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

static void Row(string name, Outcomes outcomes) => Console.WriteLine(FormattableString.Invariant(
    $"| {name} | {outcomes.Mutations:n0} | {outcomes.Same:n0} | {outcomes.Other:n0} | {outcomes.Sentences:n0} | {outcomes.Failed:n0} | {outcomes.Seconds:n0} |"));
