using System.Security.Cryptography;
using System.Text;
using Nfr.Update;

namespace Nfr.Tests.Update;

public sealed class UpdaterTests : IDisposable
{
    readonly Bundles _bundles = new();

    public void Dispose() => _bundles.Dispose();

    string Refused(byte[] bundle, SimulatedBox box, bool allowSame = false)
    {
        string why = Assert.Throws<UpdateException>(() => Bundles.Updater(box, _bundles.Keys, allowSame).Run(new MemoryStream(bundle), default)).Message;
        Assert.Equal((false, 0, 'a'), (box.Armed, box.Rebooted, box.Lasting));
        return why;
    }

    string RefusedUntouched(byte[] bundle, SimulatedBox? box = null, bool allowSame = false)
    {
        box ??= _bundles.Box();
        string why = Refused(bundle, box, allowSame);
        Assert.Equal(0, box.Operations);
        return why;
    }

    [Fact]
    public void A_good_bundle_is_in_the_idle_slot_and_tried_and_the_running_one_is_as_it_was()
    {
        SimulatedBox box = _bundles.Box();
        Bundles.Updater(box, _bundles.Keys).Run(new MemoryStream(_bundles.Make()), default);
        Assert.True(_bundles.IsNew(box.Slot('b')));
        Assert.True(_bundles.IsOld(box.Slot('a')));
        Assert.Equal((true, 1, UpdatePhase.Trying), (box.Armed, box.Rebooted, box.ReadRecord()!.Phase));
    }

    [Fact]
    public void Of_two_boot_partitions_the_idle_slots_own_is_written()
    {
        SimulatedBox box = _bundles.Box();
        Bundles.Updater(box, _bundles.Keys).Run(new MemoryStream(_bundles.Make(twoBoots: true)), default);
        Assert.True(_bundles.IsNew(box.Slot('b')));
    }

    [Fact]
    public void A_bundle_of_a_stranger_is_refused_and_nothing_is_touched()
    {
        using ECDsa stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.Contains("signed by none of the 1 key(s)", RefusedUntouched(_bundles.Make(key: stranger)), StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_not_taken_is_noted_once_beside_the_record_and_logged_and_gone_when_an_update_begins()
    {
        SimulatedBox box = _bundles.Box();
        box.WriteRecord(new UpdateRecord(UpdatePhase.Good, 'a', "2.0.0", 11, "boot"));
        using ECDsa stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        for (int i = 0; i < 2; i++) Refused(_bundles.Make(key: stranger), box);
        UpdateRecord refusal = box.ReadRefusal()!;
        // A stranger's word on what it is counts for nothing.
        Assert.Equal((UpdatePhase.Refused, "", 0L), (refusal.Phase, refusal.Version, refusal.Counter));
        Assert.Contains("signed by none", refusal.Why, StringComparison.Ordinal);
        Refused(_bundles.Make(Bundles.Manifest(counter: 10)), box);
        Assert.Equal(10, box.ReadRefusal()!.Counter);
        Assert.Equal((3, UpdatePhase.Good), (box.Logged.Count, box.ReadRecord()!.Phase));
        Assert.All(box.Logged, line => Assert.Contains("was not taken: ", line, StringComparison.Ordinal));
        // What runs already is no news: a script that brings it each night lights no lamp.
        Refused(_bundles.Make(Bundles.Manifest(counter: 11)), box);
        Assert.Equal((3, 10L), (box.Logged.Count, box.ReadRefusal()!.Counter));
        Bundles.Updater(box, _bundles.Keys).Run(new MemoryStream(_bundles.Make()), default);
        Assert.Null(box.ReadRefusal());
    }

    [Fact]
    public void While_keys_change_either_is_believed()
    {
        using ECDsa next = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        UpdateKeys both = UpdateKeys.Of(_bundles.Key.ExportSubjectPublicKeyInfo(), next.ExportSubjectPublicKeyInfo());
        foreach (ECDsa key in new[] { _bundles.Key, next })
            Bundles.Updater(_bundles.Box(), both).Run(new MemoryStream(_bundles.Make(key: key)), default);
    }

    [Fact]
    public void Any_changed_byte_of_the_head_is_refused_and_nothing_is_touched()
    {
        byte[] bundle = _bundles.Make();
        using var stream = new MemoryStream(bundle);
        int length = BundleHead.Read(stream, _bundles.Keys).Length;
        for (int i = 0; i < length; i++)
        {
            byte[] changed = (byte[])bundle.Clone();
            changed[i] ^= 1;
            RefusedUntouched(changed);
        }
    }

    [Fact]
    public void An_older_system_is_refused_even_where_the_same_is_allowed()
    {
        byte[] bundle = _bundles.Make(Bundles.Manifest(counter: 10));
        Assert.Contains("it is never put back", RefusedUntouched(bundle, allowSame: true), StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_system_is_refused_unless_it_is_a_repair()
    {
        byte[] bundle = _bundles.Make(Bundles.Manifest(counter: 11));
        Assert.Contains("--allow-same", RefusedUntouched(bundle), StringComparison.Ordinal);
        SimulatedBox box = _bundles.Box();
        Bundles.Updater(box, _bundles.Keys, allowSame: true).Run(new MemoryStream(bundle), default);
        Assert.True(box.Armed);
    }

    [Fact]
    public void A_system_for_another_board_is_refused() =>
        Assert.Contains("is for x86-64, and this box is rpi-arm64", RefusedUntouched(_bundles.Make(Bundles.Manifest(hardware: "x86-64"))), StringComparison.Ordinal);

    [Fact]
    public void A_part_that_is_larger_than_its_partition_is_refused() =>
        Assert.Contains("needs a card that is flashed anew", RefusedUntouched(_bundles.Make(root: Bundles.Noise(5, Bundles.RootBytes + 5001))), StringComparison.Ordinal);

    [Fact]
    public void A_system_on_trial_is_not_updated_since_that_would_overwrite_the_way_back()
    {
        SimulatedBox box = _bundles.Box();
        byte[] bundle = _bundles.Make();
        Bundles.Updater(box, _bundles.Keys).Run(new MemoryStream(bundle), default);
        box.Boot();
        int before = box.Operations;
        Assert.Contains("on trial", Assert.Throws<UpdateException>(() => Bundles.Updater(box, _bundles.Keys).Run(new MemoryStream(bundle), default)).Message, StringComparison.Ordinal);
        Assert.Equal(before, box.Operations);
        Assert.True(_bundles.IsOld(box.Slot('a')));
    }

    [Fact]
    public void A_bundle_that_ends_early_is_refused_wherever_it_ends()
    {
        byte[] bundle = _bundles.Make();
        for (int length = 0; length < bundle.Length; length += length < 800 ? 1 : 997)
        {
            SimulatedBox box = _bundles.Box();
            Refused(bundle[..length], box);
            // What was begun is known to be unfinished.
            Assert.True(box.Operations == 0 || box.ReadRecord() is { Phase: UpdatePhase.Writing, Why.Length: > 0 });
        }
    }

    [Fact]
    public void Bytes_behind_the_end_are_refused() =>
        Assert.Contains("behind the bundle's end", Refused([.. _bundles.Make(), 0], _bundles.Box()), StringComparison.Ordinal);

    [Fact]
    public void A_changed_byte_of_a_part_is_refused()
    {
        byte[] bundle = _bundles.Make();
        for (int at = bundle.Length - 1; at > 1000; at -= 1511)
        {
            byte[] changed = (byte[])bundle.Clone();
            changed[at] ^= 0x40;
            Assert.Contains("damaged", Refused(changed, _bundles.Box()).Replace("another size than", "damaged", StringComparison.Ordinal), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(-1, 0, "another size than")]
    [InlineData(1, 0, "another size than")]
    [InlineData(0, 1, "another size than")]
    [InlineData(0, -1, "is damaged")]
    public void Sizes_that_do_not_fit_the_content_are_refused_even_when_signed(long bytes, long packed, string why)
    {
        byte[] bundle = _bundles.Sign(_bundles.Make(), m => m with { Parts = [.. m.Parts.Select(p => p.Name == "root" ? p with { Bytes = p.Bytes + bytes, PackedBytes = p.PackedBytes + packed } : p)] });
        Assert.Contains(why, Refused(bundle, _bundles.Box()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_card_that_gives_back_something_else_is_told_and_never_tried()
    {
        SimulatedBox box = _bundles.Box(forgets: true);
        Assert.Contains("it is dying", Refused(_bundles.Make(), box), StringComparison.Ordinal);
        // It never ran, so it cannot have been unwell.
        Assert.Equal(UpdatePhase.Writing, box.ReadRecord()!.Phase);
        Assert.Contains("it is dying", box.ReadRecord()!.Why, StringComparison.Ordinal);
    }

    [Fact]
    public void While_it_is_written_the_idle_slot_has_no_beginning_that_could_be_mounted()
    {
        byte[] bundle = _bundles.Make();
        SimulatedBox box = _bundles.Box();
        Refused([.. bundle, 0], box);
        (byte[] boot, byte[] root) = box.Slot('b');
        Assert.Equal((-1, -1), (boot.AsSpan(0, 1024).IndexOfAnyExcept((byte)0), root.AsSpan(0, 1024).IndexOfAnyExcept((byte)0)));
    }

    [Fact]
    public void An_interrupted_update_is_told_and_not_tried()
    {
        using var stop = new CancellationTokenSource();
        SimulatedBox box = _bundles.Box();
        var updater = new Updater(box, _bundles.Keys, new UpdateProgress(null, m =>
        {
            if (m.Phase == "writing") stop.Cancel();
        }, TimeProvider.System)) { Piece = 1024 };
        Assert.Contains("interrupted", Assert.Throws<UpdateException>(() => updater.Run(new MemoryStream(_bundles.Make()), stop.Token)).Message, StringComparison.Ordinal);
        Assert.Equal((false, UpdatePhase.Writing, "it was interrupted; begin it again"), (box.Armed, box.ReadRecord()!.Phase, box.ReadRecord()!.Why));
    }

    [Fact]
    public void The_panel_reads_how_far_it_is()
    {
        string file = Path.Combine(_bundles.Folder, "run", "update.json");
        List<string> seen = [];
        SimulatedBox box = _bundles.Box();
        new Updater(box, _bundles.Keys, new UpdateProgress(file, _ => { }, TimeProvider.System)) { Piece = 1024 }.Run(new Watched(new MemoryStream(_bundles.Make()), () => seen.Add(File.Exists(file) ? File.ReadAllText(file) : "")), default);
        Assert.Contains(seen, s => s.StartsWith("{\"phase\":\"reading\",\"version\":\"\",\"percent\":0,", StringComparison.Ordinal));
        Assert.Contains(seen, s => s.StartsWith("{\"phase\":\"writing\",\"version\":\"2.1.0\",\"percent\":", StringComparison.Ordinal));
        Assert.StartsWith("{\"phase\":\"rebooting\"", File.ReadAllText(file), StringComparison.Ordinal);
    }

    [Fact]
    public void One_input_makes_one_bundle_byte_for_byte() => Assert.Equal(_bundles.Make(), _bundles.Make());

    [Fact]
    public void Memory_does_not_grow_with_the_bundle()
    {
        // 64 MiB of zeros pack to almost nothing; held are pieces alone.
        string root = _bundles.Save("big.img", new byte[64 << 20]);
        BundleMaker.Make(Bundles.Manifest(), [("boot", _bundles.Save("boot.img", _bundles.NewBoot)), ("root", root)], [_bundles.Key], Path.Combine(_bundles.Folder, "big.nfru"), _ => { });
        using FileStream bundle = File.OpenRead(Path.Combine(_bundles.Folder, "big.nfru"));
        var reader = new BundleReader(bundle, _bundles.Keys);
        byte[] piece = new byte[Updater.DefaultPiece];
        long before = GC.GetAllocatedBytesForCurrentThread(), read = 0;
        foreach (UpdatePart part in reader.Manifest.Parts) reader.Read(part, piece, p => read += p.Length);
        reader.End();
        Assert.Equal((64 << 20) + Bundles.BootBytes, read);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20);
    }

    /// <summary>Says when it is read.</summary>
    sealed class Watched(Stream inner, Action read) : MemoryStream
    {
        public override int Read(Span<byte> buffer)
        {
            read();
            return inner.Read(buffer);
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));
    }
}

public sealed class UpdateManifestTests
{
    static readonly UpdateManifest s_good = Bundles.Manifest() with { Parts = [new("boot", 10, 8, new string('a', 64)), new("root", 1 << 20, 77, new string('0', 64))] };

    static string? Why(string text)
    {
        Assert.Null(UpdateManifest.Read(Encoding.UTF8.GetBytes(text), out string? why));
        return why;
    }

    [Fact]
    public void What_is_written_is_read_back()
    {
        UpdateManifest? read = UpdateManifest.Read(s_good.Write(), out string? why);
        Assert.Null(why);
        Assert.Equal(s_good.Write(), read!.Write());
        Assert.Equal(("2.1.0 (12)", "Faster.\nSmaller."), (read.Title, read.Notes));
    }

    [Fact]
    public void There_is_one_form_only()
    {
        string text = Encoding.UTF8.GetString(s_good.Write());
        foreach (string other in (string[])[text + " ", " " + text, text.Replace(":12", ":12.0", StringComparison.Ordinal), text.Replace("{\"format\":1,", "{\"format\":1,\"format\":1,", StringComparison.Ordinal), text[..^1] + ",\"more\":1}"])
            Assert.Contains(Why(other), (string[])["its manifest is not in its one form", "its manifest cannot be read"]);
    }

    [Fact]
    public void A_newer_format_says_so() => Assert.Contains("of format 2, newer", Why("{\"format\":2,\"all\":\"else\"}"), StringComparison.Ordinal);

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("{\"format\":1,\"version\":3}")]
    [InlineData("{\"format\":1,\"version\":\"\\ud800\"}")]
    public void What_is_no_manifest_is_refused(string text) => Assert.Equal("its manifest cannot be read", Why(text));

    [Fact]
    public void What_makes_no_sense_is_refused_in_words()
    {
        static string? Fault(Func<UpdateManifest, UpdateManifest> change) => change(s_good).Fault();
        UpdatePart root = s_good.Parts[1], boot = s_good.Parts[0];
        Assert.Null(s_good.Fault());
        Assert.Equal("its version is no version", Fault(m => m with { Version = "2 1" }));
        Assert.Equal("its counter is out of range", Fault(m => m with { Counter = 0 }));
        Assert.Equal("its hardware is no word", Fault(m => m with { Hardware = "" }));
        Assert.Equal("its file is no file name", Fault(m => m with { File = "../x" }));
        Assert.Contains("its notes", Fault(m => m with { Notes = "\u001b[31m" }), StringComparison.Ordinal);
        Assert.Equal("it has no part", Fault(m => m with { Parts = [] }));
        Assert.Equal("it has more than 4 parts", Fault(m => m with { Parts = [root, root, root, root, root] }));
        Assert.Equal("a part comes twice", Fault(m => m with { Parts = [root, root] }));
        Assert.Equal("the part root is missing", Fault(m => m with { Parts = [boot] }));
        Assert.Equal("of boot-a and boot-b one is missing", Fault(m => m with { Parts = [root, boot with { Name = "boot-a" }] }));
        Assert.Equal("a part has an unknown name", Fault(m => m with { Parts = [root, boot with { Name = "data" }] }));
        Assert.Equal("the size of root is out of range", Fault(m => m with { Parts = [root with { Bytes = long.MaxValue }] }));
        Assert.Equal("the hash of root is none", Fault(m => m with { Parts = [root with { Sha256 = new string('A', 64) }] }));
    }
}

public sealed class RepeatableSignatureTests
{
    /// <summary>RFC 6979, A.2.5, with SHA-256.</summary>
    [Theory]
    [InlineData("sample", "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8")]
    [InlineData("test", "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083")]
    public void It_is_the_one_of_the_standard(string message, string signature)
    {
        using ECDsa key = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = Convert.FromHexString("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721") });
        Assert.Equal(signature, Convert.ToHexString(RepeatableSignature.Sign(key, Encoding.ASCII.GetBytes(message))));
    }

    [Fact]
    public void The_platform_verifies_it()
    {
        for (int i = 0; i < 20; i++)
        {
            using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            byte[] message = Bundles.Noise(i, 100 + i);
            Assert.True(key.VerifyData(message, RepeatableSignature.Sign(key, message), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation));
        }
    }
}
