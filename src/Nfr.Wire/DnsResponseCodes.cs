namespace Nfr.Wire;

/// <summary>Names of response codes, as IANA's registry "DNS RCODEs" has them (RFC 6895 2.3); others as RCODE3841.</summary>
public static class DnsResponseCodes
{
    /// <summary>The longest name, in bytes: RCODE65535. A scratch of this length is enough for <see cref="Name"/>.</summary>
    public const int MaxNameLength = 10;

    /// <summary>IANA's mnemonic in capitals, or RCODE and the number written into <paramref name="scratch"/>.</summary>
    public static ReadOnlySpan<byte> Name(ushort code, Span<byte> scratch) => code switch
    {
        0 => "NOERROR"u8,
        1 => "FORMERR"u8,
        2 => "SERVFAIL"u8,
        3 => "NXDOMAIN"u8,
        4 => "NOTIMP"u8,
        5 => "REFUSED"u8,
        6 => "YXDOMAIN"u8,
        7 => "YXRRSET"u8,
        8 => "NXRRSET"u8,
        9 => "NOTAUTH"u8,
        10 => "NOTZONE"u8,
        11 => "DSOTYPENI"u8,
        16 => "BADVERS"u8,
        17 => "BADKEY"u8,
        18 => "BADTIME"u8,
        19 => "BADMODE"u8,
        20 => "BADNAME"u8,
        21 => "BADALG"u8,
        22 => "BADTRUNC"u8,
        23 => "BADCOOKIE"u8,
        _ => DnsTypes.Numbered("RCODE"u8, code, scratch),
    };
}
