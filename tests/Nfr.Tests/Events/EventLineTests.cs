using System.Buffers;
using System.Text;
using Nfr.Events;

namespace Nfr.Tests.Events;

public sealed class EventLineTests
{
    readonly EventJson _json = new();
    readonly ArrayBufferWriter<byte> _line = new(), _upload = new();

    void Same(EventType type)
    {
        using MemoryStream cut = new();
        EventLine.WriteApiPart(_line.WrittenSpan, type, cut);
        Assert.Equal(Encoding.UTF8.GetString(_upload.WrittenSpan), Encoding.UTF8.GetString(cut.ToArray()));
        using MemoryStream again = new();
        EventLine.WriteApiPart(_upload.WrittenSpan, type, again);
        Assert.Equal(cut.ToArray(), again.ToArray());
        _line.ResetWrittenCount();
        _upload.ResetWrittenCount();
    }

    [Fact]
    public void The_api_part_of_an_event_line_is_the_upload_line_to_the_byte()
    {
        DnsEvent dns = new() { Context = Make.Context(protocol: 17), Query = "a\"b\\.example"u8, QueryType = 1 };
        _json.WriteLine(dns, _line);
        _json.WriteUpload(dns, _upload);
        Same(EventType.Dns);
        IpEvent ip = new() { Context = Make.Context(protocol: 6), BytesIn = 5, Ja3 = "8991a387e4cc841740f25d6f5139f92d"u8 };
        _json.WriteLine(ip, _line);
        _json.WriteUpload(ip, _upload);
        Same(EventType.Ip);
        HttpEvent http = new() { Context = Make.Context(protocol: 6), Url = "http://a/{\"x\":1}"u8, Host = "a"u8 };
        _json.WriteLine(http, _line);
        _json.WriteUpload(http, _upload);
        Same(EventType.Http);
        TlsEvent tls = new() { Context = Make.Context(protocol: 6), Sni = "a.example"u8, Issuer = "CN=x"u8, Ja4 = "t13d"u8 };
        _json.WriteLine(tls, _line);
        _json.WriteUpload(tls, _upload);
        Same(EventType.Tls);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[1,2]")]
    [InlineData("{\"ts\":")]
    [InlineData("{\"other\":1}")]
    public void What_is_no_event_line_stays_as_it_is(string line)
    {
        using MemoryStream cut = new();
        EventLine.WriteApiPart(Encoding.UTF8.GetBytes(line), EventType.Dns, cut);
        Assert.Equal(line, Encoding.UTF8.GetString(cut.ToArray()));
    }
}
