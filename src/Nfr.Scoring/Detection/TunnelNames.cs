using Nfr.Events;
using Nfr.Scoring.Names;
using Nfr.Scoring.Tables;

namespace Nfr.Scoring.Detection;

/// <summary>What one name says.</summary>
struct TunnelText
{
    /// <summary>Labels, or runs of short labels, that look like data.</summary>
    public int Opaque;
    /// <summary>Those that this client had not asked for under this domain, and the octets of them that count.</summary>
    public int FreshLabels;
    public int Fresh;
    public int Longest;
    public double Bits;
}

/// <summary>
/// Reads names for text that looks like data and was never asked for before by this client under this domain: opaque labels, and short ones taken together; and
/// the bytes that answers bring in.
/// </summary>
sealed class TunnelNames(Thresholds thresholds, NameModel model, Findings findings)
{
    /// <summary>1 MB. Full: the label seen longest ago counts as new if it comes again.</summary>
    const int MaxLabels = 1 << 17;
    /// <summary>An answer smaller than this brings in too little to be kept in mind (bytes more than its question).</summary>
    const int LeastAnswer = 64;
    /// <summary>Of a label that is not text.</summary>
    const double BitsOfBytes = 8;

    readonly SeenSet _labels = new(MaxLabels);

    /// <summary>Reads a name, and remembers what is new in it.</summary>
    /// <param name="text">The labels left of the registered domain.</param>
    /// <param name="pairKey">Of client and domain.</param>
    public TunnelText Read(ReadOnlySpan<byte> text, ulong pairKey)
    {
        var told = default(TunnelText);
        // Short labels that follow each other are one carrier: bytes cut into small pieces are bytes all the same.
        int run = 0, octetsOfRun = 0;
        for (int i = 0; i < text.Length;)
        {
            int dot = text[i..].IndexOf((byte)'.'), end = dot < 0 ? text.Length : i + dot;
            ReadOnlySpan<byte> label = text[i..end];
            int octets = LabelText.OctetsOf(label, out bool isText);
            if (octets < thresholds.OpaqueLength)
            {
                if (octetsOfRun == 0) run = i;
                octetsOfRun += octets;
            }
            else
            {
                if (octetsOfRun >= thresholds.OpaqueRunLength) ReadRun(ref told, text[run..i], pairKey);
                octetsOfRun = 0;
                double bits = isText ? model.BitsPerCharacter(label) : BitsOfBytes;
                if (bits >= thresholds.OpaqueBits) Take(ref told, Mix.Of(Mix.OfName(label), pairKey), LabelText.Weigh(label, octets, isText), octets, bits);
            }
            i = end + 1;
        }
        if (octetsOfRun >= thresholds.OpaqueRunLength) ReadRun(ref told, text[run..], pairKey);
        return told;
    }

    /// <summary>Short labels taken together, without the digits of addresses that block lists are asked for.</summary>
    void ReadRun(ref TunnelText told, ReadOnlySpan<byte> text, ulong pairKey)
    {
        int octets = 0;
        double bits = 0;
        ulong hash = 0;
        foreach (Range range in text.Split((byte)'.'))
        {
            ReadOnlySpan<byte> label = text[range];
            if (LabelText.IsDecimalOctet(label) || LabelText.IsNibble(label)) continue;
            int length = LabelText.OctetsOf(label, out bool isText);
            octets += length;
            bits += length * (isText ? model.BitsPerCharacter(label) : BitsOfBytes);
            hash = Mix.Of(hash, Mix.OfName(label));
        }
        if (octets >= thresholds.OpaqueRunLength && bits >= thresholds.OpaqueRunBits * octets) Take(ref told, Mix.Of(hash, pairKey), octets, octets, bits / octets);
    }

    void Take(ref TunnelText told, ulong key, int counted, int octets, double bits)
    {
        told.Opaque++;
        if (!_labels.Add(key, findings.Now, thresholds.TunnelDay)) return;
        told.FreshLabels++;
        told.Fresh += counted;
        told.Bits += bits * counted;
        told.Longest = Math.Max(told.Longest, octets);
    }

    /// <summary>Bytes that an answer brought beyond its question, of a type that carries what the server likes, to a name that was not asked before.</summary>
    public int AnswerBytes(scoped in DnsEvent e, ulong pairKey)
    {
        int bytes = e.ResponseLength - e.QueryLength;
        // Labels with an underscore (RFC 8552) are policies and keys for mail, which are long and many.
        if (bytes < LeastAnswer || !BringsData(e.QueryType) || e.Query.Contains((byte)'_')) return 0;
        return _labels.Add(Mix.Of(Mix.OfName(e.Query), ~pairKey), findings.Now, thresholds.TunnelDay) ? bytes : 0;
    }

    /// <summary>Types whose answers carry what the server likes: not addresses, zones, service records or the signatures of DNSSEC.</summary>
    static bool BringsData(ushort type) => type is not (1 or 2 or 6 or 12 or 28 or 33 or 43 or 46 or 47 or 48 or 50 or 51 or 52 or 64 or 65);
}
