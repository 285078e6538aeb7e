using System.Text;

namespace Nfr.Logs;

/// <summary>The columns of Zeek's logs that an event is made of, or that tell one log from another.</summary>
enum ZeekField : byte
{
    None,
    Path, Ts, OrigH, OrigP, RespH, RespP, Proto,
    IPProto, Service, Duration, OrigBytes, RespBytes, ConnState, MissedBytes, History, OrigPkts, OrigIPBytes, RespPkts, RespIPBytes, Vlan, Ja3,
    TransId, Query, QType, QTypeName, RCode, RCodeName, AA, TC, RD, RA, Z, Opcode, Answers, TTLs, Rejected,
    Method, Host, Uri, Referrer, UserAgent, RequestBodyLen, ResponseBodyLen, StatusCode, Username, Password, RespMimeTypes, CallId,
    Version, Cipher, ServerName, Resumed, NextProtocol, Established, SslHistory, CertChainFuids, CertChainFps, Subject, Issuer, NotBefore, NotAfter, Ja3s, Ja4,
    Id, Fingerprint, CertSubject, CertIssuer, CertNotBefore, CertNotAfter, SanDns,
    Fuid, Source, Sha1,
    Count,
}

/// <summary>
/// Names of columns to <see cref="ZeekField"/>: the names of all versions since 2.0, and "_" where the scope separator is set so
/// (Log::default_scope_sep).
/// </summary>
static class ZeekFields
{
    const int Size = 1024;

    static readonly (string Name, ZeekField Field)[] s_names =
    [
        ("_path", ZeekField.Path), ("@path", ZeekField.Path), ("#path", ZeekField.Path), ("ts", ZeekField.Ts),
        ("id.orig_h", ZeekField.OrigH), ("id.orig_p", ZeekField.OrigP), ("id.resp_h", ZeekField.RespH), ("id.resp_p", ZeekField.RespP),
        ("id_orig_h", ZeekField.OrigH), ("id_orig_p", ZeekField.OrigP), ("id_resp_h", ZeekField.RespH), ("id_resp_p", ZeekField.RespP),
        // As the manual's example of Log::default_field_name_map and Zeek's own tests call them.
        ("src", ZeekField.OrigH), ("src_port", ZeekField.OrigP), ("dst", ZeekField.RespH), ("dst_port", ZeekField.RespP), ("src_ip", ZeekField.OrigH), ("dst_ip", ZeekField.RespH),
        ("proto", ZeekField.Proto), ("ip_proto", ZeekField.IPProto), ("service", ZeekField.Service), ("duration", ZeekField.Duration),
        ("orig_bytes", ZeekField.OrigBytes), ("resp_bytes", ZeekField.RespBytes), ("conn_state", ZeekField.ConnState), ("missed_bytes", ZeekField.MissedBytes),
        ("history", ZeekField.History), ("orig_pkts", ZeekField.OrigPkts), ("orig_ip_bytes", ZeekField.OrigIPBytes), ("resp_pkts", ZeekField.RespPkts),
        ("resp_ip_bytes", ZeekField.RespIPBytes), ("vlan", ZeekField.Vlan), ("ja3", ZeekField.Ja3),
        ("trans_id", ZeekField.TransId), ("query", ZeekField.Query), ("qtype", ZeekField.QType), ("qtype_name", ZeekField.QTypeName),
        ("rcode", ZeekField.RCode), ("rcode_name", ZeekField.RCodeName), ("AA", ZeekField.AA), ("TC", ZeekField.TC), ("RD", ZeekField.RD), ("RA", ZeekField.RA),
        ("Z", ZeekField.Z), ("opcode", ZeekField.Opcode), ("answers", ZeekField.Answers), ("TTLs", ZeekField.TTLs), ("rejected", ZeekField.Rejected),
        ("method", ZeekField.Method), ("host", ZeekField.Host), ("uri", ZeekField.Uri), ("referrer", ZeekField.Referrer), ("user_agent", ZeekField.UserAgent),
        ("request_body_len", ZeekField.RequestBodyLen), ("response_body_len", ZeekField.ResponseBodyLen), ("status_code", ZeekField.StatusCode),
        ("username", ZeekField.Username), ("password", ZeekField.Password), ("resp_mime_types", ZeekField.RespMimeTypes), ("mime_type", ZeekField.RespMimeTypes),
        ("call_id", ZeekField.CallId),
        ("version", ZeekField.Version), ("cipher", ZeekField.Cipher), ("server_name", ZeekField.ServerName), ("resumed", ZeekField.Resumed),
        ("next_protocol", ZeekField.NextProtocol), ("established", ZeekField.Established), ("ssl_history", ZeekField.SslHistory),
        ("cert_chain_fuids", ZeekField.CertChainFuids), ("cert_chain_fps", ZeekField.CertChainFps), ("subject", ZeekField.Subject),
        ("issuer", ZeekField.Issuer), ("issuer_subject", ZeekField.Issuer), ("not_valid_before", ZeekField.NotBefore), ("not_valid_after", ZeekField.NotAfter),
        ("ja3s", ZeekField.Ja3s), ("ja4", ZeekField.Ja4),
        ("id", ZeekField.Id), ("fingerprint", ZeekField.Fingerprint),
        ("certificate.subject", ZeekField.CertSubject), ("certificate.issuer", ZeekField.CertIssuer),
        ("certificate.not_valid_before", ZeekField.CertNotBefore), ("certificate.not_valid_after", ZeekField.CertNotAfter), ("san.dns", ZeekField.SanDns),
        ("certificate_subject", ZeekField.CertSubject), ("certificate_issuer", ZeekField.CertIssuer),
        ("certificate_not_valid_before", ZeekField.CertNotBefore), ("certificate_not_valid_after", ZeekField.CertNotAfter), ("san_dns", ZeekField.SanDns),
        ("fuid", ZeekField.Fuid), ("source", ZeekField.Source), ("sha1", ZeekField.Sha1),
    ];

    static readonly byte[][] s_texts = [.. s_names.Select(n => Encoding.ASCII.GetBytes(n.Name))];
    static readonly ZeekField[] s_fields = [.. s_names.Select(n => n.Field)];
    /// <summary>Number in <see cref="s_names"/> and one; 0 = none. Open addressing.</summary>
    static readonly byte[] s_table = Table();

    /// <summary>None for a column that no event needs.</summary>
    public static ZeekField Of(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty) return ZeekField.None;
        for (int i = Hash(name); s_table[i] is not 0 and var entry; i = (i + 1) & (Size - 1))
        {
            if (name.SequenceEqual(s_texts[entry - 1])) return s_fields[entry - 1];
        }
        return ZeekField.None;
    }

    static int Hash(ReadOnlySpan<byte> name) => ((name.Length * 37) + (name[0] * 11) + (name[^1] * 101) + (name[name.Length / 2] * 59)) & (Size - 1);

    static byte[] Table()
    {
        var table = new byte[Size];
        for (int n = 0; n < s_texts.Length; n++)
        {
            int i = Hash(s_texts[n]);
            while (table[i] != 0) i = (i + 1) & (Size - 1);
            table[i] = (byte)(n + 1);
        }
        return table;
    }
}
