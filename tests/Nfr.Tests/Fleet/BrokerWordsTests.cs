using System.Net.Sockets;
using System.Runtime.Versioning;
using Nfr.Commands;
using Nfr.Fleet;
using Nfr.Native;

namespace Nfr.Tests.Fleet;

/// <summary>Why "nfr fleet" gets no connection, said to a person: what happened, where, and which option mends it.</summary>
[SupportedOSPlatform("linux")]
public sealed class BrokerWordsTests : IDisposable
{
    readonly MqttCertificates _certificates = new();

    static string TroubleOf(BrokerAddress address, MqttTls? tls = null)
    {
        using var link = new BrokerLink(address, tls, ["nfr/#"], (_, _, _) => { }, TimeProvider.System);
        link.Start();
        MqttEar.Until(() => link.State.Trouble is not null || link.State.Since is not null, "a word on what is wrong", 60);
        return link.State.Trouble ?? "it is connected";
    }

    static void Says(string trouble, params string[] parts) => Assert.All(parts, part => Assert.Contains(part, trouble, StringComparison.Ordinal));

    [BrokerFact]
    public void A_certificate_that_is_missing_foreign_or_the_brokers_that_is_wrong_is_each_called_by_its_name()
    {
        using MqttBroker broker = new MqttBroker(_certificates.Options(_certificates.Broker)).Start();
        var address = new BrokerAddress("127.0.0.1", broker.Port, true, null, null);
        MqttTls ours = new(_certificates.RootFile, _certificates.Client.Certificate, _certificates.Client.Key);
        Assert.Equal("it is connected", TroubleOf(address, ours));
        // libmosquitto says "Protocol error" here.
        Says(TroubleOf(address, new MqttTls(_certificates.RootFile, null, null)), $"{address} wants a certificate of ours; name it with --cert FILE --cert-key FILE");
        Says(TroubleOf(address, ours with { Certificate = _certificates.Foreign.Certificate, Key = _certificates.Foreign.Key }), $"{address} does not take our certificate ({_certificates.Foreign.Certificate})", "--cert FILE --cert-key FILE");
        Says(TroubleOf(address, ours with { Roots = _certificates.StrangerFile }), $"the certificate of {address} is not signed by the authority in {_certificates.StrangerFile}; name the right one with --ca FILE", "Test authority");
        Says(TroubleOf(address, ours with { Roots = null }), "which this system does not trust; name its authority with --ca FILE");
        Says(TroubleOf(address, ours with { Key = _certificates.Foreign.Key }), "does not belong to the certificate in");
    }

    [BrokerFact]
    public void A_brokers_certificate_that_is_old_or_for_another_name_is_said_to_be()
    {
        foreach (((string, string) certificate, string[] parts) in new[]
        {
            (_certificates.Expired, new[] { "the certificate of 127.0.0.1 expired on", "renew the broker's certificate" }),
            (_certificates.Elsewhere, ["the certificate is not for 127.0.0.1 but for broker.elsewhere.example", "name the broker in --broker as its certificate does"]),
        })
        {
            using MqttBroker broker = new MqttBroker(_certificates.Options(certificate)).Start();
            Says(TroubleOf(new BrokerAddress("127.0.0.1", broker.Port, true, null, null), new MqttTls(_certificates.RootFile, _certificates.Client.Certificate, _certificates.Client.Key)), parts);
        }
    }

    [BrokerFact]
    public void A_name_that_is_not_taken_is_not_blamed_on_a_certificate_and_no_name_is_asked_for()
    {
        using MqttBroker broker = new MqttBroker(anonymous: false).Start();
        var address = new BrokerAddress("127.0.0.1", broker.Port, false, null, null);
        string wrong = TroubleOf(address with { User = "me", Password = "hunter2" });
        Says(wrong, "does not let us in: it does not take the name me with this password");
        Assert.DoesNotContain("hunter2", wrong, StringComparison.Ordinal);
        Assert.DoesNotContain("certificate", wrong, StringComparison.Ordinal);
        string none = TroubleOf(address);
        Says(none, "it wants a name and password (mqtt://NAME:PASSWORD@127.0.0.1, or fleet.username and fleet.password_file of the config)");
        Assert.DoesNotContain("certificate", none, StringComparison.Ordinal);
        // A port without TLS, spoken to with it.
        Says(TroubleOf(address with { Tls = true }, new MqttTls(_certificates.RootFile, null, null)), $"{broker.Port} is a port with TLS (else write mqtt://)");
    }

    [Fact]
    public void Nobody_there_says_where_to_look()
    {
        var address = new BrokerAddress("broker.example", 1883, false, null, null);
        Says(BrokerWords.Of(SocketError.ConnectionRefused, address), "mqtt://broker.example:1883", "no broker listens on port 1883", "look at the port");
        Says(BrokerWords.Of(SocketError.HostNotFound, address), "no host named broker.example", "--broker");
        Says(BrokerWords.Of(SocketError.TimedOut, address), "does not answer within 10 s");
    }

    [Theory]
    [InlineData("https://me:hunter2@broker")]
    [InlineData("mqtt://me:hunter2@broker/path")]
    [InlineData("me:hunter2@")]
    public void An_address_that_is_none_is_told_without_its_password(string text)
    {
        Assert.Null(BrokerAddress.Read(text, out string fault));
        Assert.Contains("--broker takes an address such as mqtts://broker.example:8883", fault, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_captures_answer_is_waited_for_as_long_as_the_capture_lasts()
    {
        static double Of(string command, params (string, string)[] arguments) => FleetSendCommand.LastsFor(command, arguments.ToDictionary(a => a.Item1, a => a.Item2));
        Assert.Equal((0.0, 10.0, 30.0, 300.0), (Of("ping"), Of("capture-now"), Of("capture-now", ("seconds", "30")), Of("capture-now", ("seconds", "100000"))));
        // The sensor refuses it at once.
        Assert.Equal(0, Of("capture-now", ("seconds", "soon")));
    }

    public void Dispose() => _certificates.Dispose();
}
