using System.IO.MemoryMappedFiles;

namespace Nfr.Faults.Kill;

/// <summary>What a child tells of itself up to the moment it dies: numbers in shared memory, which outlive it. The child writes, the parent reads.</summary>
sealed class LifeNotes : IDisposable
{
    const int Size = 64;

    readonly MemoryMappedFile _file;
    readonly MemoryMappedViewAccessor _view;

    LifeNotes(MemoryMappedFile file)
    {
        _file = file;
        _view = file.CreateViewAccessor(0, Size);
    }

    public static LifeNotes Make(string path) => new(MemoryMappedFile.CreateFromFile(path, FileMode.Create, null, Size));

    public static LifeNotes Open(string path) => new(MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, Size));

    /// <summary>The spool is open and the load has begun.</summary>
    public long Ready { get => _view.ReadInt64(0); set => _view.Write(0, value); }
    /// <summary>Events handed to the spool, counted just before.</summary>
    public long Accepted { get => _view.ReadInt64(8); set => _view.Write(8, value); }
    /// <summary>Of these, events whose commit returned.</summary>
    public long Spooled { get => _view.ReadInt64(16); set => _view.Write(16, value); }
    /// <summary>Alerts handed to the spool.</summary>
    public long Alerts { get => _view.ReadInt64(24); set => _view.Write(24, value); }
    /// <summary>Of these, alerts whose commit returned.</summary>
    public long SpooledAlerts { get => _view.ReadInt64(32); set => _view.Write(32, value); }

    public void Dispose()
    {
        _view.Dispose();
        _file.Dispose();
    }
}
