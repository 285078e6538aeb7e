using Nfr.Uplink;

namespace Nfr.Config;

/// <summary>Reads a section "tls" of any client: pins, ca, certificate, key, server_name.</summary>
static class TlsSection
{
    internal static TlsSettings Read(Section s)
    {
        List<string> pins = [];
        foreach ((string pin, int line) in s.Entries("pins"))
        {
            if (TlsSettings.CheckPin(pin) is { } fault) s.FaultAt(line, "pins", fault);
            else pins.Add(pin);
        }
        var tls = new TlsSettings
        {
            Pins = pins,
            Roots = s.FilePath("ca", null),
            Certificate = s.FilePath("certificate", null),
            Key = s.FilePath("key", null),
            ServerName = s.Text("server_name", expected: "a host name"),
        };
        if (tls.Key is not null && tls.Certificate is null) s.Fault("key", "there is a key and no certificate; name the certificate's file in certificate");
        if (tls.ServerName is { } name && Uri.CheckHostName(name) == UriHostNameType.Unknown) s.Fault("server_name", $"expected a host name, found \"{name}\"");
        s.End();
        return tls;
    }

    /// <summary>Holds the files against the disk, as a connection will.</summary>
    /// <param name="config">Knows the lines.</param>
    /// <param name="path">Of the section, such as engine.tls.</param>
    /// <param name="tls">What it says.</param>
    /// <param name="now">Of certificates that are too old; null = the clock is not set.</param>
    /// <param name="faults">What hinders.</param>
    internal static void Check(NfrConfig config, string path, TlsSettings tls, DateTimeOffset? now, List<ConfigFault> faults)
    {
        foreach (TlsFileFault fault in tls.CheckFiles(now))
        {
            string key = $"{path}.{fault.File switch { TlsFile.Roots => "ca", TlsFile.Key => "key", _ => "certificate" }}";
            faults.Add(config.At(key, $"{key}: {fault.Message}"));
        }
    }
}
