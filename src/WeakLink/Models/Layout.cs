namespace WeakLink.Models;

/// <summary>Memory layout of activations.</summary>
public enum Layout
{
    /// <summary>Measure on this machine at start, take the faster.</summary>
    Auto,

    /// <summary>Plane after plane (NCHW).</summary>
    Contiguous,

    /// <summary>Pixel after pixel (NHWC strides).</summary>
    ChannelsLast,
}
