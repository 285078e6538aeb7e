using System.Security.Cryptography;
using System.Text;
using Nfr.Update;

namespace Nfr.Fuzz;

/// <summary>A bundle whose head is signed by whoever wrote it: the reader behind the signature must stand on its own.</summary>
sealed class BundleTarget : Target
{
    static readonly ECDsa s_key = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = Convert.FromHexString("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721") });
    static readonly UpdateKeys s_keys = UpdateKeys.Of(s_key.ExportSubjectPublicKeyInfo());
    readonly byte[] _piece = new byte[4096];

    public override string Name => "bundle";
    public override int Runs => 4_000;
    public override bool MayAllocate => true;
    public override int MaximumLength => 8192;
    public override IReadOnlyList<byte[]> Words { get; } = [.. ((string[])["NFRUPD1\n", "\"bytes\":", "\"packed\":", "\"sha256\":\"", "root", "boot-a", "9223372036854775807"]).Select(Encoding.UTF8.GetBytes)];

    public override IEnumerable<byte[]> Seeds(Seeds seeds)
    {
        string folder = Directory.CreateTempSubdirectory("nfr-fuzz-").FullName;
        try
        {
            string boot = Path.Combine(folder, "boot"), root = Path.Combine(folder, "root"), output = Path.Combine(folder, "x.nfru");
            File.WriteAllBytes(boot, [.. Enumerable.Range(0, 300).Select(i => (byte)i)]);
            File.WriteAllBytes(root, new byte[70_000]);
            BundleMaker.Make(new UpdateManifest { Version = "1.0", Counter = 2, Hardware = "x", File = "x.nfru", Parts = [] }, [("boot", boot), ("root", root)], [s_key], output, _ => { });
            return [File.ReadAllBytes(output), File.ReadAllBytes(output + ".head")];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    public override void Run(ReadOnlySpan<byte> input)
    {
        byte[] bytes = input.ToArray();
        Read(bytes);
        // Behind the signature: the same manifest, signed anew.
        if (bytes.Length <= BundleHead.FixedLength || !bytes.AsSpan().StartsWith(BundleHead.Magic)) return;
        int length = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(8));
        int signatures = bytes[12];
        if (length < 1 || signatures is < 1 or > BundleHead.MostSignatures || length > bytes.Length - BundleHead.FixedLength - (signatures * BundleHead.SignatureLength)) return;
        byte[] signed = s_key.SignData(BundleHead.Signed(bytes.AsSpan(BundleHead.FixedLength, length)), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        signed.CopyTo(bytes, BundleHead.FixedLength + length);
        Read(bytes);
    }

    void Read(byte[] bytes)
    {
        try
        {
            var reader = new BundleReader(new MemoryStream(bytes), s_keys);
            foreach (UpdatePart part in reader.Manifest.Parts)
            {
                long given = 0;
                // Whoever signs may say any size; what a person waits for is bounded by the partition, and here by this.
                if (part.Bytes > 1 << 20) reader.Skip(part);
                else reader.Read(part, _piece, piece => given += piece.Length);
                if (given > part.Bytes) throw new InvalidOperationException("more bytes than the manifest says");
            }
            reader.End();
        }
        catch (UpdateException e)
        {
            if (e.Message.Length == 0) throw new InvalidOperationException("refused without a reason");
        }
    }
}

/// <summary>A manifest by itself, and the small files that a card may return as anything: image.json, the record.</summary>
sealed class ManifestTarget : Target
{
    public override string Name => "manifest";
    public override int Runs => 25_000;
    public override bool MayAllocate => true;
    public override IReadOnlyList<byte[]> Words { get; } = [.. ((string[])["\"format\":", "\"counter\":", "\"parts\":[", "\"slots\":", "\"phase\":", "\\u0000", "1e99", "null", "[[[["]).Select(Encoding.UTF8.GetBytes)];

    public override IEnumerable<byte[]> Seeds(Seeds seeds) =>
    [
        new UpdateManifest { Version = "1.0", Counter = 2, Hardware = "x", File = "x", Notes = "new\nthings", Parts = [new("boot", 1, 2, new string('0', 64)), new("root", 3, 4, new string('f', 64))] }.Write(),
        new UpdateRecord(UpdatePhase.Failed, 'b', "1.0", 3, "id", "because").Write(),
        [.. "{\"version\":\"1.0\",\"counter\":1,\"hardware\":\"x\",\"slots\":{\"a\":{\"boot\":\"/1\",\"root\":\"/2\"},\"b\":{\"boot\":\"/3\",\"root\":\"/4\"}}}"u8],
    ];

    public override void Run(ReadOnlySpan<byte> input)
    {
        byte[] bytes = input.ToArray();
        UpdateManifest? manifest = UpdateManifest.Read(bytes, out string? why);
        if (manifest is null != why is not null) throw new InvalidOperationException("neither a manifest nor a reason");
        if (manifest is not null && !manifest.Write().AsSpan().SequenceEqual(bytes)) throw new InvalidOperationException("two forms of one manifest");
        _ = UpdateRecord.Read(bytes);
        _ = ApplianceImage.Read(bytes);
        _ = SensorHealth.Missing(bytes, _ => true);
    }
}
