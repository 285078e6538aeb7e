using System.Text;
using Nfr.Events;
using Nfr.Uplink;

namespace Nfr.Tests.Uplink;

public sealed class SyslogMessageTests
{
    static readonly SensorIdentity s_sensor = new("2.0.0", "0123456789abcdef0123456789abcdef", "sensor-1");
    static readonly DateTimeOffset s_now = new(2026, 11, 22, 1, 2, 3, TimeSpan.FromHours(2));
    static readonly LinkOptions s_link = new() { Protocol = LinkProtocol.Tcp, Host = "::1", Port = 514 };

    static Alert Alert(int severity = 5) => new()
    {
        Threats = [new AlertThreat("c2_communication", "C2 communication", severity)],
        Flags = ["c2"],
        Groups = [new AlertGroup("a\"b]c\\d", "")],
        Event = new AlertEvent { Type = EventType.Dns, Ts = "2018-09-06T14:09:04.123456Z", SrcIP = "1.2.3.4", Query = "virus.com", QType = "A" },
    };

    static string Make(SyslogSinkOptions options, Alert alert, string line) =>
        Encoding.UTF8.GetString(SyslogMessage.Make(options, s_sensor, alert, alert.Threats[0], Encoding.UTF8.GetBytes(line), s_now, out _));

    const string Structured = """[nfr@32473 severity="5" policy="false" type="dns" src="1.2.3.4" flags="c2" groups="a\"b\]c\\d" sensor="0123456789abcdef0123456789abcdef"]""";

    [Fact]
    public void RFC_5424_has_the_events_time_the_threat_as_message_id_and_our_fields() => Assert.Equal(
        $"<130>1 2018-09-06T14:09:04.123Z sensor-1 nfr {Environment.ProcessId} c2_communication {Structured} {{\"a\":1}}",
        Make(new SyslogSinkOptions { Link = s_link }, Alert(), "{\"a\":1}"));

    [Fact]
    public void Text_beyond_ASCII_begins_with_the_mark_of_UTF8() => Assert.Equal(
        $"<130>1 2018-09-06T14:09:04.123Z sensor-1 nfr {Environment.ProcessId} c2_communication {Structured} \uFEFFmünchen.example",
        Make(new SyslogSinkOptions { Link = s_link }, Alert(), "münchen.example"));

    [Fact]
    public void RFC_3164_has_the_machines_local_time_with_a_blank_for_a_short_day()
    {
        DateTimeOffset local = TimeZoneInfo.ConvertTime(new DateTimeOffset(2018, 9, 6, 14, 9, 4, TimeSpan.Zero), TimeZoneInfo.Local);
        Assert.Equal(
            $"<130>Sep {local.Day,2} {local:HH:mm:ss} sensor-1 nfr[{Environment.ProcessId}]: CEF:0|x",
            Make(new SyslogSinkOptions { Link = s_link, Rfc = SyslogRfc.Rfc3164 }, Alert(), "CEF:0|x"));
    }

    [Fact]
    public void The_originals_form_is_user_alert_with_the_time_of_writing() => Assert.Equal(
        $"<9>2026-11-22T01:02:03+02:00 sensor-1 NFR[{Environment.ProcessId}]: {{}}",
        Make(new SyslogSinkOptions { Link = s_link, Rfc = SyslogRfc.Original }, Alert(), "{}"));

    [Theory]
    [InlineData(5, 2)]
    [InlineData(4, 3)]
    [InlineData(3, 4)]
    [InlineData(2, 5)]
    [InlineData(1, 6)]
    public void The_severity_follows_the_threats_and_the_facility_is_set(int severity, int expected) =>
        Assert.StartsWith($"<{(23 * 8) + expected}>1 ", Make(new SyslogSinkOptions { Link = s_link, Facility = 23 }, Alert(severity), "x"), StringComparison.Ordinal);

    [Fact]
    public void A_stamp_that_cannot_be_read_and_texts_with_blanks_leave_a_header_that_can()
    {
        Alert alert = Alert() with { Threats = [new AlertThreat("a b\nü" + new string('x', 40), "", 5)], Event = new AlertEvent { Type = EventType.Ip, Ts = "soon" } };
        string text = Encoding.UTF8.GetString(SyslogMessage.Make(new SyslogSinkOptions { Link = s_link }, s_sensor with { Host = "" }, alert, alert.Threats[0], "a\nb\tc\u007f"u8, s_now, out _));
        Assert.StartsWith($"<130>1 - - nfr {Environment.ProcessId} a_b__{new string('x', 27)} [nfr@32473 ", text, StringComparison.Ordinal);
        Assert.EndsWith("] a b c ", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_message_is_cut_between_characters_at_every_size()
    {
        byte[] line = Encoding.UTF8.GetBytes("aü€😀z");
        SyslogSinkOptions options = new() { Link = s_link, Rfc = SyslogRfc.Original };
        int head = SyslogMessage.Make(options with { MaxBytes = 0 }, s_sensor, Alert(), Alert().Threats[0], line, s_now, out int whole).Length;
        Assert.Equal(head + line.Length, whole);
        var strict = new UTF8Encoding(false, throwOnInvalidBytes: true);
        for (int size = head; size <= whole; size++)
        {
            byte[] message = SyslogMessage.Make(options with { MaxBytes = size }, s_sensor, Alert(), Alert().Threats[0], line, s_now, out _);
            Assert.InRange(message.Length, size - 3, size);
            Assert.StartsWith(strict.GetString(message.AsSpan(head)), "aü€😀z", StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Octets_are_counted_and_lines_are_ended()
    {
        byte[] message = Encoding.UTF8.GetBytes("<9>ü");
        Assert.Equal("5 <9>ü", Encoding.UTF8.GetString(SyslogMessage.Frame(message, SyslogFraming.Octet)));
        Assert.Equal("<9>ü\n", Encoding.UTF8.GetString(SyslogMessage.Frame(message, SyslogFraming.Line)));
    }
}
