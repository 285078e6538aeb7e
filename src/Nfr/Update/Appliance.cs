using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;
using Nfr.Config;
using Nfr.Health;
using Nfr.Native;

namespace Nfr.Update;

/// <summary>Where an appliance keeps what an update needs; tests put all of it into a folder of their own.</summary>
sealed record AppliancePaths
{
    public const string DefaultRecord = "/data/nfr-update/record.json";

    public string Image { get; init; } = ApplianceImage.DefaultPath;
    public string Keys { get; init; } = UpdateKeys.DefaultFolder;
    public string Script { get; init; } = SlotScript.DefaultPath;
    public string Record { get; init; } = DefaultRecord;
    /// <summary>The last bundle that was not taken.</summary>
    public string Refusal => BoxNotePlaces.RefusalBeside(Record);
    /// <summary>Where systemd's journal listens.</summary>
    public string Journal { get; init; } = UpdateJournal.DefaultSocket;
    /// <summary>What "nfr update check" was told last.</summary>
    public string Latest => Path.Combine(Path.GetDirectoryName(Record)!, "latest.json");
    /// <summary>Root's alone, and gone with the boot.</summary>
    public string Lock { get; init; } = "/run/nfr-update.lock";
    public string Progress { get; init; } = UpdateProgress.DefaultPath;
    /// <summary>The folder with a link of each interface.</summary>
    public string Interfaces { get; init; } = "/sys/class/net";
    public IReadOnlyList<string> Reboot { get; init; } = ["systemctl", "--no-block", "reboot"];
}

/// <summary>The real box: block devices, the image's script, files on the data partition.</summary>
sealed class Appliance : UpdateBox
{
    readonly AppliancePaths _paths;
    char? _booted;

    public Appliance(AppliancePaths paths) => (_paths, Image) = (paths, ApplianceImage.Load(paths.Image));

    public override ApplianceImage Image { get; }
    // What runs does not change while we do; what is lasting may, by another hand.
    public override char Booted => _booted ??= Slot("booted");
    public override char Lasting => Slot("lasting");

    public override string BootId { get; } = ReadBootId();

    public override void Try() => Call("try");
    public override void Cancel() => Call("cancel");
    public override void Good() => Call("good");
    public override void Reboot() => SlotScript.Call(_paths.Reboot[0], SlotScript.Patience, [.. _paths.Reboot.Skip(1)]);

    string Call(string verb) => SlotScript.Call(_paths.Script, SlotScript.Patience, verb);

    char Slot(string verb) => Call(verb) is ['a' or 'b'] slot ? slot[0] : throw new UpdateException($"{_paths.Script} {verb} says neither a nor b; the image is damaged, flash it anew");

    static string ReadBootId()
    {
        try
        {
            return File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    public override SlotDevice Open(string partition) => BlockSlotDevice.Open(Image.Device(Idle, partition), partition);

    public override UpdateRecord? ReadRecord() => Read(_paths.Record);

    public override UpdateRecord? ReadRefusal() => Read(_paths.Refusal);

    public override void Log(string sentence) => UpdateJournal.Write(_paths.Journal, sentence);

    public override void WriteRefusal(UpdateRecord? refusal)
    {
        try
        {
            if (refusal is null) File.Delete(_paths.Refusal);
            else
            {
                Directory.CreateDirectory(Path.GetDirectoryName(_paths.Refusal)!);
                WholeFile.Write(_paths.Refusal, refusal.Write(), lasting: false);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is told to who brought the bundle, and stands in the journal.
            Trace.WriteLine(e.Message);
        }
    }

    static UpdateRecord? Read(string file)
    {
        try
        {
            return File.Exists(file) ? UpdateRecord.Read(File.ReadAllBytes(file)) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public override void WriteRecord(UpdateRecord record)
    {
        try
        {
            string folder = Path.GetDirectoryName(_paths.Record)!;
            Directory.CreateDirectory(folder);
            WholeFile.Write(_paths.Record, record.Write(), lasting: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UpdateException($"{_paths.Record} cannot be written: {Reason.Of(e)}; look at the data partition (nfr status, dmesg)");
        }
    }
}

/// <summary>A file that is there whole or not at all.</summary>
static class WholeFile
{
    /// <summary>By another name first, which is made anew and never followed: in a folder of an unprivileged user nothing of what lies there is believed.</summary>
    public static void Write(string path, ReadOnlySpan<byte> bytes, bool lasting)
    {
        string beside = $"{path}.{Environment.ProcessId}-{Guid.NewGuid():N}";
        try
        {
            using (var file = new FileStream(beside, FileMode.CreateNew, FileAccess.Write, FileShare.None, 0))
            {
                file.Write(bytes);
                // The file that is open, not its name: that user could have put a link to another there by now.
                if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(file.SafeFileHandle, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
                if (lasting) file.Flush(flushToDisk: true);
            }
            File.Move(beside, path, overwrite: true);
        }
        catch
        {
            File.Delete(beside);
            throw;
        }
        if (lasting) DirectorySync.Flush(Path.GetDirectoryName(path)!);
    }
}

/// <summary>A partition on the card.</summary>
sealed class BlockSlotDevice : SlotDevice
{
    readonly SafeFileHandle _handle;

    BlockSlotDevice(string name, SafeFileHandle handle, long length) => (Name, _handle, Length) = (name, handle, length);

    public override string Name { get; }
    public override long Length { get; }

    /// <exception cref="UpdateException">It is not there, is mounted, or cannot be written by us.</exception>
    public static BlockSlotDevice Open(string path, string partition)
    {
        if (BlockDevice.Open(path, out int errno) is not { } handle)
        {
            throw new UpdateException(errno == BlockDevice.Busy
                ? $"the {partition} partition of the idle slot ({path}) is in use; unmount it (umount {path}) and try again"
                : $"the {partition} partition of the idle slot ({path}) cannot be opened: {new Win32Exception(errno).Message}");
        }
        long length = BlockDevice.Length(handle);
        if (length > 0) return new BlockSlotDevice(path, handle, length);
        handle.Dispose();
        throw new UpdateException($"the size of {path} cannot be told; the partition is damaged, flash the card anew");
    }

    public override void Write(long offset, ReadOnlySpan<byte> bytes) => RandomAccess.Write(_handle, bytes, offset);

    public override void Sync() => RandomAccess.FlushToDisk(_handle);

    public override void Read(long offset, Span<byte> into)
    {
        BlockDevice.Forget(_handle, offset, into.Length);
        while (!into.IsEmpty)
        {
            int read = RandomAccess.Read(_handle, into, offset);
            if (read == 0) throw new IOException($"{Name} ends at {offset:N0}");
            into = into[read..];
            offset += read;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _handle.Dispose();
        base.Dispose(disposing);
    }
}
