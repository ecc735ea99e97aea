using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace WeakLink.Files;

/// <summary>Checksums as publishers of data sets state them: MD5 (32 hexadecimal digits) or SHA-256 (64).</summary>
internal static class FileChecksum
{
    private const int Md5Digits = 32;
    private const int Sha256Digits = 64;

    /// <summary>The checksum of the rest of a stream, in lower-case hexadecimal, of the kind that <paramref name="like"/> is.</summary>
    [SuppressMessage("Security", "CA5351", Justification = "MD5 is what the publisher states; it guards against damage, not against an attacker.")]
    public static async Task<string> ComputeAsync(Stream stream, string like, CancellationToken cancellation) => Convert.ToHexStringLower(like.Length switch
    {
        Md5Digits => await MD5.HashDataAsync(stream, cancellation).ConfigureAwait(false),
        Sha256Digits => await SHA256.HashDataAsync(stream, cancellation).ConfigureAwait(false),
        _ => throw new ArgumentException("A checksum is 32 (MD5) or 64 (SHA-256) hexadecimal digits.", nameof(like)),
    });

    public static bool AreEqual(string one, string other) => one.Equals(other, StringComparison.OrdinalIgnoreCase);
}
