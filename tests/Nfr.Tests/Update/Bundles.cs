using System.Security.Cryptography;
using Nfr.Update;

namespace Nfr.Tests.Update;

/// <summary>A release of a small system, its bundle, and a box that runs the release before.</summary>
sealed class Bundles : IDisposable
{
    public const int BootBytes = 20_000, RootBytes = 60_000;
    public const string Hardware = "rpi-arm64";

    public readonly string Folder = Directory.CreateTempSubdirectory("nfr-update-").FullName;
    public readonly ECDsa Key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    public readonly byte[] OldBoot = Noise(1, BootBytes + 1000), OldRoot = Noise(2, RootBytes + 5000), NewBoot = Noise(3, BootBytes), NewRoot = Noise(4, RootBytes);

    public UpdateKeys Keys => UpdateKeys.Of(Key.ExportSubjectPublicKeyInfo());

    public static ApplianceImage Image(long counter = 11, string version = "2.0.0") => new(version, counter, Hardware, new("/dev/aboot", "/dev/aroot"), new("/dev/bboot", "/dev/broot"));

    public SimulatedBox Box(int seed = 1, bool lies = false, bool forgets = false) => new(OldBoot, OldRoot, Image(), seed) { Lies = lies, Forgets = forgets };

    public static byte[] Noise(int seed, int length)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        // Something for the compressor too.
        bytes.AsSpan(length / 2, length / 4).Clear();
        return bytes;
    }

    public string Save(string name, byte[] bytes)
    {
        string path = Path.Combine(Folder, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    public static UpdateManifest Manifest(long counter = 12, string hardware = Hardware) => new() { Version = "2.1.0", Counter = counter, Hardware = hardware, File = "nfr.nfru", Notes = "Faster.\nSmaller.", Parts = [] };

    public byte[] Make(UpdateManifest? manifest = null, bool twoBoots = false, ECDsa? key = null, byte[]? root = null)
    {
        string boot = Save("boot.img", NewBoot), rootFile = Save("root.img", root ?? NewRoot), output = Path.Combine(Folder, "nfr.nfru");
        List<(string, string)> parts = twoBoots ? [("boot-a", Save("boot-a.img", Noise(9, 3000))), ("boot-b", boot), ("root", rootFile)] : [("boot", boot), ("root", rootFile)];
        BundleMaker.Make(manifest ?? Manifest(), parts, [key ?? Key], output, _ => { });
        return File.ReadAllBytes(output);
    }

    /// <summary>A bundle whose manifest says what it likes, signed all the same.</summary>
    public byte[] Sign(byte[] bundle, Func<UpdateManifest, UpdateManifest> change)
    {
        using var stream = new MemoryStream(bundle);
        BundleHead head = BundleHead.Read(stream, Keys);
        byte[] manifest = change(head.Manifest).Write();
        return [.. new BundleHead(head.Manifest, manifest, [RepeatableSignature.Sign(Key, BundleHead.Signed(manifest))]).Write(), .. bundle.AsSpan(head.Length)];
    }

    public static Updater Updater(SimulatedBox box, UpdateKeys keys, bool allowSame = false) =>
        new(box, keys, new UpdateProgress(null, _ => { }, TimeProvider.System)) { Piece = 1024, AllowSame = allowSame };

    public bool IsOld((byte[] Boot, byte[] Root) slot) => slot.Boot.AsSpan().SequenceEqual(OldBoot) && slot.Root.AsSpan().SequenceEqual(OldRoot);
    public bool IsNew((byte[] Boot, byte[] Root) slot) => slot.Boot.AsSpan(0, NewBoot.Length).SequenceEqual(NewBoot) && slot.Root.AsSpan(0, NewRoot.Length).SequenceEqual(NewRoot);

    public void Dispose()
    {
        Key.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
