namespace WeakLink.Interop;

/// <summary>Keys of what an exported file says about itself.</summary>
internal static class ExportMetadata
{
    /// <summary>The catalogue's name of the network.</summary>
    public const string Model = "model";

    /// <summary>Class names as a JSON list.</summary>
    public const string Classes = "classes";

    /// <summary>Height of the network's input in pixels.</summary>
    public const string Height = "height";

    /// <summary>Width of the network's input in pixels.</summary>
    public const string Width = "width";

    /// <summary>What becomes of an image file before that, as a JSON object.</summary>
    public const string Preparation = "preparation";

    /// <summary>Three numbers as a JSON list: what is subtracted from images in [0, 1].</summary>
    public const string Mean = "mean";

    /// <summary>Three numbers as a JSON list: what the difference is divided by.</summary>
    public const string StandardDeviation = "standard-deviation";

    /// <summary>What the subnet keeps of each choice, as a JSON object of lists by the names of the choices; absent for a whole network.</summary>
    public const string Subnet = "subnet";

    /// <summary>SHA-256 in hexadecimal of all bytes of an ONNX file before this, its last entry.</summary>
    public const string Checksum = "weaklink.sha256";
}
