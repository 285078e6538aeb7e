using System.Security.Cryptography;
using Nfr.Config;
using Nfr.Uplink;

namespace Nfr.Fleet;

/// <summary>The private key that commands are signed with: ECDSA over P-256 (ES256 of RFC 7518, 3.4), a PEM file that only its owner may read.</summary>
sealed class CommandKey : IDisposable
{
    const int LongestFile = 16 << 10;
    const UnixFileMode Foreign = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    readonly ECDsa _key;

    CommandKey(string file, ECDsa key) => (File, _key) = (file, key);

    public string File { get; }

    /// <summary>Where a user's key lies when none is named.</summary>
    public static string DefaultFile => Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify), "nfr", "fleet-key.pem");

    /// <summary>What sensors know it by.</summary>
    public string Id => FleetKey.Id(_key);

    public string PublicPem => _key.ExportSubjectPublicKeyInfoPem();

    public byte[] Sign(FleetCommand command) => command.Sign(_key);

    /// <summary>Makes a new pair and writes it; never over a file that is there.</summary>
    /// <param name="file">Its folder is made (0700) where it is missing.</param>
    /// <param name="fault">Why there is none, one sentence.</param>
    public static CommandKey? Create(string file, out string fault)
    {
        fault = "";
        ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        try
        {
            if (Path.GetDirectoryName(Path.GetFullPath(file)) is { } folder && !Directory.Exists(folder)) MakeFolder(folder);
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using var stream = new FileStream(file, options);
            stream.Write(System.Text.Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem() + "\n"));
            stream.Flush(flushToDisk: true);
            return new CommandKey(file, key);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            key.Dispose();
            fault = $"cannot write {file}: {Reason.Of(e)}; name another file";
            return null;
        }
    }

    static void MakeFolder(string folder)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>Writes the public key beside it, FILE.pub; its path, or null with one sentence.</summary>
    public string? WritePublic(out string fault)
    {
        string path = File + ".pub";
        fault = "";
        try
        {
            System.IO.File.WriteAllText(path, PublicPem.TrimEnd() + "\n");
            return path;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            fault = $"cannot write {path}: {Reason.Of(e)}";
            return null;
        }
    }

    /// <summary>Reads one; null with one sentence where it is none, or where others may read it.</summary>
    public static CommandKey? Load(string file, out string fault)
    {
        ECDsa? key = null;
        try
        {
            if (!System.IO.File.Exists(file))
            {
                fault = $"there is no {file}; make a key with: nfr fleet key {file}";
                return null;
            }
            if (!OperatingSystem.IsWindows() && (System.IO.File.GetUnixFileMode(file) & Foreign) != 0)
            {
                fault = $"{file} can be read or written by others than its owner, so the key may be known to them; if it is not, run: chmod 600 {file}";
                return null;
            }
            if (new FileInfo(file).Length > LongestFile)
            {
                fault = $"{file} is too long to be a key";
                return null;
            }
            key = ECDsa.Create();
            key.ImportFromPem(System.IO.File.ReadAllText(file));
            ECParameters parameters = key.ExportParameters(includePrivateParameters: true);
            if (parameters.Curve.Oid.Value != ECCurve.NamedCurves.nistP256.Oid.Value)
            {
                fault = $"the key in {file} is not on the curve P-256; make one with: nfr fleet key";
                key.Dispose();
                return null;
            }
            fault = "";
            return new CommandKey(file, key);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            key?.Dispose();
            fault = $"cannot read {file}: {Reason.Of(e)}";
            return null;
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            key?.Dispose();
            fault = $"{file} holds no private key in PEM that \"nfr fleet key\" would make; make one with: nfr fleet key FILE";
            return null;
        }
    }

    public void Dispose() => _key.Dispose();
}
