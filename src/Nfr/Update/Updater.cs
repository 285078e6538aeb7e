using System.Security.Cryptography;
using Nfr.Config;
using Nfr.Health;

namespace Nfr.Update;

/// <summary>
/// One update, in the order of decision 009, of which every prefix is safe to lose power after:
/// <code>
/// refuse what is not for us ─► cancel ─► record "writing" ─► wipe both beginnings, sync ─► write, sync, read back, hash ─► end of bundle
///   ─► write both beginnings, sync, read back ─► record "trying" ─► try ─► reboot
/// </code>
/// Two guards keep a torn slot from being run. The slot is asked for (<see cref="UpdateBox.Try"/>) only when all of it was read back; and until then the first piece of each of its
/// partitions, where the file system's own header lies, is zeros, so that a hand that asks for it anyway finds nothing that mounts.
/// </summary>
sealed class Updater(UpdateBox box, UpdateKeys keys, UpdateProgress progress)
{
    /// <summary>Written and read at once; held in memory are three of these.</summary>
    public const int DefaultPiece = 1 << 20;
    /// <summary>So much is written between two syncs: dirty pages of a slow card would otherwise fill a small board's memory.</summary>
    const int PiecesPerSync = 16;

    /// <summary>Bytes; smaller in tests.</summary>
    public int Piece { get; init; } = DefaultPiece;
    /// <summary>The same counter again is taken: a repair.</summary>
    public bool AllowSame { get; init; }
    /// <summary>Reboots by itself when all is written.</summary>
    public bool Reboots { get; init; } = true;

    /// <summary>Writes a bundle into the idle slot and has it tried. Faults are <see cref="UpdateException"/>s; then nothing of what runs has changed, and the idle slot is not asked for.</summary>
    public UpdateManifest Run(Stream bundle, CancellationToken stop)
    {
        // Before the head, which comes when it likes.
        RefuseTrial(box);
        progress.Tell(new UpdateMoment("reading", "", 0, "reading the bundle's head"));
        UpdateManifest? manifest = null;
        bool begun = false;
        try
        {
            var reader = new BundleReader(bundle, keys);
            manifest = reader.Manifest;
            Refuse(manifest);
            List<Target> targets = [];
            try
            {
                foreach (UpdatePart part in manifest.Parts.Where(p => p.IsFor(box.Idle))) targets.Add(Fit(part));
                box.Cancel();
                begun = true;
                box.WriteRecord(new UpdateRecord(UpdatePhase.Writing, box.Idle, manifest.Version, manifest.Counter, box.BootId));
                // What was not taken before is over.
                box.WriteRefusal(null);
                box.Log($"writing {manifest.Title} to slot {box.Idle}");
                WriteAll(reader, targets, stop);
            }
            finally
            {
                foreach (Target target in targets) target.Device.Dispose();
            }
            stop.ThrowIfCancellationRequested();
            box.WriteRecord(new UpdateRecord(UpdatePhase.Trying, box.Idle, manifest.Version, manifest.Counter, box.BootId));
            box.Try();
            if (Reboots)
            {
                box.Log($"{manifest.Title} is in slot {box.Idle} and is tried now");
                progress.Tell(new UpdateMoment("rebooting", manifest.Version, 100, "rebooting into the new system, on trial"));
                box.Reboot();
            }
            // Nothing is written any more that must not be cut off; that a trial waits, the record says.
            else progress.Clear();
            return manifest;
        }
        catch (Exception e) when (e is UpdateException or OperationCanceledException or IOException or UnauthorizedAccessException)
        {
            string why = e switch { UpdateException => e.Message, OperationCanceledException => "it was interrupted; begin it again", _ => $"reading the bundle or writing the card failed: {Reason.Of(e)}" };
            if (!begun)
            {
                progress.Clear();
                // Somebody who may run this wanted another system on the box, and it does not run there: that is told wherever the box tells what is wrong.
                if (e is UpdateException { IsNoNews: false }) Refused(manifest, why);
            }
            else
            {
                Fail(manifest!, why);
                box.Log($"the update to {manifest!.Title} failed: {why}");
                progress.Tell(new UpdateMoment("failed", manifest!.Version, 100, why));
            }
            throw new UpdateException(why);
        }
    }

    /// <summary>A partition with the part that goes there.</summary>
    sealed record Target(UpdatePart Part, SlotDevice Device)
    {
        /// <summary>The part's first piece, written last.</summary>
        public byte[] Beginning { get; set; } = [];
    }

    /// <summary>
    /// Asked before the lock is taken, too: what runs becomes a trial by a start alone, so nobody who asks has to hold the lock for the answer, and no confirmation waits for a bundle that will be refused.
    /// </summary>
    public static void RefuseTrial(UpdateBox box)
    {
        if (box.OnTrial) throw new UpdateException($"the running system is on trial, and the slot that an update would overwrite is the one to go back to; wait until it is confirmed (nfr update status), or confirm it: nfr update confirm") { IsNoNews = true };
    }

    void Refuse(UpdateManifest manifest)
    {
        ApplianceImage image = box.Image;
        if (manifest.Hardware != image.Hardware) throw new UpdateException($"the bundle is for {manifest.Hardware}, and this box is {image.Hardware}; take the one for {image.Hardware}");
        if (manifest.Counter < image.Counter) throw new UpdateException($"the bundle has {manifest.Title} and this box runs {image.Title}: an older system may have faults that were mended since; it is never put back");
        if (manifest.Counter == image.Counter && !AllowSame) throw new UpdateException($"this box runs {image.Title} already; --allow-same writes it once more, as a repair") { IsNoNews = true };
    }

    Target Fit(UpdatePart part)
    {
        SlotDevice device = box.Open(part.Partition);
        if (part.Bytes <= device.Length) return new Target(part, device);
        string much = $"the part {part.Name} has {Sizes.Of(part.Bytes)} and the partition {device.Name} {Sizes.Of(device.Length)}";
        device.Dispose();
        throw new UpdateException(much + ": this update needs a card that is flashed anew");
    }

    void WriteAll(BundleReader reader, List<Target> targets, CancellationToken stop)
    {
        byte[] piece = new byte[Piece];
        long total = targets.Sum(t => t.Part.Bytes), done = 0;
        foreach (Target target in targets)
        {
            target.Device.Write(0, new byte[Math.Min(Piece, target.Part.Bytes)]);
            target.Device.Sync();
        }
        foreach (UpdatePart part in reader.Manifest.Parts)
        {
            stop.ThrowIfCancellationRequested();
            if (targets.Find(t => t.Part == part) is { } target) done = Write(reader, target, piece, done, total, stop);
            else reader.Skip(part);
        }
        reader.End();
        done = 0;
        foreach (Target target in targets) done = Check(target, reader.Manifest, piece, done, total, stop);
        foreach (Target target in targets)
        {
            target.Device.Write(0, target.Beginning);
            target.Device.Sync();
            target.Device.Read(0, piece.AsSpan(0, target.Beginning.Length));
            if (!piece.AsSpan(0, target.Beginning.Length).SequenceEqual(target.Beginning)) throw Unfaithful(target);
        }
    }

    long Write(BundleReader reader, Target target, byte[] piece, long done, long total, CancellationToken stop)
    {
        long at = 0;
        int unsynced = 0;
        reader.Read(target.Part, piece, bytes =>
        {
            stop.ThrowIfCancellationRequested();
            if (at == 0) target.Beginning = bytes.ToArray();
            else target.Device.Write(at, bytes.Span);
            at += bytes.Length;
            if (++unsynced == PiecesPerSync)
            {
                target.Device.Sync();
                unsynced = 0;
            }
            long sum = done + at;
            progress.Tell(new UpdateMoment("writing", reader.Manifest.Version, (int)(sum * 100 / total), $"writing {target.Part.Name} to the idle slot; do not cut the power needlessly", sum, total, target.Part.Name));
        });
        target.Device.Sync();
        return done + at;
    }

    /// <summary>What the card gives back, by the hash that was signed.</summary>
    long Check(Target target, UpdateManifest manifest, byte[] piece, long done, long total, CancellationToken stop)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(target.Beginning);
        for (long at = target.Beginning.Length; at < target.Part.Bytes;)
        {
            stop.ThrowIfCancellationRequested();
            int length = (int)Math.Min(Piece, target.Part.Bytes - at);
            target.Device.Read(at, piece.AsSpan(0, length));
            hash.AppendData(piece, 0, length);
            at += length;
            progress.Tell(new UpdateMoment("checking", manifest.Version, (int)((done + at) * 100 / total), $"reading {target.Part.Name} back from the card", done + at, total, target.Part.Name));
        }
        if (Convert.ToHexStringLower(hash.GetHashAndReset()) != target.Part.Sha256) throw Unfaithful(target);
        return done + target.Part.Bytes;
    }

    static UpdateException Unfaithful(Target target) => new($"the card does not give back what was written to {target.Device.Name} ({target.Part.Name}): it is dying; replace it and flash it anew. The box runs on as before");

    /// <summary>Beside the record of what was tried, which stays.</summary>
    /// <param name="manifest">Null where nothing of it is to be believed.</param>
    /// <param name="why">For people.</param>
    void Refused(UpdateManifest? manifest, string why)
    {
        box.Log($"an update {(manifest is null ? "" : $"to {manifest.Title} ")}was not taken: {why}");
        try
        {
            box.WriteRefusal(new UpdateRecord(UpdatePhase.Refused, box.Idle, manifest?.Version ?? "", manifest?.Counter ?? 0, box.BootId, why));
        }
        catch (UpdateException)
        {
            // Not even which slot runs can be told: that is what is being thrown already.
        }
    }

    /// <summary>Nothing asks for the slot any more, and the record says why. What fails here adds nothing to what is being told.</summary>
    void Fail(UpdateManifest manifest, string why)
    {
        try
        {
            box.Cancel();
        }
        catch (UpdateException)
        {
            // Only after Try did it matter, and a slot that is tried is whole.
        }
        try
        {
            // "failed" is of a system that ran and was not well. This one was never started.
            box.WriteRecord(new UpdateRecord(UpdatePhase.Writing, box.Idle, manifest.Version, manifest.Counter, box.BootId, why));
        }
        catch (UpdateException)
        {
            // "writing" stays there, without a reason, which is true as well.
        }
    }
}
