using TorchSharp;
using WeakLink.Files;

namespace WeakLink.Models;

/// <summary>Tells the tensors of a file from those of a network.</summary>
internal static class ArchitectureMismatch
{
    private const int Listed = 8;

    /// <summary>Requires that the tensors are the network's.</summary>
    /// <param name="path">The file.</param>
    /// <param name="found">Its tensors, by the network's names.</param>
    /// <param name="network">The network.</param>
    /// <param name="wanted">Which of its tensors the file should hold.</param>
    /// <param name="described">What must be the same of both tensors of a name.</param>
    /// <param name="remedy">A sentence that says what to do.</param>
    /// <param name="mayBeMissing">Which of them the file may lack; null: none.</param>
    /// <exception cref="InputException">Tensors are missing, unknown or other ones, which are listed.</exception>
    public static void Refuse(
        string path,
        IReadOnlyDictionary<string, torch.Tensor> found,
        ClassifierNetwork network,
        IReadOnlyDictionary<string, torch.Tensor> wanted,
        Func<torch.Tensor, string> described,
        string remedy,
        Func<string, bool>? mayBeMissing = null)
    {
        var differences = wanted.Keys.Where(name => !found.ContainsKey(name) && mayBeMissing?.Invoke(name) != true).Select(name => $"'{name}' is missing")
            .Concat(found.Keys.Where(name => !wanted.ContainsKey(name)).Select(name => $"'{ParameterNames.Shown(name)}' is not part of the network"))
            .Concat(wanted.Where(pair => found.TryGetValue(pair.Key, out var other) && described(other) != described(pair.Value))
                .Select(pair => $"'{pair.Key}' is {described(found[pair.Key])} instead of {described(pair.Value)}"))
            .ToList();
        if (differences.Count > 0)
        {
            throw new InputException(
                $"The checkpoint '{path}' is of another architecture than {network.Name} with {network.Classes} classes: {string.Join(", ", differences.Take(Listed))}{(differences.Count > Listed ? $" and {differences.Count - Listed} more differences" : "")}. {remedy}");
        }
    }

    /// <summary>A tensor's sizes.</summary>
    public static string Shape(torch.Tensor tensor) => tensor.dim() == 0 ? "one number" : string.Join('x', tensor.shape);
}
