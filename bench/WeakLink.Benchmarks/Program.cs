using WeakLink.Benchmarks;

if (args is not [var name, ..])
{
    Console.WriteLine("usage: dotnet run -c Release --project bench/WeakLink.Benchmarks -- steps | memory | loading");
    return 2;
}

Console.WriteLine($"{Machine.Describe()}\n");
switch (name)
{
    case "steps":
        StepBenchmark.Run();
        return 0;
    case "memory":
        MemoryBenchmark.Run();
        return 0;
    case "loading":
        LoadingBenchmark.Run();
        return 0;
    default:
        Console.Error.WriteLine($"There is no benchmark '{name}': choose steps, memory or loading.");
        return 2;
}
