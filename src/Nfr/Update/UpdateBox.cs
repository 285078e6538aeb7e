namespace Nfr.Update;

/// <summary>One partition of the idle slot. What is refused is an <see cref="IOException"/>.</summary>
abstract class SlotDevice : IDisposable
{
    /// <summary>For people, such as /dev/disk/by-partuuid/….</summary>
    public abstract string Name { get; }
    /// <summary>Bytes.</summary>
    public abstract long Length { get; }
    public abstract void Write(long offset, ReadOnlySpan<byte> bytes);
    /// <summary>What was written is on the card when it returns.</summary>
    public abstract void Sync();
    /// <summary>From the card, not from memory where that can be had. Fills the span, or throws.</summary>
    public abstract void Read(long offset, Span<byte> into);

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
    }
}

/// <summary>
/// Everything that an update touches of the machine: the seam at which tests cut the power. <see cref="Appliance"/> is the real one. Faults of the machine are
/// <see cref="UpdateException"/>s with the reason.
/// </summary>
abstract class UpdateBox
{
    public abstract ApplianceImage Image { get; }
    /// <summary>The slot that runs, a or b.</summary>
    public abstract char Booted { get; }
    /// <summary>The slot that the next boot takes when nothing else is asked.</summary>
    public abstract char Lasting { get; }
    /// <summary>Another one at each start of the machine.</summary>
    public abstract string BootId { get; }
    /// <summary>The one that may be written.</summary>
    public char Idle => Booted == 'a' ? 'b' : 'a';
    /// <summary>What runs was booted to be tried, and is not confirmed.</summary>
    public bool OnTrial => Booted != Lasting;

    /// <summary>The next reboot, and that alone, takes the slot that is not lasting.</summary>
    public abstract void Try();
    /// <summary>Takes <see cref="Try"/> back.</summary>
    public abstract void Cancel();
    /// <summary>What runs becomes lasting.</summary>
    public abstract void Good();
    /// <summary>Asks the system to reboot, and returns.</summary>
    public abstract void Reboot();
    /// <summary>A partition ("root", "boot") of the idle slot, for us alone.</summary>
    public abstract SlotDevice Open(string partition);

    /// <summary>Null when there is none, or none that can be read: it is told, and never decides what may be booted.</summary>
    public abstract UpdateRecord? ReadRecord();
    /// <summary>On the card when it returns.</summary>
    public abstract void WriteRecord(UpdateRecord record);

    /// <summary>The last bundle that was not taken, if none was begun since.</summary>
    public abstract UpdateRecord? ReadRefusal();
    /// <summary>One file, replaced by the next: who brings bad bundles all day fills nothing. Null takes it away. A card that takes nothing is no fault here.</summary>
    public abstract void WriteRefusal(UpdateRecord? refusal);
    /// <summary>A sentence for the machine's log.</summary>
    public abstract void Log(string sentence);
}
