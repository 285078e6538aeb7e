using System.Text;

namespace Nfr.Uplink;

/// <summary>An Elasticsearch or OpenSearch cluster, and who we are to it. Checked when the configuration was read.</summary>
public sealed record ElasticOptions
{
    /// <summary>Nodes, http or https, without path, user and query; at least one. They are asked in turn.</summary>
    public required IReadOnlyList<Uri> Hosts { get; init; }
    /// <summary>Sent as "ApiKey …": the encoded form, or "id:key".</summary>
    public SecretText? ApiKey { get; init; }
    public string? Username { get; init; }
    /// <summary>Of <see cref="Username"/>.</summary>
    public SecretText? Password { get; init; }
    public TlsSettings Tls { get; init; } = TlsSettings.Default;
    /// <summary>Puts an index template once when the cluster has none of its name.</summary>
    public bool Template { get; init; }

    /// <summary>
    /// The node of an Elastic Cloud id, "name:base64 of host$elasticsearch$kibana" where both may say ":port"; null when it is none.
    /// </summary>
    public static Uri? OfCloudId(string cloudId)
    {
        ArgumentNullException.ThrowIfNull(cloudId);
        string encoded = cloudId[(cloudId.LastIndexOf(':') + 1)..];
        Span<byte> bytes = stackalloc byte[1024];
        if (encoded.Length is 0 or > 1024 || !Convert.TryFromBase64String(encoded, bytes, out int length)) return null;
        string[] parts = Encoding.UTF8.GetString(bytes[..length]).Split('$');
        if (parts.Length < 2 || parts[0].Length == 0 || parts[1].Length == 0) return null;
        string[] domain = parts[0].Split(':', 2), node = parts[1].Split(':', 2);
        string port = node.Length > 1 ? node[1] : domain.Length > 1 ? domain[1] : "443";
        return Uri.TryCreate($"https://{node[0]}.{domain[0]}:{port}/", UriKind.Absolute, out Uri? uri) ? uri : null;
    }

    /// <summary>Reads a node's address: scheme optional (http as the original had it), port 9200 where none is given; null when it is none.</summary>
    public static Uri? TryHost(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string address = text.Contains("://", StringComparison.Ordinal) ? text : "http://" + text;
        if (!Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https") || uri.Host.Length == 0) return null;
        if (uri.UserInfo.Length > 0 || uri.Query.Length > 0 || uri.Fragment.Length > 0) return null;
        // "https://es.example" is the port of the cluster's, unless somebody wrote one: a proxy in front of it is written with ":443".
        bool named = address[(address.IndexOf("://", StringComparison.Ordinal) + 3)..].Split('/', 2)[0] is var authority && authority[(authority.LastIndexOf(']') + 1)..].Contains(':', StringComparison.Ordinal);
        UriBuilder builder = new(uri) { Path = uri.AbsolutePath.TrimEnd('/') + "/" };
        if (!named) builder.Port = 9200;
        return builder.Uri;
    }

    /// <summary>Says what is wrong with the name of an index or data stream, or null.</summary>
    public static string? CheckIndex(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.Length is 0 or > 255 || name is "." or ".." || name[0] is '-' or '_' or '+' || name.Any(c => char.IsUpper(c) || c <= ' ' || "\\/*?\"<>|,#:".Contains(c, StringComparison.Ordinal))
            ? "expected the name of an index or data stream: lower case, without spaces and any of \\ / * ? \" < > | , # :, not beginning with - _ +"
            : null;
    }
}

/// <summary>A cluster that alerts are indexed in.</summary>
public sealed record ElasticSinkOptions : SinkOptions
{
    /// <summary>Type, dataset and namespace by the naming scheme of data streams; a cluster of Elastic's has a template for them.</summary>
    public const string DefaultIndex = "logs-nfr.alert-default";

    public required ElasticOptions Cluster { get; init; }
    /// <summary>Data stream or index.</summary>
    public string Index { get; init; } = DefaultIndex;

    public override string Where => $"{Shown(Cluster)}, index {Index}";
    public override string? ServerHost => Cluster.Hosts.Count == 1 ? Cluster.Hosts[0].IdnHost : null;

    /// <summary>"elastic https://es1.example:9200 and 2 more".</summary>
    public static string Shown(ElasticOptions cluster)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        return $"elastic {cluster.Hosts[0].GetLeftPart(UriPartial.Authority)}{(cluster.Hosts.Count > 1 ? $" and {cluster.Hosts.Count - 1} more" : "")}";
    }
}
