using System.Buffers;
using System.IO.Compression;
using System.Security.Cryptography;

namespace Nfr.Update;

/// <summary>Makes a bundle, and its head beside it, for releases. One input gives one output, byte for byte (with one version of .NET, whose Brotli it is).</summary>
static class BundleMaker
{
    /// <summary>Nine of eleven: the last two cost ten times as long for a few percent. A window of 4 MiB is what the box holds in memory while it unpacks.</summary>
    const int Quality = 9, Window = 22;
    const int Piece = 1 << 20;

    /// <summary>Packs the parts into files beside <paramref name="output"/> first, since the head says their sizes.</summary>
    /// <param name="manifest">All but the parts; its <see cref="UpdateManifest.File"/> is the output's name.</param>
    /// <param name="parts">Name and file of each, in the order in which they shall lie.</param>
    /// <param name="keys">Private keys; each signs.</param>
    /// <param name="output">A new file, put in place whole.</param>
    /// <param name="told">Called with each part's name before it is packed.</param>
    /// <exception cref="UpdateException">A part or key that cannot be.</exception>
    public static UpdateManifest Make(UpdateManifest manifest, IReadOnlyList<(string Name, string File)> parts, IReadOnlyList<ECDsa> keys, string output, Action<string> told)
    {
        List<string> temporary = [];
        try
        {
            List<UpdatePart> packed = [];
            foreach ((string name, string file) in parts)
            {
                told(name);
                string beside = $"{output}.{name}.part";
                temporary.Add(beside);
                packed.Add(Pack(name, file, beside));
            }
            UpdateManifest whole = manifest with { Parts = packed };
            if (whole.Fault() is { } fault) throw new UpdateException($"this would be no bundle: {fault}");
            byte[] bytes = whole.Write();
            if (bytes.Length > UpdateManifest.MostBytes) throw new UpdateException("the manifest is too long; shorten the notes");
            byte[] head = new BundleHead(whole, bytes, [.. keys.Select(k => Sign(k, bytes))]).Write();
            string unfinished = output + ".part";
            temporary.Add(unfinished);
            using (FileStream bundle = File.Create(unfinished))
            {
                bundle.Write(head);
                foreach (string part in temporary[..^1])
                {
                    using FileStream from = File.OpenRead(part);
                    from.CopyTo(bundle);
                }
                bundle.Flush(flushToDisk: true);
            }
            File.Move(unfinished, output, overwrite: true);
            File.WriteAllBytes(output + ".head", head);
            return whole;
        }
        finally
        {
            foreach (string file in temporary) File.Delete(file);
        }
    }

    static byte[] Sign(ECDsa key, byte[] manifest)
    {
        byte[] signed = BundleHead.Signed(manifest);
        byte[] signature = RepeatableSignature.Sign(key, signed);
        // Our own arithmetic is held against the platform's before anything leaves.
        return key.VerifyData(signed, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation)
            ? signature : throw new InvalidOperationException("the signature just made does not verify");
    }

    static UpdatePart Pack(string name, string from, string to)
    {
        using FileStream source = File.OpenRead(from);
        using FileStream target = File.Create(to);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var brotli = new BrotliEncoder(Quality, Window);
        byte[] piece = new byte[Piece], packed = new byte[Piece];
        long bytes = 0;
        while (true)
        {
            int read = source.ReadAtLeast(piece, piece.Length, throwOnEndOfStream: false);
            hash.AppendData(piece, 0, read);
            bytes += read;
            bool last = read < piece.Length;
            ReadOnlySpan<byte> left = piece.AsSpan(0, read);
            OperationStatus status;
            do
            {
                status = brotli.Compress(left, packed, out int consumed, out int written, last);
                target.Write(packed, 0, written);
                left = left[consumed..];
                if (status == OperationStatus.InvalidData) throw new InvalidOperationException("Brotli refused to pack");
            }
            while (status == OperationStatus.DestinationTooSmall || !left.IsEmpty);
            if (last) break;
        }
        return bytes == 0 ? throw new UpdateException($"{from} is empty") : new UpdatePart(name, bytes, target.Length, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }
}
