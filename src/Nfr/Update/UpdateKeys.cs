using System.Security.Cryptography;
using Nfr.Config;

namespace Nfr.Update;

/// <summary>The public keys that this box believes; two while they change.</summary>
sealed class UpdateKeys
{
    public const string DefaultFolder = "/usr/share/nfr/update-keys";
    const int MostKeys = 8;
    const long MostFileBytes = 16 << 10;

    readonly List<byte[]> _keys;

    UpdateKeys(string where, List<byte[]> keys) => (Where, _keys) = (where, keys);

    /// <summary>The folder, for people.</summary>
    public string Where { get; }
    public int Count => _keys.Count;

    /// <param name="infos">SubjectPublicKeyInfo of each.</param>
    public static UpdateKeys Of(params byte[][] infos) => new("memory", [.. infos]);

    /// <summary>Reads every *.pem of a folder. One that is no key is a fault: it was put there for a reason.</summary>
    /// <exception cref="UpdateException">No folder, no key, or one that is none.</exception>
    public static UpdateKeys Load(string folder)
    {
        List<byte[]> keys = [];
        string at = folder;
        try
        {
            foreach (string file in Directory.Exists(folder) ? Directory.GetFiles(folder, "*.pem").Order(StringComparer.Ordinal) : Enumerable.Empty<string>())
            {
                at = file;
                if (new FileInfo(file).Length > MostFileBytes) throw new UpdateException($"{file} is larger than any public key");
                using ECDsa key = ECDsa.Create();
                string text = File.ReadAllText(file);
                // It would do for verifying, and whoever has the box could then sign updates for all of them.
                if (text.Contains("PRIVATE KEY", StringComparison.Ordinal)) throw new UpdateException($"{file} has a private key, and nothing but public ones belongs there; take it away, and make a new pair");
                key.ImportFromPem(text);
                if (!IsP256(key)) throw new UpdateException($"{file} is no key of the curve P-256");
                keys.Add(key.ExportSubjectPublicKeyInfo());
            }
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new UpdateException($"{at} is no public key in PEM form");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UpdateException($"{at} cannot be read: {Reason.Of(e)}");
        }
        if (keys.Count is 0 or > MostKeys) throw new UpdateException(keys.Count == 0 ? $"there is no key in {folder}, so no update can be believed; put the maker's public key (PEM) there" : $"there are more than {MostKeys} keys in {folder}");
        return new UpdateKeys(folder, keys);
    }

    /// <summary>Whether any of the keys made this signature of a manifest.</summary>
    public bool Verify(ReadOnlySpan<byte> manifest, ReadOnlySpan<byte> signature)
    {
        byte[] signed = BundleHead.Signed(manifest);
        foreach (byte[] info in _keys)
        {
            using ECDsa key = ECDsa.Create();
            key.ImportSubjectPublicKeyInfo(info, out _);
            if (key.VerifyData(signed, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation)) return true;
        }
        return false;
    }

    internal static bool IsP256(ECDsa key) => key.ExportParameters(false).Curve.Oid.Value == ECCurve.NamedCurves.nistP256.Oid.Value;
}
