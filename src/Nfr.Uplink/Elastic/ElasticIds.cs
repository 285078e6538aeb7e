using System.Globalization;
using System.Security.Cryptography;

namespace Nfr.Uplink;

/// <summary>
/// Names of documents that are the same whenever a document is sent: sensor, kind, sequence, and a digest of what it was made from. The digest is for a spool that had to be begun
/// anew, whose sequences begin anew: their documents are none that the cluster has.
/// </summary>
static class ElasticIds
{
    /// <param name="sensor">Its id.</param>
    /// <param name="kind">"alert", or the event type.</param>
    /// <param name="sequence">Of the spool.</param>
    /// <param name="source">What the document is made from; not the document, which says the version of the program.</param>
    public static string Of(string sensor, string kind, long sequence, ReadOnlySpan<byte> source)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(source, digest);
        return string.Create(CultureInfo.InvariantCulture, $"{sensor}-{kind}-{sequence}-{Convert.ToHexStringLower(digest[..6])}");
    }
}
