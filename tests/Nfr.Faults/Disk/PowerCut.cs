namespace Nfr.Faults.Disk;

/// <summary>
/// What a power cut may leave of a recorded run. Synced bytes stay. Of everything else each sector of each write is kept, dropped or garbled by
/// itself; a truncation is kept or not; of the changes of names that were not synced the first few are kept, in their order, as a file system with
/// a journal does it. A sector is damaged only where it was being written: that is what SQLite asks of a card (powersafe overwrite), too.
/// </summary>
sealed class PowerCut(DiskImage start, IReadOnlyList<DiskOp> log)
{
    readonly Dictionary<int, DiskFile> _files = start.Files.Values.ToDictionary(file => file.Id, file => file.Copy());
    readonly Dictionary<string, int> _names = start.Files.ToDictionary(file => file.Key, file => file.Value.Id, StringComparer.Ordinal);
    readonly List<DiskOp> _pendingNames = [];
    readonly Dictionary<int, List<DiskOp>> _pendingData = [];
    int _at;

    /// <summary>The log's first <paramref name="cut"/> entries have reached the disk; it only goes forward.</summary>
    public void AdvanceTo(int cut)
    {
        for (; _at < cut; _at++)
        {
            DiskOp op = log[_at];
            if (op.IsName)
            {
                if (op.Kind == DiskOpKind.Create) _files[op.File] = new DiskFile(op.File);
                _pendingNames.Add(op);
            }
            else if (op.Kind == DiskOpKind.SyncNames)
            {
                foreach (DiskOp name in _pendingNames) Apply(_names, name);
                _pendingNames.Clear();
            }
            else if (op.Kind == DiskOpKind.Sync)
            {
                if (!_pendingData.Remove(op.File, out List<DiskOp>? writes)) continue;
                foreach (DiskOp write in writes) Apply(_files[op.File], write);
            }
            else
            {
                if (!_pendingData.TryGetValue(op.File, out List<DiskOp>? writes)) _pendingData[op.File] = writes = [];
                writes.Add(op);
            }
        }
    }

    /// <summary>One of the states that a cut here may leave.</summary>
    /// <param name="random">Decides what is kept.</param>
    /// <param name="sectorBytes">What the card keeps, drops or garbles as one.</param>
    public DiskImage Image(Random random, int sectorBytes)
    {
        var image = new DiskImage();
        image.Directories.UnionWith(start.Directories);
        image.Directories.Add("/spool");
        var names = new Dictionary<string, int>(_names, StringComparer.Ordinal);
        int keptNames = random.Next(_pendingNames.Count + 1);
        for (int i = 0; i < keptNames; i++) Apply(names, _pendingNames[i]);
        // From nothing written to all written: a card with a large cache and one without.
        double kept = random.Next(5) switch { 0 => 0, 1 => 0.25, 2 => 0.75, 3 => 0.97, _ => 1 };
        double garbled = random.Next(3) == 0 ? 0.5 : 0.1;
        foreach ((string name, int id) in names)
        {
            DiskFile file = _files[id].Copy();
            if (_pendingData.TryGetValue(id, out List<DiskOp>? writes))
            {
                foreach (DiskOp write in writes) Tear(file, write, random, sectorBytes, kept, garbled);
            }
            image.Files[name] = file;
        }
        return image;
    }

    static void Tear(DiskFile file, DiskOp op, Random random, int sectorBytes, double kept, double garbled)
    {
        if (op.Kind == DiskOpKind.Truncate)
        {
            if (random.NextDouble() < kept) Apply(file, op);
            return;
        }
        ReadOnlySpan<byte> data = op.Data;
        for (int done = 0; done < data.Length;)
        {
            long offset = op.Offset + done;
            int length = (int)Math.Min(data.Length - done, sectorBytes - (offset % sectorBytes));
            if (random.NextDouble() < kept)
            {
                file.Write(offset, data.Slice(done, length));
            }
            else if (random.NextDouble() < garbled)
            {
                var garbage = new byte[length];
                random.NextBytes(garbage);
                file.Write(offset, garbage);
            }
            done += length;
        }
    }

    static void Apply(DiskFile file, DiskOp op)
    {
        if (op.Kind == DiskOpKind.Truncate) file.Truncate(op.Offset);
        else file.Write(op.Offset, op.Data);
    }

    static void Apply(Dictionary<string, int> names, DiskOp op)
    {
        if (op.Kind == DiskOpKind.Create) names[op.Name] = op.File;
        else if (op.Kind == DiskOpKind.Delete) names.Remove(op.Name);
        else if (names.Remove(op.Name, out int file)) names[op.To] = file;
    }
}
