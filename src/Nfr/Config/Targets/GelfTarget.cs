using Nfr.Uplink;

namespace Nfr.Config;

/// <summary>outputs.targets[].gelf, and what the original's outputs.graylog means.</summary>
static class GelfTarget
{
    public static SinkOptions? Read(Section s)
    {
        LinkOptions? link = LinkSection.Read(s, 12201, 12201);
        string compression = s.Choice("compression", "gzip", "gzip", "none");
        if (link is { Protocol: not LinkProtocol.Udp } && s.Has("compression")) s.Note("compression", "the format has none over TCP and TLS; this key has no effect");
        long chunk = s.Size("chunk_size", 1420, 256, 65_507);
        int level = s.Integer("level", 1, 0, 7);
        s.End();
        return link is null ? null : new GelfSinkOptions { Link = link, Compress = compression == "gzip", Level = s.Has("level") ? level : null, ChunkBytes = (int)chunk };
    }

    public static OutputOptions? Of(GraylogConfig config) => config.Host is not { } host ? null : new OutputOptions
    {
        Name = "graylog",
        Sink = new GelfSinkOptions
        {
            Link = new LinkOptions { Protocol = config.Protocol == "udp" ? LinkProtocol.Udp : LinkProtocol.Tcp, Host = host.Trim('[', ']'), Port = config.Port },
            Level = config.Level,
        },
    };
}
