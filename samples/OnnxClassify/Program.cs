using OnnxClassify;

if (args.Length < 2)
{
    Console.Error.WriteLine("Usage: OnnxClassify MODEL.onnx IMAGE...");
    return 2;
}

using var classifier = new Classifier(args[0]);
foreach (var file in args[1..])
{
    var (name, confidence) = classifier.Classify(file);
    Console.WriteLine($"{name}  {confidence:P1}  {file}");
}

return 0;
