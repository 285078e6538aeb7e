using System.Text;
using Nfr.Config;
using Nfr.Pipeline;
using Nfr.Tests.Uplink;
using Nfr.Uplink;

namespace Nfr.Tests.Nfr;

public sealed class EngineConfigTests
{
    const string Pin = "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    static NfrConfig Good(string text)
    {
        NfrConfig? config = NfrConfig.Parse("/opt/sensor/config.yml", Encoding.UTF8.GetBytes(text), out IReadOnlyList<ConfigFault> faults);
        Assert.Empty(faults);
        return config!;
    }

    static void Bad(string text, int line, string words)
    {
        Assert.Null(NfrConfig.Parse("/opt/sensor/config.yml", Encoding.UTF8.GetBytes(text), out IReadOnlyList<ConfigFault> faults));
        ConfigFault fault = Assert.Single(faults);
        Assert.Equal(line, fault.Line);
        Assert.Contains(words, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tls_has_pins_own_roots_and_a_certificate_by_paths_seen_from_the_file()
    {
        TlsSettings tls = Good($"engine:\n  tls:\n    pins: {Pin}\n    ca: ca.pem\n    certificate: own.pem\n    key: /etc/own.key\n    server_name: engine.example\n").Engine.Tls;
        Assert.Equal([Pin], tls.Pins);
        Assert.Equal(("/opt/sensor/ca.pem", "/opt/sensor/own.pem", "/etc/own.key", "engine.example"), (tls.Roots, tls.Certificate, tls.Key, tls.ServerName));
    }

    [Theory]
    [InlineData("engine:\n  tls:\n    pins:\n      - sha256/AAAA\n", 4, "engine.tls.pins: expected sha256/ and 44 characters")]
    [InlineData("engine:\n  tls:\n    key: own.key\n", 3, "no certificate")]
    [InlineData("engine:\n  tls:\n    cert: own.pem\n", 3, "unknown key \"cert\"")]
    [InlineData("engine:\n  proxy: 10.0.0.1:3128\n", 2, "expected http://[user:password@]host:port")]
    [InlineData("engine:\n  upload:\n    window: [sat, 22-6]\n", 3, "found \"22-6\"")]
    [InlineData("engine:\n  upload:\n    bandwidth: 256KiB\n", 3, "expected bytes a second of at least 8KiB/s")]
    [InlineData("engine:\n  upload:\n    bandwidth: 1KiB/s\n", 3, "expected bytes a second of at least 8KiB/s")]
    [InlineData("engines:\n  - host: https://a.example\n    api_key: k\n", 2, "each engine needs a name")]
    [InlineData("engines:\n  - name: engine\n    api_key: k\n", 2, "take another name")]
    [InlineData("engines:\n  - name: a b\n    api_key: k\n", 2, "expected at most 32 letters")]
    [InlineData("engines:\n  - {name: a, api_key: k}\n  - {name: a, api_key: k}\n", 3, "two engines are called a")]
    [InlineData("engines:\n  - name: a\n    host: https://a.example\n", 2, "needs the API key")]
    [InlineData("engines:\n  - name: a\n    api_key: k\n    host: embedded\n", 4, "no engine to upload to")]
    [InlineData("engines:\n  - name: a\n    api_key: k\n    analyze: {dns: true}\n", 4, "unknown key \"analyze\"")]
    public void Faults_have_their_line(string text, int line, string words) => Bad(text, line, words);

    [Fact]
    public void A_proxy_is_an_address_none_or_the_environments()
    {
        Assert.Same(ProxySettings.Environment, Good("engine: {}").Engine.Proxy);
        Assert.Same(ProxySettings.None, Good("engine:\n  proxy: none\n").Engine.Proxy);
        Assert.Equal(new Uri("http://10.0.0.1:3128"), Good("engine:\n  proxy: http://u:p@10.0.0.1:3128\n").Engine.Proxy.Address);
    }

    [Fact]
    public void A_password_in_a_faulty_address_is_not_repeated()
    {
        Assert.Null(NfrConfig.Parse("/opt/config.yml", "engine:\n  proxy: htp://user:secret@host\n"u8, out IReadOnlyList<ConfigFault> faults));
        Assert.DoesNotContain("secret", Assert.Single(faults).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_that_cannot_be_used_are_faults_with_their_line()
    {
        using TestAuthority authority = new();
        using var old = authority.Sign("old", DateTimeOffset.UtcNow.AddDays(-9), DateTimeOffset.UtcNow.AddDays(-2));
        (string file, string key) = authority.WritePair("old", old);
        NfrConfig config = Good($"engine:\n  api_key: k\n  tls:\n    ca: {authority.RootFile}.not\n    certificate: {file}\n    key: {key}\n");
        IReadOnlyList<ConfigFault> faults = [.. ConfigFile.CheckFiles(config, out _, DateTimeOffset.UtcNow).Where(f => f.Message.StartsWith("engine.", StringComparison.Ordinal))];
        Assert.Equal([4, 5], faults.Select(f => f.Line));
        Assert.Contains("engine.tls.ca: ", faults[0].Message, StringComparison.Ordinal);
        Assert.Contains("expired on", faults[1].Message, StringComparison.Ordinal);
        // The sensor starts with a certificate that is too old: it scores on board.
        Assert.DoesNotContain(ConfigFile.CheckFiles(config, out _), f => f.Message.Contains("expired", StringComparison.Ordinal));
    }

    [Fact]
    public void Files_of_outputs_that_cannot_be_used_are_told_with_their_line()
    {
        using TestAuthority authority = new();
        string no = authority.RootFile + ".not";
        string tls = $"tls: {{ca: {no}}}";
        NfrConfig config = Good("""
            outputs:
              elastic:
                hosts: [https://es.example:9200]
                api_key_file: NO
                TLS
              targets:
                - name: a
                  syslog: {host: h, protocol: tls, TLS}
                - name: b
                  gelf: {host: h, protocol: tls, TLS}
                - name: c
                  mail: {server: h, from: a@b.example, to: [c@b.example], username: u, password_file: NO, TLS}
                - name: d
                  webhook: {url: https://h.example/, secret_file: NO, TLS}
                - name: e
                  elastic:
                    hosts: [https://h.example]
                    username: u
                    password_file: NO
                    TLS

            """.Replace("TLS", tls, StringComparison.Ordinal).Replace("NO", no, StringComparison.Ordinal));
        IReadOnlyList<ConfigFault> faults = ConfigFile.CheckFiles(config, out _, DateTimeOffset.UtcNow);
        ConfigFault[] ofTls = [.. faults.Where(f => f.Message.StartsWith("outputs.", StringComparison.Ordinal))];
        Assert.Equal([5, 8, 10, 12, 14, 20], ofTls.Select(f => f.Line).Order());
        Assert.All(ofTls, f => Assert.Contains(".tls.ca: ", f.Message, StringComparison.Ordinal));
        Assert.Equal([4, 12, 14, 19], config.Notes.Where(n => n.Message.Contains(no, StringComparison.Ordinal)).Select(n => n.Line));
        // The sensor starts all the same: an output that cannot be reached stops nobody.
        Assert.DoesNotContain(ConfigFile.CheckFiles(config, out _), f => f.Message.StartsWith("outputs.", StringComparison.Ordinal));
    }

    [Fact]
    public void Further_engines_have_the_keys_of_the_first_and_a_name()
    {
        NfrConfig config = Good("""
            engine:
              api_key: first
              upload: {max_bytes: 256KiB, window: 22:00-06:00, bandwidth: 64KiB/s}
            engines:
              - name: second
                host: https://b.example:8443/
                api_key: other
                fields: api
                proxy: none
                alerts: {poll_interval: 1m}
              - {name: third, api_key: more}
            """);
        Assert.Equal(["engine", "second", "third"], config.Uplinks.Select(e => e.Name));
        Assert.Equal(["engine", "engine:second", "engine:third"], SensorParts.ConsumersOf(config));
        EngineConfig second = config.MoreEngines[0];
        Assert.Equal(("https://b.example:8443", "other", UploadFields.Api, TimeSpan.FromMinutes(1)), (second.Host, second.ApiKey, second.Fields, second.AlertPollInterval));
        Assert.Equal((256L << 10, 64L << 10), (config.Engine.Upload.MaxBytes, config.Engine.Upload.Bandwidth));
        Assert.False(config.Engine.Upload.Window.IsAlways);
        Assert.True(second.Upload.Window.IsAlways);
        // Without any, what is spooled waits for the one that may come.
        Assert.Equal(["engine"], SensorParts.ConsumersOf(Good("engine: {}")));
        Assert.Equal(["engine:second"], SensorParts.ConsumersOf(Good("engines: [{name: second, api_key: k}]")));
    }
}
