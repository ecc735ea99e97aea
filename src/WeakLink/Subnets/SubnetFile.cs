using System.Text;
using System.Text.Json;

namespace WeakLink.Subnets;

/// <summary>A subnet as a file: which network it is of, and what it keeps of each choice, by name. A JSON document that holds a checksum of itself.</summary>
public static class SubnetFile
{
    /// <summary>Writes a subnet, whole or not at all.</summary>
    /// <param name="path">The file.</param>
    /// <param name="network">The network's name.</param>
    /// <param name="space">What the network chooses.</param>
    /// <param name="subnet">A subnet of it.</param>
    /// <exception cref="InputException">The file can't be written.</exception>
    public static void Write(string path, string network, SubnetSpace space, Subnet subnet)
    {
        subnet.RequireOf(space);
        var document = new Document(network, [.. space.Choices.Zip(subnet.Kept, (choice, kept) => new KeptItems(choice.Name, choice.Items, kept))]);
        AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(Json.Sealed(document) + "\n")));
    }

    /// <summary>Reads a subnet of a network.</summary>
    /// <param name="path">A file that <see cref="Write"/> made.</param>
    /// <param name="network">The network's name.</param>
    /// <param name="space">What the network chooses.</param>
    /// <exception cref="InputException">The file is missing or damaged, or its subnet is of another network.</exception>
    public static Subnet Read(string path, string network, SubnetSpace space)
    {
        if (!File.Exists(path))
        {
            throw new InputException($"There is no subnet file '{path}': a study of subnets writes them into its folder, a run its weakest as {WeakestName}.");
        }

        Document document;
        try
        {
            document = Json.ReadSealed<Document>(path, since: "network");
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new InputException($"'{path}' is not a subnet that WeakLink wrote: {Json.Problem(exception)}. Give another file, or search again.", exception);
        }

        if (document.Network != network)
        {
            throw new InputException($"The subnet '{path}' is one of {document.Network}, not of {network}: give the model that it was found in.");
        }

        // A network of the same name may have another width multiplier.
        if (!document.Choices.Select(kept => new Choice(kept.Name, kept.Items)).SequenceEqual(space.Choices))
        {
            var other = space.Choices.Zip(document.Choices).FirstOrDefault(pair => pair.First != new Choice(pair.Second.Name, pair.Second.Items));
            throw new InputException(other.First is null
                ? $"The subnet '{path}' makes {document.Choices.Count} choices, this {network} has {space.Choices.Count}: give the model that it was found in."
                : $"The subnet '{path}' chooses of {other.Second.Items} items of '{other.Second.Name}', this {network} of {other.First.Items} of '{other.First.Name}': give the model that it was found in.");
        }

        var subnet = new Subnet([.. document.Choices.Select(kept => kept.Kept)]);
        try
        {
            subnet.RequireOf(space);
        }
        catch (ArgumentException exception)
        {
            throw new InputException($"'{path}' is damaged: {exception.Message} Give another file, or search again.", exception);
        }

        return subnet;
    }

    /// <summary>What a run folder calls the weakest subnet that was measured of its network.</summary>
    public const string WeakestName = "weakest-subnet.json";

    private sealed record Document(string Network, IReadOnlyList<KeptItems> Choices);

    private sealed record KeptItems(string Name, int Items, IReadOnlyList<long> Kept);
}
