using Nfr.Uplink;

namespace Nfr.Config;

/// <summary>outputs.targets[].webhook.</summary>
static class WebhookTarget
{
    public static SinkOptions? Read(Section s)
    {
        string? text = s.Text("url", expected: "an http:// or https:// address");
        List<KeyValuePair<string, string>> headers = [];
        foreach ((string name, string value, int line) in s.Pairs("headers"))
        {
            if (WebhookSinkOptions.CheckHeader(name, value) is { } fault) s.FaultAt(line, "headers", fault);
            else headers.Add(new(name, value));
        }
        SecretText? secret = SecretKeys.Read(s, "secret");
        if (secret?.Text is { } key && WebhookSinkOptions.KeyOf(key) is null) s.Fault("secret", "it begins with whsec_ but what follows is no base64");
        bool single = s.Choice("batch", "array", "array", "single") == "single";
        TlsSettings tls = TlsSection.Read(s.Under("tls"));
        ProxySettings proxy = ProxyKey.Read(s);
        s.End();
        if (text is null) s.Fault("url", "missing; the address that alerts are posted to");
        if (text is null) return null;
        // It may hold a key, so it is not repeated.
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? url) || url.Scheme is not ("http" or "https") || url.Host.Length == 0) s.Fault("url", "expected an http:// or https:// address");
        else if (url.UserInfo.Length > 0) s.Fault("url", "a user and password do not belong into the address; send them with headers: {Authorization: \"Basic …\"}");
        else if (url.Fragment.Length > 0) s.Fault("url", "an address to post to has no part behind \"#\"");
        else return new WebhookSinkOptions { Url = url, Headers = headers, Secret = secret, Single = single, Tls = tls, Proxy = proxy };
        return null;
    }
}
