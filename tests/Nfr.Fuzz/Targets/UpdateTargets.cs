using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Nfr.Update;

namespace Nfr.Fuzz;

/// <summary>
/// A bundle as it came, then with its head signed by whoever wrote it, then with sizes and hashes that fit what lies in it: each reader behind a lock must stand on its own. The last
/// goes through the whole update of a box of memory, and what that leaves is looked at.
/// </summary>
sealed class BundleTarget : Target
{
    /// <summary>More than a slot holds.</summary>
    const int MostUnpacked = 160 << 10;
    static readonly ECDsa s_key = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = Convert.FromHexString("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721") });
    static readonly ECDsa s_other = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = Convert.FromHexString("519B423D715F8B581F4FA8EE59F4771A5B44C8130B4E3EACCA54A56DDA72B464") });
    static readonly UpdateKeys s_keys = UpdateKeys.Of(s_key.ExportSubjectPublicKeyInfo());
    readonly byte[] _piece = new byte[4096];

    public override string Name => "bundle";
    public override int Runs => 4_000;
    public override bool MayAllocate => true;
    public override int MaximumLength => 8192;
    /// <summary>A run is three bundles, each with a signature and Brotli's window of 4 MiB.</summary>
    public override TimeSpan Longest => TimeSpan.FromMilliseconds(50);
    public override IReadOnlyList<byte[]> Words { get; } = [.. ((string[])["NFRUPD1\n", "\"bytes\":", "\"packed\":", "\"sha256\":\"", "root", "boot-a", "9223372036854775807"]).Select(Encoding.UTF8.GetBytes)];

    /// <summary>Whole bundles that <see cref="Takes"/> takes.</summary>
    public static IReadOnlyList<byte[]> Bundles()
    {
        string folder = Directory.CreateTempSubdirectory("nfr-fuzz-").FullName;
        try
        {
            string Save(string name, byte[] bytes)
            {
                string file = Path.Combine(folder, name);
                File.WriteAllBytes(file, bytes);
                return file;
            }
            byte[] Make(string name, string notes, ECDsa[] keys, params (string Name, string File)[] parts)
            {
                string output = Path.Combine(folder, name + ".nfru");
                BundleMaker.Make(new UpdateManifest { Version = "1.0", Counter = 2, Hardware = "x", File = name + ".nfru", Notes = notes, Parts = [] }, parts, keys, output, _ => { });
                return File.ReadAllBytes(output);
            }
            var noise = new byte[3000];
            new Random(7).NextBytes(noise);
            string few = Save("few", [.. Enumerable.Range(0, 300).Select(i => (byte)i)]), zeros = Save("zeros", new byte[70_000]), rough = Save("rough", noise), text = Save("text", Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 600).Select(i => $"line {i * i}\n"))));
            return
            [
                Make("two", "", [s_key], ("boot", few), ("root", zeros)),
                // For either slot, one part for both; the believed key is not the first.
                Make("three", "Faster.\nSmaller.", [s_other, s_key], ("boot-a", rough), ("boot-b", few), ("root", text)),
                Make("one", "", [s_key], ("root", rough)),
            ];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    public override IEnumerable<byte[]> Seeds(Seeds seeds)
    {
        IReadOnlyList<byte[]> bundles = Bundles();
        return [.. bundles, bundles[1].AsSpan(0, HeadLength(bundles[1])).ToArray()];
    }

    static int HeadLength(byte[] bundle) => BundleHead.FixedLength + System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(bundle.AsSpan(8)) + (bundle[12] * BundleHead.SignatureLength);

    public override void Run(ReadOnlySpan<byte> input)
    {
        byte[] bytes = input.ToArray();
        Read(bytes);
        // Behind the signature: the same manifest, signed anew.
        if (bytes.Length <= BundleHead.FixedLength || !bytes.AsSpan().StartsWith(BundleHead.Magic)) return;
        int length = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(8));
        int signatures = bytes[12];
        if (length < 1 || signatures is < 1 or > BundleHead.MostSignatures || length > bytes.Length - BundleHead.FixedLength - (signatures * BundleHead.SignatureLength)) return;
        Sign(bytes.AsSpan(BundleHead.FixedLength, length)).CopyTo(bytes, BundleHead.FixedLength + length);
        Read(bytes);
        // Behind the hashes.
        if (UpdateManifest.Read(bytes.AsSpan(BundleHead.FixedLength, length).ToArray(), out _) is { } manifest) Update(Fitting(manifest, bytes.AsSpan(HeadLength(bytes))));
    }

    static byte[] Sign(ReadOnlySpan<byte> manifest) => s_key.SignData(BundleHead.Signed(manifest), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);

    /// <summary>The same parts with the sizes and hashes that they really have, as far as they unpack.</summary>
    static byte[] Fitting(UpdateManifest manifest, ReadOnlySpan<byte> parts)
    {
        List<UpdatePart> fitting = [];
        ReadOnlySpan<byte> left = parts;
        foreach (UpdatePart part in manifest.Parts)
        {
            int packed = (int)Math.Min(part.PackedBytes, left.Length);
            byte[] unpacked = Unpacked(left[..packed]);
            left = left[packed..];
            fitting.Add(part with { PackedBytes = Math.Max(1, packed), Bytes = Math.Max(1, unpacked.Length), Sha256 = Convert.ToHexStringLower(SHA256.HashData(unpacked)) });
        }
        byte[] bytes = (manifest with { Parts = fitting }).Write();
        return [.. new BundleHead(manifest, bytes, [Sign(bytes)]).Write(), .. parts];
    }

    static byte[] Unpacked(ReadOnlySpan<byte> packed)
    {
        using var decoder = new BrotliDecoder();
        byte[] bytes = new byte[MostUnpacked];
        decoder.Decompress(packed, bytes, out _, out int written);
        return bytes[..written];
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
                if (part.Bytes > MostUnpacked) reader.Skip(part);
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

    /// <summary>Whether a box takes it.</summary>
    public static bool Takes(byte[] bundle) => Update(bundle);

    static bool Update(byte[] bundle)
    {
        var box = new MemoryBox();
        UpdateManifest taken;
        try
        {
            taken = new Updater(box, s_keys, new UpdateProgress(null, _ => { }, TimeProvider.System)) { Piece = MemoryBox.Piece }.Run(new MemoryStream(bundle), default);
        }
        catch (UpdateException e)
        {
            if (e.Message.Length == 0) throw new InvalidOperationException("refused without a reason");
            if (box.IsArmed) throw new InvalidOperationException("a slot is tried though its update was refused");
            if (box.IsBegun && box.Written.Any(d => d.Bytes[0] != 0 && !d.IsOld)) throw new InvalidOperationException("a torn partition has its beginning");
            return false;
        }
        if (!box.IsArmed || !box.IsRebooted) throw new InvalidOperationException("taken, and not tried");
        foreach (UpdatePart part in taken.Parts.Where(p => p.IsFor(box.Idle)))
        {
            byte[] lies = [.. box.Written.Last(d => d.Name == part.Partition).Bytes.Take((int)part.Bytes)];
            // Two parts for one partition: the later one lies there.
            if (taken.Parts.Count(p => p.IsFor(box.Idle) && p.Partition == part.Partition) == 1 && Convert.ToHexStringLower(SHA256.HashData(lies)) != part.Sha256) throw new InvalidOperationException("taken, and the slot holds something else");
        }
        return true;
    }
}

/// <summary>A box whose idle slot, b, is memory.</summary>
sealed class MemoryBox : UpdateBox
{
    public const int Piece = 256;
    readonly Dictionary<string, MemorySlot> _slots = new(StringComparer.Ordinal) { ["boot"] = new("boot"), ["root"] = new("root") };

    byte[]? _refusal;

    public IEnumerable<MemorySlot> Written => _slots.Values;
    public bool IsArmed { get; private set; }
    public bool IsBegun { get; private set; }
    public bool IsRebooted { get; private set; }

    public override ApplianceImage Image { get; } = new("0.9", 1, "x", new("/a1", "/a2"), new("/b1", "/b2"));
    public override char Booted => 'a';
    public override char Lasting => 'a';
    public override string BootId => "one";
    public override void Try() => IsArmed = true;
    public override void Cancel() => IsArmed = false;
    public override void Good() => throw new InvalidOperationException("an update does not confirm itself");
    public override void Reboot() => IsRebooted = true;
    public override SlotDevice Open(string partition) => _slots[partition];
    public override UpdateRecord? ReadRecord() => null;
    public override void WriteRecord(UpdateRecord record) => IsBegun |= record.Phase == UpdatePhase.Writing;
    public override UpdateRecord? ReadRefusal() => _refusal is null ? null : UpdateRecord.Read(_refusal);
    // As it would lie on a card: what a bundle says of itself is in it.
    public override void WriteRefusal(UpdateRecord? refusal) => _refusal = refusal?.Write();

    public override void Log(string sentence)
    {
    }
}

/// <summary>A partition of 128 KiB with a system of before in it.</summary>
sealed class MemorySlot : SlotDevice
{
    const byte Old = 0xA5;

    public MemorySlot(string name)
    {
        Name = name;
        Array.Fill(Bytes, Old);
    }

    public byte[] Bytes { get; } = new byte[128 << 10];
    /// <summary>Not written at all.</summary>
    public bool IsOld => !Bytes.AsSpan().ContainsAnyExcept(Old);

    public override string Name { get; }
    public override long Length => Bytes.Length;
    public override void Write(long offset, ReadOnlySpan<byte> bytes) => bytes.CopyTo(Bytes.AsSpan((int)offset));

    public override void Sync()
    {
    }

    public override void Read(long offset, Span<byte> into) => Bytes.AsSpan((int)offset, into.Length).CopyTo(into);
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
        // What a sensor says of itself, as the confirmation of an update reads it.
        [.. """
        {"clock":{"now":"2026-11-22T12:00:00Z","started":"2026-11-22T11:58:00Z","uptimeSeconds":120},"capture":[{"interface":"eth1","open":true,"packets":0}],"inputs":[],"spool":{"failing":false,"lastFault":null,"commits":1},
        "uplinks":[{"name":"e","trouble":null,"alerts":{"trouble":null},"types":{"dns":{"phase":"Idle"}}},{"name":"c","trouble":null,"types":{"dns":{"phase":"Idle"},"ip":{"phase":"Off"}}}],
        "consumers":[{"name":"c","types":{"dns":{"waiting":3,"oldestWaiting":"2026-11-22T11:00:00Z"}}}]}
        """u8],
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
        _ = SensorHealth.Missing(bytes, _ => true, TimeSpan.FromSeconds(30));
    }
}
