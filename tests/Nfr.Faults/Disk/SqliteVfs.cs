using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nfr.Faults.Disk;

/// <summary>
/// SQLite's view of a <see cref="FaultDisk"/>: a table of functions (sqlite.org/c3ref/vfs.html), registered under the disk's name. Sectors and
/// characteristics are what the platform's VFS says on Linux, so that SQLite writes what it would write there.
/// </summary>
static unsafe partial class SqliteVfs
{
    const string Library = "libsqlite3.so.0";
    const int LongestPath = 512;
    const int SectorBytes = 4096;
    const int PowerSafeOverwrite = 0x1000;
    const int OpenCreate = 0x4, OpenDeleteOnClose = 0x8, OpenJournal = 0x800, OpenLog = 0x80000;
    const int IndexUnlock = 1, IndexExclusive = 8;

    [StructLayout(LayoutKind.Sequential)]
    struct NativeFile
    {
        public Methods* Methods;
        public nint Handle;
    }

    [StructLayout(LayoutKind.Sequential)]
    struct Methods
    {
        public int Version;
        public delegate* unmanaged[Cdecl]<NativeFile*, int> Close;
        public delegate* unmanaged[Cdecl]<NativeFile*, byte*, int, long, int> Read;
        public delegate* unmanaged[Cdecl]<NativeFile*, byte*, int, long, int> Write;
        public delegate* unmanaged[Cdecl]<NativeFile*, long, int> Truncate;
        public delegate* unmanaged[Cdecl]<NativeFile*, int, int> Sync;
        public delegate* unmanaged[Cdecl]<NativeFile*, long*, int> FileSize;
        public delegate* unmanaged[Cdecl]<NativeFile*, int, int> Lock;
        public delegate* unmanaged[Cdecl]<NativeFile*, int, int> Unlock;
        public delegate* unmanaged[Cdecl]<NativeFile*, int*, int> CheckReservedLock;
        public delegate* unmanaged[Cdecl]<NativeFile*, int, void*, int> FileControl;
        public delegate* unmanaged[Cdecl]<NativeFile*, int> SectorSize;
        public delegate* unmanaged[Cdecl]<NativeFile*, int> DeviceCharacteristics;
        public delegate* unmanaged[Cdecl]<NativeFile*, int, int, int, void**, int> ShmMap;
        public delegate* unmanaged[Cdecl]<NativeFile*, int, int, int, int> ShmLock;
        public delegate* unmanaged[Cdecl]<NativeFile*, void> ShmBarrier;
        public delegate* unmanaged[Cdecl]<NativeFile*, int, int> ShmUnmap;
    }

    [StructLayout(LayoutKind.Sequential)]
    struct Vfs
    {
        public int Version;
        public int FileBytes;
        public int LongestPath;
        public Vfs* Next;
        public byte* Name;
        public nint AppData;
        public delegate* unmanaged[Cdecl]<Vfs*, byte*, NativeFile*, int, int*, int> Open;
        public delegate* unmanaged[Cdecl]<Vfs*, byte*, int, int> Delete;
        public delegate* unmanaged[Cdecl]<Vfs*, byte*, int, int*, int> Access;
        public delegate* unmanaged[Cdecl]<Vfs*, byte*, int, byte*, int> FullPathname;
        public nint LoadLibrary, LibraryError, LibrarySymbol, CloseLibrary;
        public delegate* unmanaged[Cdecl]<Vfs*, int, byte*, int> Randomness;
        public delegate* unmanaged[Cdecl]<Vfs*, int, int> Sleep;
        public delegate* unmanaged[Cdecl]<Vfs*, double*, int> CurrentTime;
        public delegate* unmanaged[Cdecl]<Vfs*, int, byte*, int> GetLastError;
    }

    static readonly Methods* s_methods = MakeMethods();

    [LibraryImport(Library)]
    private static partial int sqlite3_vfs_register(Vfs* vfs, int makeDefault);

    [LibraryImport(Library)]
    private static partial int sqlite3_vfs_unregister(Vfs* vfs);

    /// <summary>Makes the disk known to SQLite. What it takes is never given back: a connection that a failed test left open may still look there.</summary>
    public static nint Register(FaultDisk disk)
    {
        var vfs = (Vfs*)NativeMemory.AllocZeroed((nuint)sizeof(Vfs));
        vfs->Version = 1;
        vfs->FileBytes = sizeof(NativeFile);
        vfs->LongestPath = LongestPath;
        vfs->Name = (byte*)Marshal.StringToCoTaskMemUTF8(disk.Name);
        vfs->AppData = GCHandle.ToIntPtr(GCHandle.Alloc(disk));
        vfs->Open = &Open;
        vfs->Delete = &Delete;
        vfs->Access = &Access;
        vfs->FullPathname = &FullPathname;
        vfs->Randomness = &Randomness;
        vfs->Sleep = &Sleep;
        vfs->CurrentTime = &CurrentTime;
        vfs->GetLastError = &GetLastError;
        int code = sqlite3_vfs_register(vfs, 0);
        if (code != 0) throw new InvalidOperationException($"SQLite refuses the VFS: {code}");
        return (nint)vfs;
    }

    public static void Unregister(nint vfs) => _ = sqlite3_vfs_unregister((Vfs*)vfs);

    static Methods* MakeMethods()
    {
        var methods = (Methods*)NativeMemory.AllocZeroed((nuint)sizeof(Methods));
        // Version 2 has the shared memory, without which there is no write-ahead log for two connections.
        methods->Version = 2;
        methods->Close = &Close;
        methods->Read = &Read;
        methods->Write = &Write;
        methods->Truncate = &Truncate;
        methods->Sync = &Sync;
        methods->FileSize = &FileSize;
        methods->Lock = &Lock;
        methods->Unlock = &Unlock;
        methods->CheckReservedLock = &CheckReservedLock;
        methods->FileControl = &FileControl;
        methods->SectorSize = &SectorSize;
        methods->DeviceCharacteristics = &DeviceCharacteristics;
        methods->ShmMap = &ShmMap;
        methods->ShmLock = &ShmLock;
        methods->ShmBarrier = &ShmBarrier;
        methods->ShmUnmap = &ShmUnmap;
        return methods;
    }

    static FaultDisk Disk(Vfs* vfs) => (FaultDisk)GCHandle.FromIntPtr(vfs->AppData).Target!;

    // SAFETY: SQLite hands out the bytes that Open filled in, and not after Close.
    static OpenFile Of(NativeFile* file) => (OpenFile)GCHandle.FromIntPtr(file->Handle).Target!;

    static string Text(byte* name) => Marshal.PtrToStringUTF8((nint)name)!;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Open(Vfs* vfs, byte* name, NativeFile* file, int flags, int* outFlags)
    {
        // Without methods, SQLite does not close what was not opened.
        file->Methods = null;
        OpenFile? opened = Disk(vfs).Open(name == null ? null : Text(name), (flags & OpenCreate) != 0, (flags & (OpenJournal | OpenLog)) != 0);
        if (opened is null) return OpenFile.CantOpen;
        file->Methods = s_methods;
        file->Handle = GCHandle.ToIntPtr(GCHandle.Alloc(opened));
        if (outFlags != null) *outFlags = flags & ~OpenDeleteOnClose;
        return OpenFile.Ok;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Delete(Vfs* vfs, byte* name, int syncNames) => Disk(vfs).Remove(Text(name), syncNames != 0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Access(Vfs* vfs, byte* name, int flags, int* result)
    {
        int code = Disk(vfs).Access(Text(name), flags != 0, out bool there);
        *result = there ? 1 : 0;
        return code;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int FullPathname(Vfs* vfs, byte* name, int size, byte* full)
    {
        int i = 0;
        // SAFETY: full has size bytes, and one is left for the end.
        for (; name[i] != 0 && i < size - 1; i++) full[i] = name[i];
        full[i] = 0;
        return OpenFile.Ok;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Randomness(Vfs* vfs, int count, byte* target)
    {
        Random.Shared.NextBytes(new Span<byte>(target, count));
        return count;
    }

    // Whoever waits for a lock waits in vain: all of a test's connections belong to one thread.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Sleep(Vfs* vfs, int microseconds) => microseconds;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int CurrentTime(Vfs* vfs, double* julianDay)
    {
        *julianDay = 2461000.5;
        return OpenFile.Ok;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int GetLastError(Vfs* vfs, int size, byte* text) => 0;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Close(NativeFile* file)
    {
        Of(file).Close();
        GCHandle.FromIntPtr(file->Handle).Free();
        return OpenFile.Ok;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Read(NativeFile* file, byte* target, int count, long offset) => Of(file).Read(new Span<byte>(target, count), offset);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Write(NativeFile* file, byte* data, int count, long offset) => Of(file).Write(new ReadOnlySpan<byte>(data, count), offset);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Truncate(NativeFile* file, long length) => Of(file).Truncate(length);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Sync(NativeFile* file, int flags) => Of(file).Sync();

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int FileSize(NativeFile* file, long* size) => Of(file).Size(out *size);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Lock(NativeFile* file, int state) => Of(file).Lock(state);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Unlock(NativeFile* file, int state) => Of(file).Unlock(state);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int CheckReservedLock(NativeFile* file, int* result)
    {
        *result = Of(file).IsReserved() ? 1 : 0;
        return OpenFile.Ok;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int FileControl(NativeFile* file, int operation, void* argument) => OpenFile.NotFound;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int SectorSize(NativeFile* file) => SectorBytes;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int DeviceCharacteristics(NativeFile* file) => PowerSafeOverwrite;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int ShmMap(NativeFile* file, int region, int size, int extend, void** address)
    {
        int code = Of(file).MapIndex(region, size, extend != 0, out nint mapped);
        *address = (void*)mapped;
        return code;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int ShmLock(NativeFile* file, int first, int count, int flags) =>
        Of(file).LockIndex(first, count, (flags & IndexUnlock) == 0, (flags & IndexExclusive) != 0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static void ShmBarrier(NativeFile* file) => Interlocked.MemoryBarrier();

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int ShmUnmap(NativeFile* file, int delete)
    {
        Of(file).UnmapIndex();
        return OpenFile.Ok;
    }
}
