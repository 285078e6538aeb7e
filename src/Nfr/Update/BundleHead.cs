using System.Buffers.Binary;

namespace Nfr.Update;

/// <summary>
/// The beginning of a bundle, and all of what <c>update.url</c> serves:
/// <code>
///  0  8  "NFRUPD1\n"
///  8  4  length of the manifest, big endian, 1 to 16384
/// 12  1  signatures, 1 to 4
/// 13  M  manifest
///     64 each signature: r and s of ECDSA P-256 with SHA-256 over "nfr-update-1\n" and the manifest
///     …  in a bundle: each part as a Brotli stream of its packed size, in the manifest's order, and then the end
/// </code>
/// </summary>
sealed record BundleHead(UpdateManifest Manifest, byte[] ManifestBytes, IReadOnlyList<byte[]> Signatures)
{
    public const int MostSignatures = 4;
    public const int SignatureLength = 64;
    public const int FixedLength = 13;
    /// <summary>No head is longer.</summary>
    public const int MostBytes = FixedLength + UpdateManifest.MostBytes + (MostSignatures * SignatureLength);

    public static ReadOnlySpan<byte> Magic => "NFRUPD1\n"u8;
    static ReadOnlySpan<byte> Purpose => "nfr-update-1\n"u8;

    /// <summary>What is signed: a purpose of its own before it, so that no signature made for anything else (a command of the fleet) is one of an update.</summary>
    public static byte[] Signed(ReadOnlySpan<byte> manifest) => [.. Purpose, .. manifest];

    public int Length => FixedLength + ManifestBytes.Length + (Signatures.Count * SignatureLength);

    public byte[] Write()
    {
        byte[] head = new byte[Length];
        Magic.CopyTo(head);
        BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(8), ManifestBytes.Length);
        head[12] = (byte)Signatures.Count;
        ManifestBytes.CopyTo(head, FixedLength);
        for (int i = 0; i < Signatures.Count; i++) Signatures[i].CopyTo(head, FixedLength + ManifestBytes.Length + (i * SignatureLength));
        return head;
    }

    /// <summary>
    /// Reads a head and checks its signature before anything of the manifest is looked at; the stream stands behind it then.
    /// </summary>
    /// <exception cref="UpdateException">It is no bundle, is cut short, or is signed by nobody whom <paramref name="keys"/> know.</exception>
    public static BundleHead Read(Stream bundle, UpdateKeys keys)
    {
        Span<byte> start = stackalloc byte[FixedLength];
        Fill(bundle, start, "head");
        if (!start.StartsWith(Magic))
            throw new UpdateException(start.StartsWith("NFRUPD"u8) ? "this bundle is of a newer kind than this nfr understands; update to a release between first" : "this is no update bundle; one is made by nfr update make and begins with NFRUPD1");
        int length = BinaryPrimitives.ReadInt32BigEndian(start[8..]), signatures = start[12];
        if (length is < 1 or > UpdateManifest.MostBytes || signatures is < 1 or > MostSignatures) throw new UpdateException("this bundle's head is damaged: a length in it is out of range; fetch it anew");
        byte[] manifest = new byte[length];
        Fill(bundle, manifest, "manifest");
        byte[][] signed = new byte[signatures][];
        for (int i = 0; i < signatures; i++) Fill(bundle, signed[i] = new byte[SignatureLength], "signatures");
        if (!signed.Any(s => keys.Verify(manifest, s)))
            throw new UpdateException($"the bundle is signed by none of the {keys.Count} key(s) in {keys.Where}: it is damaged, or not from who makes this box's updates; nothing was changed");
        // What was signed by us and yet cannot be read is newer than this program, or a mistake of ours.
        return UpdateManifest.Read(manifest, out string? why) is { } read ? new BundleHead(read, manifest, signed) : throw new UpdateException($"the bundle is signed, but {why}");
    }

    static void Fill(Stream bundle, Span<byte> into, string what)
    {
        if (bundle.ReadAtLeast(into, into.Length, throwOnEndOfStream: false) < into.Length) throw new UpdateException($"the bundle ends in the middle of its {what}; fetch it anew");
    }
}
