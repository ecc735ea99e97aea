using TorchSharp;
using WeakLink.Files;
using WeakLink.Models;

namespace WeakLink.Interop;

/// <summary>
/// The weights of a network in an ONNX graph, whatever the graph calls them: its operations are laid beside those that a network of WeakLink's computes, from the features
/// back to the images, and each tensor is what has its place there.
/// </summary>
internal sealed class OnnxWeights
{
    // What changes no value, or only its type.
    private static readonly string[] Passes = ["Identity", "Cast", "Dropout"];
    private static readonly string[] Ends = [.. Passes, "Softmax", "LogSoftmax"];
    private static readonly string[] Flattens = [.. Passes, "Flatten", "Reshape", "Squeeze"];
    private static readonly string[] Averages = ["GlobalAveragePool", "AveragePool", "ReduceMean"];

    // The operations before the first layer: centring and scaling.
    private const int Normalised = 2;

    // Of a normalisation, such as scaling to [0, 1], centring and scaling again.
    private const int MostSteps = 8;

    private readonly OnnxGraph _graph;
    private readonly string _features;
    private readonly (string Weight, string? Bias, bool Transposed)? _classifier;
    private readonly List<long[]> _kernels;

    /// <summary>Finds the end of the network.</summary>
    /// <exception cref="InvalidDataException">It does not end as residual networks do; the message is part of a sentence.</exception>
    public OnnxWeights(OnnxGraph graph)
    {
        _graph = graph;
        var value = Skip(graph.Output ?? throw new InvalidDataException("its graph has no output"), Ends);
        string? bias = null;
        var node = graph.Producer(value);
        if (node is { Operator: "Add", Inputs: [var one, var other] } && (graph.Holds(one) || graph.Holds(other)))
        {
            (bias, value) = graph.Holds(one) ? (one, other) : (other, one);
            node = graph.Producer(value);
        }

        if (node is { Operator: "Gemm" or "MatMul", Inputs: [var reads, var weight, ..] })
        {
            _classifier = (weight, node.Inputs.ElementAtOrDefault(2) ?? bias, node.Integer("transB", 0) != 0);
            value = reads;
        }

        value = Skip(value, Flattens);
        _features = graph.Producer(value) is { Inputs: [var pooled, ..] } pool && Averages.Contains(pool.Operator) ? Skip(pooled, Passes)
            : throw new InvalidDataException($"its graph ends in {Described(graph.Producer(value), value)}, not in an average over the pixels and a classifier, as residual networks do");
        _kernels = [.. graph.Nodes.Where(operation => operation is { Operator: "Conv", Inputs.Count: > 1 } && graph.Holds(operation.Inputs[1])).Select(operation => graph.Shape(operation.Inputs[1]))];
        var stem = graph.Nodes.FirstOrDefault(operation => operation is { Operator: "Conv", Inputs.Count: > 1 });
        Numbers = _kernels.Sum(kernel => kernel.Aggregate(1L, (product, length) => product * length));
        (Mean, StandardDeviation) = stem is null ? (null, null) : Normalisation(stem.Inputs[0]);
    }

    /// <summary>Numbers in its convolutions.</summary>
    public long Numbers { get; }

    /// <summary>Number of classes; null where it ends in its features.</summary>
    public long? Classes => _classifier is var (weight, _, transposed) && _graph.Shape(weight) is { Length: 2 } shape ? shape[transposed ? 0 : 1] : null;

    /// <summary>What the graph subtracts from each channel before its first convolution; null: it takes images as they are given.</summary>
    public double[]? Mean { get; }

    /// <summary>What it divides by then.</summary>
    public double[]? StandardDeviation { get; }

    /// <summary>The weights by a network's names; null where the graph is not the network's.</summary>
    /// <param name="network">The network.</param>
    /// <exception cref="InvalidDataException">Its batch norms are folded, or a tensor is damaged; the message is part of a sentence.</exception>
    public Dictionary<string, torch.Tensor>? For(ClassifierNetwork network)
    {
        // Cheap, and true of few networks.
        if (!Sorted(_kernels).SequenceEqual(Sorted(network.parameters().Where(parameter => parameter.dim() == 4).Select(parameter => parameter.shape))))
        {
            return null;
        }

        const int Side = 64;
        using var scope = torch.NewDisposeScope();
        using var trace = network.Trace(Side, Side);
        if (trace.Operations is not [.., { Operator: "GlobalAveragePool" } pool, { Operator: "Flatten" }, { Operator: "Gemm" } classifier])
        {
            return null;
        }

        var matching = new Matching(_graph, trace);
        if (!matching.Match(_features, pool.Inputs[0]))
        {
            return null;
        }

        var tensors = new Dictionary<string, torch.Tensor>(StringComparer.Ordinal);
        foreach (var (operation, node) in matching.Chosen())
        {
            Take(trace, operation, node, tensors);
        }

        if (_classifier is var (weight, bias, transposed))
        {
            var rows = _graph.Tensor(weight);
            tensors.Add(trace.FullName(classifier, "weight"), transposed ? rows : rows.t().contiguous());
            if (bias is not null)
            {
                tensors.Add(trace.FullName(classifier, "bias"), _graph.Tensor(bias));
            }
        }

        foreach (var tensor in tensors.Values)
        {
            tensor.MoveToOuterDisposeScope();
        }

        return tensors;
    }

    private static IEnumerable<string> Sorted(IEnumerable<long[]> shapes) => shapes.Select(shape => string.Join('x', shape)).Order(StringComparer.Ordinal);

    private static string Described(OnnxNode? node, string value) => node is null ? $"'{ParameterNames.Shown(value)}'" : $"'{ParameterNames.Shown(node.Name)}' ({ParameterNames.Shown(node.Operator)})";

    private string Skip(string value, string[] operators)
    {
        // A chain that comes back to itself is no graph; it is as long as there are operations at most.
        for (var i = 0; i < _graph.Nodes.Count && _graph.Producer(value) is { Inputs: [var before, ..] } node && operators.Contains(node.Operator); i++)
        {
            value = before;
        }

        return value;
    }

    private void Take(ForwardTrace trace, TracedOperation operation, OnnxNode node, Dictionary<string, torch.Tensor> tensors)
    {
        if (operation.Operator == "Conv")
        {
            tensors.Add(trace.FullName(operation, "weight"), _graph.Tensor(node.Inputs[1]));
            return;
        }

        for (var i = 0; i < operation.Parameters.Count; i++)
        {
            tensors.Add(trace.FullName(operation, operation.Parameters[i].Name), _graph.Tensor(node.Inputs[i + 1]));
        }

        // WeakLink's batch norms add a constant of their own to the variance, and its convolutions have no shifts: both go into the running averages.
        var (mean, variance) = (trace.FullName(operation, "running_mean"), trace.FullName(operation, "running_var"));
        var epsilon = node.Float("epsilon", (float)BatchNorm.Epsilon);
        if (epsilon != (float)BatchNorm.Epsilon)
        {
            tensors[variance] = tensors[variance].to(torch.float64).Plus(epsilon - BatchNorm.Epsilon);
        }

        if (_graph.Producer(Skip(node.Inputs[0], Passes)) is { Operator: "Conv", Inputs: [_, _, { Length: > 0 } shift] })
        {
            tensors[mean] = tensors[mean] - _graph.Tensor(shift);
        }
    }

    // (x - mean) / deviation, in whatever steps: x times a scale plus a shift, channel by channel.
    private (double[]? Mean, double[]? Deviation) Normalisation(string value)
    {
        var steps = new List<(string Operator, double[] Constant)>();
        while (_graph.Producer(value = Skip(value, Passes)) is { } node)
        {
            if (node is not { Operator: "Sub" or "Div" or "Mul" or "Add", Inputs: [var one, var other] } || _graph.Holds(one) == _graph.Holds(other) || (_graph.Holds(one) && node.Operator is "Sub" or "Div") || steps.Count == MostSteps)
            {
                throw new InvalidDataException($"its images go through {Described(node, value)} before the first convolution, which is no normalisation");
            }

            var (constant, before) = _graph.Holds(one) ? (one, other) : (other, one);
            using var scope = torch.NewDisposeScope();
            var numbers = _graph.Tensor(constant).to(torch.float64).reshape(-1).data<double>().ToArray();
            steps.Add((node.Operator, numbers.Length switch
            {
                1 => [numbers[0], numbers[0], numbers[0]],
                3 => numbers,
                _ => throw new InvalidDataException($"'{ParameterNames.Shown(constant)}' normalises by {numbers.Length} numbers instead of one for each of three channels"),
            }));
            value = before;
        }

        if (value != _graph.Input)
        {
            throw new InvalidDataException($"its first convolution reads '{ParameterNames.Shown(value)}' instead of its images");
        }

        if (steps.Count == 0)
        {
            return (null, null);
        }

        var (scale, shift) = ((double[])[1, 1, 1], new double[3]);
        foreach (var (kind, constant) in Enumerable.Reverse(steps))
        {
            for (var channel = 0; channel < scale.Length; channel++)
            {
                var number = constant[channel];
                (scale[channel], shift[channel]) = kind switch
                {
                    "Sub" => (scale[channel], shift[channel] - number),
                    "Add" => (scale[channel], shift[channel] + number),
                    "Mul" => (scale[channel] * number, shift[channel] * number),
                    _ => (scale[channel] / number, shift[channel] / number),
                };
            }
        }

        // What was float32 is shown so: 0.485 and not 0.48500001430511475.
        return ([.. scale.Zip(shift, (by, plus) => Short(-plus / by))], [.. scale.Select(by => Short(1 / by))]);

        static double Short(double number) => Math.Round(number, 7);
    }

    // Which operation of the graph computes what an operation of the network does. The order of summands is free, so one place may be tried twice.
    private sealed class Matching(OnnxGraph graph, ForwardTrace trace)
    {
        private readonly Dictionary<(string, int), bool> _matches = [];
        private readonly Dictionary<(string, int), bool> _swapped = [];
        private (string Value, int Place) _root;

        public bool Match(string value, int place)
        {
            _root = (value, place);
            return Matches(value, place);
        }

        /// <summary>The operations with parameters, each beside the graph's.</summary>
        public IEnumerable<(TracedOperation Operation, OnnxNode Node)> Chosen()
        {
            var (open, seen) = (new Stack<(string Value, int Place)>([_root]), new HashSet<(string, int)>());
            while (open.TryPop(out var pair))
            {
                if (pair.Place <= Normalised || !seen.Add((pair.Value = Skip(pair.Value), pair.Place)))
                {
                    continue;
                }

                var (operation, node) = (trace.Operations[pair.Place - 1], graph.Producer(pair.Value)!);
                if (operation.Parameters.Count > 0)
                {
                    yield return (operation, node);
                }

                foreach (var (input, value) in operation.Inputs.Zip(Summands(node, _swapped.GetValueOrDefault(pair))))
                {
                    open.Push((value, input));
                }
            }
        }

        private bool Matches(string value, int place)
        {
            value = Skip(value);
            if (place <= Normalised)
            {
                // What comes before the first convolution is normalisation, which is read apart.
                return true;
            }

            if (_matches.TryGetValue((value, place), out var known))
            {
                return known;
            }

            return _matches[(value, place)] = graph.Producer(value) is { } node && Matches(node, value, place);
        }

        private bool Matches(OnnxNode node, string value, int place)
        {
            var operation = trace.Operations[place - 1];
            if (operation.Operator == "BatchNormalization" && node is { Operator: "Conv", Inputs: [_, _, { Length: > 0 }] })
            {
                throw new InvalidDataException(
                    $"its batch norms are folded into its convolutions ('{ParameterNames.Shown(node.Name)}'), and can't be trained on; export the network with its batch norms apart (torch.onnx.export with training=TrainingMode.PRESERVE and do_constant_folding=False on the network in training mode), or give its checkpoint");
            }

            if (operation.Operator != node.Operator && !(operation.Operator == "Add" && node.Operator == "Sum"))
            {
                return false;
            }

            switch (operation.Operator)
            {
                case "Conv":
                    return node.Inputs.Count > 1 && graph.Shape(node.Inputs[1]).SequenceEqual(operation.Parameters[0].Value.shape) && IsSameWindow(operation, node) && Matches(node.Inputs[0], operation.Inputs[0]);
                case "MaxPool":
                    return IsSameWindow(operation, node) && Matches(node.Inputs[0], operation.Inputs[0]);
                case "BatchNormalization":
                    return node.Inputs.Count == 5 && Matches(node.Inputs[0], operation.Inputs[0]);
                case "Relu":
                    return node.Inputs.Count == 1 && Matches(node.Inputs[0], operation.Inputs[0]);
                case "Add" when node.Inputs.Count == 2:
                    if (Matches(node.Inputs[0], operation.Inputs[0]) && Matches(node.Inputs[1], operation.Inputs[1]))
                    {
                        return true;
                    }

                    return _swapped[(value, place)] = Matches(node.Inputs[1], operation.Inputs[0]) && Matches(node.Inputs[0], operation.Inputs[1]);
                default:
                    return false;
            }
        }

        // Padding after the last pixel may be one less where every second window is left out: no window reaches it in images of even size.
        private static bool IsSameWindow(TracedOperation operation, OnnxNode node)
        {
            var (kernel, strides, pads) = (Expected("kernel_shape"), Expected("strides"), Expected("pads"));
            var found = node.Integers("pads") ?? (node.Text("auto_pad") switch
            {
                "SAME_LOWER" => pads,
                "SAME_UPPER" when strides.All(stride => stride == 1) => pads,
                _ => [0, 0, 0, 0],
            });
            return (node.Integers("kernel_shape") is not { } shape || shape.SequenceEqual(kernel))
                && (node.Integers("strides") ?? [1, 1]).SequenceEqual(strides)
                && (node.Integers("dilations") ?? [1, 1]).All(dilation => dilation == 1)
                && node.Integer("group", 1) == operation.Attributes.Where(attribute => attribute.Name == "group").Select(attribute => (long)attribute.Value).FirstOrDefault(1)
                && node.Integer("ceil_mode", 0) == 0
                && found.Length == pads.Length
                && pads.Zip(found).Index().All(pad => pad.Item.First == pad.Item.Second || (pad.Index >= 2 && strides[0] > 1 && pad.Item.Second == pad.Item.First - 1));

            long[] Expected(string name) => (long[])operation.Attributes.First(attribute => attribute.Name == name).Value;
        }

        private string Skip(string value)
        {
            for (var i = 0; i < graph.Nodes.Count && graph.Producer(value) is { Inputs: [var before, ..] } node && Passes.Contains(node.Operator); i++)
            {
                value = before;
            }

            return value;
        }

        private static IEnumerable<string> Summands(OnnxNode node, bool swapped) => swapped ? [node.Inputs[1], node.Inputs[0]] : node.Inputs;
    }
}
