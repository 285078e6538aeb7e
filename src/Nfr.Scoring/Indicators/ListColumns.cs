using System.Globalization;
using System.Text;

namespace Nfr.Scoring.Indicators;

/// <summary>Which column of a row holds what: by the header's names, else by what the row's fields look like.</summary>
struct ListColumns
{
    /// <summary>Further fields of a row are not looked at.</summary>
    public const int MaxFields = 24;

    static readonly string[] s_indicator =
        ["ioc_value", "dst_ip", "url", "sha1", "sha1_fingerprint", "ja3_md5", "ja3", "ja4", "domain", "host", "hostname", "fqdn", "ioc", "indicator", "ip", "ip_address"];
    /// <summary>The earlier says more of the malware.</summary>
    static readonly string[] s_label =
        ["malware_printable", "malware", "malware_family", "family", "signature", "listingreason", "listing_reason", "operator", "tags", "threat", "threat_type"];
    static readonly string[] s_date = ["first_seen_utc", "first_seen", "firstseen", "dateadded", "date_added", "listingdate", "listing_date", "date"];
    static readonly string[] s_port = ["dst_port", "port"];

    public int Indicator, Label, Port, Date, Type;
    public bool IsFromHeader;

    /// <summary>Whether a row names columns.</summary>
    public static bool TryHeader(ReadOnlySpan<byte> line, ReadOnlySpan<Range> fields, out ListColumns columns)
    {
        columns = new ListColumns { Indicator = -1, Label = -1, Port = -1, Date = -1, Type = -1, IsFromHeader = true };
        int label = int.MaxValue, date = int.MaxValue;
        for (int i = 0; i < fields.Length; i++)
        {
            ReadOnlySpan<byte> field = Unquote(line[fields[i]]);
            // Column names are single words; prose that happens to name one is not a header.
            if (field.ContainsAny(" \t.:/"u8)) return false;
            if (columns.Indicator < 0 && RankOf(field, s_indicator) < s_indicator.Length) columns.Indicator = i;
            else if (RankOf(field, s_label) is var rank && rank < s_label.Length)
            {
                if (rank < label) (label, columns.Label) = (rank, i);
            }
            else if (RankOf(field, s_date) is var first && first < s_date.Length)
            {
                if (first < date) (date, columns.Date) = (first, i);
            }
            else if (columns.Port < 0 && RankOf(field, s_port) < s_port.Length) columns.Port = i;
            else if (Ascii.EqualsIgnoreCase(field, "ioc_type")) columns.Type = i;
        }
        return columns.Indicator >= 0;
    }

    /// <summary>A row of a list without a header: the first field that reads as an indicator is it.</summary>
    public static ListColumns Guess(ReadOnlySpan<byte> line, ReadOnlySpan<Range> fields)
    {
        var columns = new ListColumns { Indicator = 0, Label = -1, Port = -1, Date = -1, Type = -1 };
        Span<byte> form = stackalloc byte[IndicatorText.MaxLength + 1];
        bool found = false;
        IndicatorKind kind = IndicatorKind.None;
        for (int i = 0; i < fields.Length; i++)
        {
            ReadOnlySpan<byte> field = Unquote(line[fields[i]]);
            if (field.IsEmpty) continue;
            if (columns.Date < 0 && ListDate.TryParse(field, out DateOnly _)) columns.Date = i;
            else if (!found && !IsNumber(field) && IndicatorText.Read(field, form, out kind, out _) is null) (found, columns.Indicator) = (true, i);
        }
        int next = columns.Indicator + 1;
        // A date, an address, a port: rows of Feodo's make. An address and a number alone may be a count.
        if (kind == IndicatorKind.Address && columns.Date >= 0 && columns.Date < columns.Indicator && next < fields.Length
            && ushort.TryParse(Unquote(line[fields[next]]), NumberStyles.None, CultureInfo.InvariantCulture, out _)) columns.Port = next;
        int label = fields.Length switch
        {
            // ThreatFox: the malware's name for people; URLhaus: its tags. Both end with who reported it.
            14 or 15 or 16 => 7,
            9 => 6,
            _ => fields.Length - 1,
        };
        if (label > columns.Indicator && label != columns.Port && label != columns.Date && !IsNumber(Unquote(line[fields[label]])) && !ListDate.TryParse(Unquote(line[fields[label]]), out DateOnly _)) columns.Label = label;
        return columns;
    }

    /// <summary>Fields between tabs, else between commas; quotes hold them together.</summary>
    public static int Split(ReadOnlySpan<byte> line, Span<Range> fields)
    {
        byte separator = line.Contains((byte)'\t') ? (byte)'\t' : (byte)',';
        int count = 0, start = 0;
        bool quoted = false;
        for (int i = 0; i <= line.Length; i++)
        {
            if (i < line.Length && line[i] == '"') quoted = !quoted;
            if (i < line.Length && (quoted || line[i] != separator)) continue;
            if (count == fields.Length) break;
            fields[count++] = start..i;
            start = i + 1;
        }
        return count;
    }

    public static ReadOnlySpan<byte> Unquote(ReadOnlySpan<byte> field)
    {
        field = field.Trim(" \t\r"u8);
        return field.Length >= 2 && field[0] == '"' && field[^1] == '"' ? field[1..^1].Trim(" \t"u8) : field;
    }

    static bool IsNumber(ReadOnlySpan<byte> text) => !text.ContainsAnyExceptInRange((byte)'0', (byte)'9');

    static int RankOf(ReadOnlySpan<byte> field, string[] names)
    {
        for (int i = 0; i < names.Length; i++)
        {
            if (Ascii.EqualsIgnoreCase(field, names[i])) return i;
        }
        return names.Length;
    }
}
