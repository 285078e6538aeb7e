namespace Nfr.Tests.Logs;

/// <summary>Lines as Zeek writes them, by its manual, with made-up values.</summary>
static class ZeekSamples
{
    public const string Head = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n";

    public const string DnsFields =
        "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\ttrans_id\trtt\tquery\tqclass\tqclass_name\tqtype\tqtype_name\trcode\trcode_name\tAA\tTC\tRD\tRA\tZ\tanswers\tTTLs\trejected\n";

    public const string ConnFields =
        "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tlocal_orig\tlocal_resp\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\ttunnel_parents\tip_proto\n";

    public const string HttpFields =
        "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\ttrans_depth\tmethod\thost\turi\treferrer\tversion\tuser_agent\trequest_body_len\tresponse_body_len\tstatus_code\tusername\tpassword\tresp_mime_types\n";

    public const string SslFields =
        "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tversion\tcipher\tserver_name\tresumed\tnext_protocol\testablished\tssl_history\tcert_chain_fps\tja3\tja3s\n";

    public const string Dns =
        "1700000000.123456\tCa\t10.0.0.5\t40000\t10.0.0.1\t53\tudp\t4660\t0.010000\twww.example.com\t1\tC_INTERNET\t1\tA\t0\tNOERROR\tF\tF\tT\tT\t0\tweb.example.net,192.0.2.7\t300.000000,60.000000\tF";

    public const string Conn =
        "1700000000.123456\tCa\t10.0.0.5\t40000\t192.0.2.7\t443\ttcp\tssl\t1.500001\t700\t9000\tSF\tT\tF\t0\tShADadFf\t10\t1100\t12\t9500\t-\t6";

    public const string Http =
        "1700000000.123456\tCa\t10.0.0.5\t40000\t192.0.2.7\t8080\t1\tGET\twww.example.com:8080\t/a?b=c\thttp://x.example/\t1.1\tcurl/8\t5\t700\t200\t-\t-\ttext/html";

    public const string Ssl =
        "1700000000.123456\tCa\t10.0.0.5\t40000\t192.0.2.7\t443\tTLSv12\tTLS_X\twww.example.com\tT\th2\tT\tCsxrI\taa11,bb22\t0123456789abcdef0123456789abcdef\tfedcba9876543210fedcba9876543210";
}
