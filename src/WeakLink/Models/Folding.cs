using TorchSharp;
using WeakLink.Runtime;

namespace WeakLink.Models;

/// <summary>From the trace of a network to the steps of a frozen one.</summary>
/// <param name="trace">What the network computes.</param>
/// <param name="format">How convolutions compute.</param>
/// <param name="device">Where the network lives.</param>
internal sealed class Folding(ForwardTrace trace, ComputeFormat format, torch.Device device)
{
    private static readonly string[] ConvolutionAttributes = ["kernel_shape", "strides", "pads", "group"];

    private readonly ILookup<int, TracedOperation> _uses = trace.Operations.SelectMany(operation => operation.Inputs.Select(input => (input, operation))).ToLookup(use => use.input, use => use.operation);
    private readonly HashSet<TracedOperation> _folded = new(ReferenceEqualityComparer.Instance);
    private readonly torch.ScalarType _number = format.Precision == Precision.Bf16 ? torch.bfloat16 : torch.float32;
    private readonly bool _oneDnn = device.type == DeviceType.CPU && (format.Precision == Precision.Fp32 || EnvironmentReport.Create().NativeBf16);

    /// <summary>The steps in order, the last of which gives the logits; null where an operation is not known.</summary>
    public IReadOnlyList<FrozenStep>? Steps()
    {
        var steps = new List<FrozenStep>();
        foreach (var operation in trace.Operations.Where(operation => !_folded.Contains(operation)))
        {
            if (Step(operation) is not { } step)
            {
                steps.ForEach(made => made.Dispose());
                return null;
            }

            steps.Add(step);
        }

        // A convolution that takes up a sum is computed where the sum stands, which is after both of its parts.
        return [.. steps.OrderBy(step => step.Output)];
    }

    private FrozenStep? Step(TracedOperation operation) => operation switch
    {
        // The normalisation comes first; what follows it is in the format.
        { Operator: "Sub", Output: 1, Parameters: [var mean] } => Holding(operation, [Own(mean.Value)], (inputs, _, own) => inputs[0].to(torch.float32) - own[0]),
        { Operator: "Div", Output: 2, Inputs: [1], Parameters: [var deviation] } => Holding(operation, [Own(deviation.Value)], (inputs, _, own) => format.Apply(inputs[0].div_(own[0]))),
        { Operator: "Conv", Inputs: [var images], Parameters: [var weight] } when IsKnown(operation) => Convolution(operation, images, weight.Value),
        { Operator: "BatchNormalization", Inputs: [_], Parameters.Count: 4 } => Holding(operation, [.. operation.Parameters.Select(parameter => Own(parameter.Value))], (inputs, _, own) =>
            torch.nn.functional.batch_norm(inputs[0], own[2], own[3], own[0], own[1], training: false, 0, Epsilon(operation))),
        { Operator: "Relu" } => Holding(operation, [], (inputs, free, _) => free[0] ? inputs[0].relu_() : inputs[0].relu()),
        { Operator: "Add", Inputs.Count: 2, Parameters: [] } => Holding(operation, [], (inputs, free, _) => free[0] ? inputs[0].add_(inputs[1], Kept(1)) : inputs[0].Plus(inputs[1])),
        { Operator: "MaxPool", Attributes.Count: 3 } when Size(operation, "kernel_shape") is { } kernel && Size(operation, "strides") is { } stride && Size(operation, "pads") is { } padding =>
            Holding(operation, [], (inputs, _, _) => torch.nn.functional.max_pool2d(inputs[0], kernel, stride, padding)),
        { Operator: "GlobalAveragePool" } => Holding(operation, [], (inputs, _, _) => inputs[0].mean([2, 3], type: torch.float32)),
        { Operator: "Flatten", Attributes: [] } => Holding(operation, [], (inputs, _, _) => inputs[0].flatten(1)),
        { Operator: "Gemm", Inputs: [_], Parameters: [var weight, var bias], Attributes: [("transB", 1L)] } => Holding(operation, [Own(weight.Value), Own(bias.Value)], (inputs, _, own) =>
        {
            Layer.Prove(LayerKind.Linear, inputs[0], own[0].shape[0]);
            return torch.nn.functional.linear(inputs[0], own[0], own[1]);
        }),
        _ => null,
    };

    // With the batch norm, the sum and the ReLU that alone read its results.
    private FrozenStep Convolution(TracedOperation operation, int images, torch.Tensor weight)
    {
        var (end, sum) = (operation, (int?)null);
        using var scope = torch.NewDisposeScope();
        var (exact, bias) = (weight.to(torch.float64), torch.zeros(weight.shape[0], torch.float64));
        if (Next("BatchNormalization") is { Parameters: [var scale, var shift, var mean, var variance] } norm)
        {
            var factor = scale.Value.to(torch.float64) / variance.Value.to(torch.float64).Plus(Epsilon(norm)).sqrt();
            (exact, bias) = (exact * factor.view(-1, 1, 1, 1), shift.Value.to(torch.float64) - (mean.Value.to(torch.float64) * factor));
            Fold(norm);
        }

        if (Next("Add") is { } add)
        {
            sum = add.Inputs.Single(input => input != end.Output);
            Fold(add);
        }

        var relu = Next("Relu");
        if (relu is not null)
        {
            Fold(relu);
        }

        var convolution = new FrozenConvolution(
            Own(exact.to(_number)), Own(bias.to(_number)), Size(operation, "strides")!.Value, Groups(operation) ?? 1, relu is not null, _oneDnn);
        return new FrozenStep(sum is { } other ? [images, other] : [images], end.Output, (inputs, free) => convolution.Run(inputs[0], inputs.ElementAtOrDefault(1), free[^1]), convolution);

        TracedOperation? Next(string name) => _uses[end.Output].ToList() is [var only] && only.Operator == name && !_folded.Contains(only) ? only : null;

        void Fold(TracedOperation next)
        {
            _folded.Add(next);
            end = next;
        }
    }

    private static FrozenStep Holding(TracedOperation operation, torch.Tensor[] own, Func<torch.Tensor[], bool[], torch.Tensor[], torch.Tensor> run) =>
        new(operation.Inputs, operation.Output, (inputs, free) => run(inputs, free, own), own);

    private torch.Tensor Own(torch.Tensor values) => values.to(device).clone().DetachFromDisposeScope();

    // As Convolution traces it: without dilation, padded by half of its kernel.
    private static bool IsKnown(TracedOperation operation) =>
        operation.Attributes.All(attribute => ConvolutionAttributes.Contains(attribute.Name))
        && Size(operation, "kernel_shape") is { } kernel && Size(operation, "pads") == kernel / 2 && Size(operation, "strides") is not null
        && (Groups(operation) is null or 1 || Groups(operation) == operation.Parameters[0].Value.shape[0]);

    private static long? Groups(TracedOperation operation) => Attribute(operation, "group") as long?;

    // The same in all directions.
    private static long? Size(TracedOperation operation, string name) => Attribute(operation, name) is long[] { Length: > 0 } sizes && sizes.All(size => size == sizes[0]) ? sizes[0] : null;

    private static double Epsilon(TracedOperation operation) => Attribute(operation, "epsilon") is float epsilon ? epsilon : BatchNorm.Epsilon;

    private static object? Attribute(TracedOperation operation, string name) => operation.Attributes.FirstOrDefault(attribute => attribute.Name == name).Value;
}
