using Microsoft.ML.OnnxRuntime;
using OnnxClassify;

if (args.Length < 2)
{
    Console.Error.WriteLine("Usage: OnnxClassify MODEL.onnx IMAGE...");
    return 2;
}

try
{
    using var classifier = new Classifier(args[0]);
    foreach (var file in args[1..])
    {
        var (name, confidence) = classifier.Classify(file);
        Console.WriteLine($"{name}  {confidence:P1}  {file}");
    }

    return 0;
}
catch (Exception error) when (error is InvalidDataException or OnnxRuntimeException)
{
    Console.Error.WriteLine(error.Message);
    return 2;
}
