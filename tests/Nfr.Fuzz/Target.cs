namespace Nfr.Fuzz;

/// <summary>One entrance for bytes from outside.</summary>
abstract class Target
{
    public abstract string Name { get; }

    /// <summary>Runs in the CI tier: so many that it takes about ten seconds on a busy core.</summary>
    public abstract int Runs { get; }

    /// <summary>Whether a run may allocate: decoders never, readers of files may.</summary>
    public virtual bool MayAllocate => false;

    public virtual int MaximumLength => 2048;

    /// <summary>Per 64 KiB of input; looked at again three times before it counts, since the machine may have been elsewhere.</summary>
    public virtual TimeSpan Longest => TimeSpan.FromMilliseconds(10);

    /// <summary>Words that mean something to the protocol.</summary>
    public virtual IReadOnlyList<byte[]> Words => [];

    public abstract IEnumerable<byte[]> Seeds(Seeds seeds);

    /// <summary>Must return, whatever the bytes: an exception is a finding.</summary>
    public abstract void Run(ReadOnlySpan<byte> input);
}
