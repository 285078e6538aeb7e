using System.Text;

namespace Nfr.Uplink;

/// <summary>A password or key: in the configuration, or alone in a file that is read anew for each use, so that a changed one needs no restart. Never shown.</summary>
public sealed record SecretText
{
    /// <summary>Of a file; the line end after the secret does not count.</summary>
    public const int MaxBytes = 4096;

    public string? Text { get; init; }
    /// <summary>An absolute path, in place of <see cref="Text"/>.</summary>
    public string? File { get; init; }

    /// <summary>False and a sentence when the file cannot be read or holds nothing.</summary>
    public bool TryRead(out string secret, out string fault)
    {
        (secret, fault) = (Text ?? "", "");
        if (File is null) return true;
        try
        {
            using FileStream file = new(File, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            byte[] bytes = new byte[MaxBytes + 1];
            int length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            secret = Encoding.UTF8.GetString(bytes, 0, length).TrimEnd('\r', '\n');
            if (length > MaxBytes) fault = $"{File} is longer than {MaxBytes:N0} bytes, which no password or key is";
            else if (secret.Length == 0) fault = $"{File} is empty";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            fault = $"{File} cannot be read: {e.Message}";
        }
        if (fault.Length > 0) secret = "";
        return fault.Length == 0;
    }

    public override string ToString() => File ?? "...";
}
