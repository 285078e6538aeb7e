using Nfr.Uplink;

namespace Nfr.Config;

/// <summary>outputs.targets[].elastic, and what outputs.elastic has in common with it.</summary>
static class ElasticTarget
{
    public static SinkOptions? Read(Section s)
    {
        string index = Index(s, "index", ElasticSinkOptions.DefaultIndex);
        ElasticOptions? cluster = ReadCluster(s);
        s.End();
        if (cluster is null && s.Present && !s.Has("hosts") && !s.Has("cloud_id")) s.Fault("hosts", "missing; name the cluster's nodes, such as https://es1.example:9200, or a cloud_id");
        return cluster is null ? null : new ElasticSinkOptions { Cluster = cluster, Index = index };
    }

    /// <summary>The keys that say which cluster; null without hosts and cloud_id, and when a fault was found.</summary>
    public static ElasticOptions? ReadCluster(Section s)
    {
        List<Uri> hosts = [];
        bool good = true;
        foreach ((string text, int line) in s.Entries("hosts"))
        {
            if (ElasticOptions.TryHost(text) is { } host) hosts.Add(host);
            else good = Wrong(line, "hosts", $"\"{text}\" is no address; write https://host:port or host:port, without user and password");
        }
        string? cloud = s.Text("cloud_id");
        if (cloud is not null && hosts.Count > 0) good = Wrong(0, "cloud_id", "hosts and cloud_id exclude each other; keep one");
        else if (cloud is not null && ElasticOptions.OfCloudId(cloud) is { } node) hosts.Add(node);
        else if (cloud is not null) good = Wrong(0, "cloud_id", "this is no cloud id; copy it from the deployment's page");
        SecretText? key = Secret(s, "api_key", ref good);
        string? user = s.Text("username");
        SecretText? password = Secret(s, "password", ref good);
        if (key is not null && user is not null) good = Wrong(0, "username", "api_key and username exclude each other; keep one");
        if (user is not null && password is null) good = Wrong(0, "username", "password is missing, or password_file; a username needs one");
        if (user is null && password is not null) good = Wrong(0, "password", "username is missing; a password needs one");
        bool template = s.Flag("template", false);
        TlsSettings tls = TlsSection.Read(s.Under("tls"));
        if ((key ?? password) is not null && hosts.FirstOrDefault(h => h.Scheme == "http" && !h.IsLoopback) is { } clear)
            s.Note("hosts", $"http sends the key or password and all documents readable over the network to {clear.Authority}; use https");
        return good && hosts.Count > 0 ? new ElasticOptions { Hosts = hosts, ApiKey = key, Username = user, Password = password, Template = template, Tls = tls } : null;

        bool Wrong(int line, string at, string message)
        {
            if (line > 0) s.FaultAt(line, at, message);
            else s.Fault(at, message);
            return false;
        }
    }

    /// <summary>A key that has a twin which names a file.</summary>
    static SecretText? Secret(Section s, string key, ref bool good)
    {
        good &= !s.Has(key) || !s.Has(key + "_file");
        return SecretKeys.Read(s, key);
    }

    public static string Index(Section s, string key, string fallback)
    {
        string? name = s.Text(key, fallback);
        if (name is null) return fallback;
        if (ElasticOptions.CheckIndex(name.Replace(ElasticEventOptions.TypeMark, "x", StringComparison.Ordinal)) is not { } fault) return name;
        s.Fault(key, $"{fault}; found \"{name}\"");
        return fallback;
    }
}
