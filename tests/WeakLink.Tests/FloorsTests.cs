using Mono.Cecil;

namespace WeakLink.Tests;

public class FloorsTests
{
    // From the ground up. A room uses the rooms before it in this list, and no other.
    private static readonly string[] Rooms =
    [
        "Core", "Runtime", "Processes", "Files", "Imaging", "Data", "Sources", "Subnets", "Models", "Augmentations", "Corruptions", "Perturbations", "Attacks", "Objectives", "Recipes", "Training",
        "Evaluation", "Runs", "Interop", "Comparisons", "Reports", "Experiments",
    ];

    [Fact]
    public void ARoomUsesOnlyTheRoomsBelowIt()
    {
        using var assembly = ModuleDefinition.ReadModule(typeof(InputException).Assembly.Location);
        var types = assembly.GetTypes().Where(type => Room(type) is not null).ToList();
        Assert.Empty(types.Select(type => Room(type)!).Distinct().Except(Rooms));
        var edges = types.SelectMany(type => Used(type, assembly).Select(used => (From: type, To: used))).ToList();
        Assert.True(edges.Count > 1000, "the assembly was not read");
        Assert.Equal([], edges
            .Where(edge => Array.IndexOf(Rooms, Room(edge.From)) < Array.IndexOf(Rooms, Room(edge.To)))
            .Select(edge => $"{Outermost(edge.From).Name} ({Room(edge.From)}) uses {Outermost(edge.To).Name} ({Room(edge.To)}), which is above it")
            .Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void AFileLiesInTheFolderOfItsNamespace()
    {
        var root = Path.Combine(Repository.Path, "src/WeakLink");
        var misplaced = Rooms
            .SelectMany(room => Directory.EnumerateFiles(Path.Combine(root, room), "*.cs").Select(file => (room, file)))
            .Where(pair => !File.ReadLines(pair.file).Contains(pair.room == "Core" ? "namespace WeakLink;" : $"namespace WeakLink.{pair.room};"))
            .Select(pair => Path.GetRelativePath(root, pair.file));
        Assert.Empty(misplaced);
        Assert.Empty(Directory.EnumerateFiles(root, "*.cs"));
    }

    // Null: what the compiler made.
    private static string? Room(TypeDefinition type) => Outermost(type).Namespace switch
    {
        "WeakLink" => "Core",
        { } space when space.StartsWith("WeakLink.", StringComparison.Ordinal) => space["WeakLink.".Length..],
        _ => null,
    };

    private static TypeDefinition Outermost(TypeDefinition type) => type.DeclaringType is { } outer ? Outermost(outer) : type;

    private static IEnumerable<TypeDefinition> Used(TypeDefinition type, ModuleDefinition assembly)
    {
        var named = new List<TypeReference?> { type.BaseType };
        named.AddRange(type.Interfaces.Select(each => each.InterfaceType));
        named.AddRange(type.CustomAttributes.Concat(type.Fields.SelectMany(field => field.CustomAttributes)).Concat(type.Properties.SelectMany(property => property.CustomAttributes)).Select(each => each.AttributeType));
        named.AddRange(type.Fields.Select(field => field.FieldType));
        foreach (var method in type.Methods)
        {
            Add(method);
            if (method.HasBody)
            {
                named.AddRange(method.Body.Variables.Select(variable => variable.VariableType));
                foreach (var operand in method.Body.Instructions.Select(instruction => instruction.Operand))
                {
                    switch (operand)
                    {
                        case MethodReference called:
                            Add(called);
                            break;
                        case FieldReference field:
                            named.AddRange([field.DeclaringType, field.FieldType]);
                            break;
                        case TypeReference reference:
                            named.Add(reference);
                            break;
                    }
                }
            }
        }

        return named.SelectMany(Parts).Where(part => part.Scope == assembly).Select(part => part.Resolve()).Where(part => part is not null && Room(part) is not null).Distinct();

        void Add(MethodReference method)
        {
            named.AddRange([method.DeclaringType, method.ReturnType, .. method.Parameters.Select(parameter => parameter.ParameterType)]);
            if (method is GenericInstanceMethod generic)
            {
                named.AddRange(generic.GenericArguments);
            }
        }
    }

    // List<Subnet[]> names List and Subnet.
    private static IEnumerable<TypeReference> Parts(TypeReference? type) => type switch
    {
        null or GenericParameter => [],
        GenericInstanceType generic => generic.GenericArguments.SelectMany(Parts).Append(generic.ElementType),
        TypeSpecification specification => Parts(specification.ElementType),
        _ => [type],
    };
}
