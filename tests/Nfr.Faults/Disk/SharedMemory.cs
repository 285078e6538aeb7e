using System.Runtime.InteropServices;

namespace Nfr.Faults.Disk;

/// <summary>
/// The memory that the connections to one database share as the index of its log, and its eight locks (sqlite.org/walformat 2.3). It is no part
/// of the disk: a power cut leaves nothing of it, and whoever opens the database first makes it anew from the log.
/// </summary>
sealed unsafe class SharedMemory
{
    const int Locks = 8;

    readonly List<nint> _regions = [];
    readonly int[] _sharedBy = new int[Locks];
    readonly OpenFile?[] _exclusiveBy = new OpenFile?[Locks];
    int _users;

    /// <summary>The address of a region; 0 when there is none and none shall be made.</summary>
    public nint Map(int region, int bytes, bool extend)
    {
        while (_regions.Count <= region)
        {
            if (!extend) return 0;
            _regions.Add((nint)NativeMemory.AllocZeroed((nuint)bytes));
        }
        return _regions[region];
    }

    public void Enter() => _users++;

    public void Leave(OpenFile file)
    {
        for (int i = 0; i < Locks; i++) Unlock(file, i, 1);
        if (--_users > 0) return;
        foreach (nint region in _regions) NativeMemory.Free((void*)region);
        _regions.Clear();
    }

    /// <summary>All of the range or nothing.</summary>
    public bool TryLock(OpenFile file, int first, int count, bool exclusive)
    {
        for (int i = first; i < first + count; i++)
        {
            if (_exclusiveBy[i] is { } other && other != file) return false;
            bool mine = (file.SharedIndexLocks & (1 << i)) != 0;
            if (exclusive && _sharedBy[i] > (mine ? 1 : 0)) return false;
        }
        for (int i = first; i < first + count; i++)
        {
            if (exclusive)
            {
                _exclusiveBy[i] = file;
            }
            else if ((file.SharedIndexLocks & (1 << i)) == 0)
            {
                file.SharedIndexLocks |= 1 << i;
                _sharedBy[i]++;
            }
        }
        return true;
    }

    public void Unlock(OpenFile file, int first, int count)
    {
        for (int i = first; i < first + count; i++)
        {
            if (_exclusiveBy[i] == file) _exclusiveBy[i] = null;
            if ((file.SharedIndexLocks & (1 << i)) == 0) continue;
            file.SharedIndexLocks &= ~(1 << i);
            _sharedBy[i]--;
        }
    }
}
