namespace Nfr.Faults;

/// <summary>A folder of its own in memory where the system has such a place (what is tested here is no disk), otherwise a temporary one.</summary>
sealed class RamFolder : IDisposable
{
    public RamFolder()
    {
        const string memory = "/dev/shm";
        string root = Directory.Exists(memory) && new DriveInfo(memory).AvailableFreeSpace > 6L << 30 ? memory : System.IO.Path.GetTempPath();
        Path = System.IO.Path.Combine(root, "nfr-faults-" + Guid.NewGuid().ToString("n")[..12]);
        Directory.CreateDirectory(Path);
    }

    public string Path { get; }

    public string In(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (IOException)
        {
        }
    }
}
