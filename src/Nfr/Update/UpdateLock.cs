using Nfr.Config;

namespace Nfr.Update;

/// <summary>One update, or confirmation, at a time. The kernel lets go of it with the process, however that ends.</summary>
sealed class UpdateLock : IDisposable
{
    readonly FileStream _file;

    UpdateLock(FileStream file) => _file = file;

    /// <exception cref="UpdateException">Another has it, or it cannot be made.</exception>
    public static UpdateLock Take(string path) => TryTake(path) ?? throw new UpdateException("another update, or the confirmation of one, is under way; see nfr update status, and try again when it is over");

    /// <returns>Null while another has it.</returns>
    /// <exception cref="UpdateException">It cannot be made.</exception>
    public static UpdateLock? TryTake(string path)
    {
        try
        {
            return new UpdateLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 0));
        }
        catch (UnauthorizedAccessException)
        {
            throw new UpdateException("this needs root: run it with sudo");
        }
        catch (IOException e)
        {
            // EWOULDBLOCK comes as a sharing violation; all else has its own words.
            return File.Exists(path) ? null : throw new UpdateException($"{path} cannot be made: {Reason.Of(e)}");
        }
    }

    public void Dispose() => _file.Dispose();
}
