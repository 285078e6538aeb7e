using System.Buffers;
using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Nfr.Events;
using Nfr.Storage;

namespace Nfr.Uplink;

/// <summary>An HTTP address that alerts are posted to.</summary>
public sealed record WebhookSinkOptions : SinkOptions
{
    /// <summary>http or https, without user and password.</summary>
    public required Uri Url { get; init; }
    /// <summary>Sent with every request; checked by <see cref="CheckHeader"/>.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];
    /// <summary>Signs each request; null = they are not signed. "whsec_" and base64 stands for those bytes, anything else for its own in UTF-8.</summary>
    public SecretText? Secret { get; init; }
    /// <summary>One alert a request instead of an array of a page's.</summary>
    public bool Single { get; init; }
    public TlsSettings Tls { get; init; } = TlsSettings.Default;
    public ProxySettings Proxy { get; init; } = ProxySettings.Environment;

    public override string Where => $"{Url.Scheme}://{Url.IdnHost}{(Url.IsDefaultPort ? "" : ":" + Url.Port.ToString(CultureInfo.InvariantCulture))}{(Url.PathAndQuery.Length > 1 ? "/…" : "")}";
    public override string? ServerHost => Proxy.Address is null ? Url.IdnHost : null;

    /// <summary>Says what is wrong with a header, or null. Its value is not repeated: it may be a key.</summary>
    public static string? CheckHeader(string name, string value)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(value);
        if (name.Length == 0 || !name.All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal))) return $"\"{name}\" is no name of a header";
        if (value.Any(c => c is < ' ' and not '\t' or > '~')) return $"the value of {name} holds other than visible ASCII";
        return name.ToUpperInvariant() is "HOST" or "CONTENT-LENGTH" or "CONTENT-TYPE" or "TRANSFER-ENCODING" or "CONNECTION" or "WEBHOOK-ID" or "WEBHOOK-TIMESTAMP" or "WEBHOOK-SIGNATURE"
            ? $"{name} is set by the sensor itself"
            : null;
    }

    /// <summary>The key's bytes; null when "whsec_" is followed by no base64.</summary>
    public static byte[]? KeyOf(string secret)
    {
        const string Prefix = "whsec_";
        ArgumentNullException.ThrowIfNull(secret);
        if (!secret.StartsWith(Prefix, StringComparison.Ordinal)) return Encoding.UTF8.GetBytes(secret);
        byte[] key = new byte[secret.Length];
        return Convert.TryFromBase64String(secret[Prefix.Length..], key, out int length) && length > 0 ? key[..length] : null;
    }
}

/// <summary>
/// POSTs JSON, signed as Standard Webhooks lays down (webhook-id, webhook-timestamp, webhook-signature). A repeat has the id of the first try. What a receiver refuses is
/// halved down to the alert, and that alone passed by, once the receiver has taken another one of the same page: who refuses everything is set up wrong. A request ends within
/// 30 s; a page within <see cref="s_turn"/> and one request.
/// </summary>
public sealed class WebhookSink : AlertSink
{
    /// <summary>After so long a page goes on in the next one, so that its progress is noted.</summary>
    static readonly TimeSpan s_turn = TimeSpan.FromMinutes(1);
    /// <summary>An address that was taken down (410) is asked again so seldom.</summary>
    static readonly TimeSpan s_gone = TimeSpan.FromHours(1);
    /// <summary>Alerts in a row that are refused alone before it is the receiver that is suspected.</summary>
    const int MostSuspects = 8;
    /// <summary>Tries that time out before a request is made smaller: a slow line may never get it through in 30 s.</summary>
    const int MostTimeouts = 3;
    /// <summary>Requests stay smaller so long.</summary>
    static readonly TimeSpan s_slow = TimeSpan.FromHours(1);

    readonly WebhookSinkOptions _options;
    readonly string _name;
    readonly TimeProvider _time;
    readonly HttpSender _sender;
    string? _lastRefusal;
    /// <summary>Sequences of a request of which nobody knows whether it came through: it is repeated within the same bounds, or a receiver could not tell.</summary>
    (long First, long Last)? _unsure;
    int _timeouts;
    /// <summary>Alerts of a request at most, and since when it is fewer than a page.</summary>
    (int Alerts, long Since)? _slow;

    /// <param name="name">Of the output; part of ids.</param>
    /// <param name="options">Checked when the configuration was read.</param>
    /// <param name="sensor">Who speaks.</param>
    /// <param name="time">Time-outs and stamps.</param>
    /// <param name="handler">The seam of tests.</param>
    public WebhookSink(string name, WebhookSinkOptions options, SensorIdentity sensor, TimeProvider time, HttpMessageHandler? handler = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(sensor);
        (_name, _options, _time) = (name, options, time);
        _sender = new HttpSender(new HttpSenderOptions { Version = sensor.Version, Tls = options.Tls, Proxy = options.Proxy }, time, handler);
        // The path of a webhook is as good as a password with some services.
        Target = options.Where;
    }

    public override string Target { get; }

    public override string? LastRefusal => _lastRefusal;

    public override async Task<SinkAnswer> WriteAsync(AlertPage page, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(page);
        byte[]? key = null;
        if (_options.Secret is { } secret)
        {
            if (!secret.TryRead(out string text, out string unread)) return SinkAnswer.None("secret_file: " + unread);
            if (WebhookSinkOptions.KeyOf(text) is not { } bytes) return SinkAnswer.None("the secret begins with whsec_ but what follows is no base64");
            key = bytes;
            // The stamp is signed: receivers refuse one of another year, and what is refused would be the alert.
            if (ClockFloor.IsUnset(_time.GetUtcNow())) return SinkAnswer.None("the clock is not set, and no receiver takes a signature of another time; alerts wait until it is, check NTP");
        }
        if (_slow is { } old && _time.GetElapsedTime(old.Since) > s_slow) _slow = null;
        int taken = 0, refused = 0, suspects = 0, most = _options.Single ? 1 : Math.Min(page.Count, _slow?.Alerts ?? page.Count);
        int count = most;
        bool any = false;
        string? suspicion = null;
        long begin = _time.GetTimestamp();
        // Those that are refused alone stand between what is taken and what is next, until another one is taken.
        while (taken + suspects < page.Count)
        {
            int next = taken + suspects;
            if (taken > 0 && _time.GetElapsedTime(begin) > s_turn) return new SinkAnswer(taken, refused, null, TimeSpan.Zero);
            count = Bounds(page, next, Math.Min(count, page.Count - next));
            _unsure = (page.Alerts[next].Sequence, page.Alerts[next + count - 1].Sequence);
            HttpReply reply = await PostAsync(page, next, count, key, cancel);
            // A cut or late answer says nothing about what the receiver kept; every other one does.
            if (reply.Kind is not (HttpReplyKind.Unreachable or HttpReplyKind.Endless or HttpReplyKind.ServerError)) _unsure = null;
            if (!reply.TimedOut) _timeouts = 0;
            switch (reply.Kind)
            {
                case HttpReplyKind.Taken:
                    if (suspects > 0) _lastRefusal = suspicion;
                    (taken, refused, suspects, any) = (next + count, refused + suspects, 0, true);
                    count = Math.Min(most, count * 2);
                    break;
                case HttpReplyKind.TooLarge or HttpReplyKind.Refused when count > 1:
                    count /= 2;
                    break;
                case HttpReplyKind.TooLarge or HttpReplyKind.Refused when any:
                    (taken, refused) = (taken + 1, refused + 1);
                    _lastRefusal = reply.Message;
                    break;
                case HttpReplyKind.TooLarge or HttpReplyKind.Refused:
                    suspicion = reply.Message;
                    if (++suspects == MostSuspects) return RefusesAll();
                    break;
                case HttpReplyKind.Absent when reply.Status == 410:
                    return new SinkAnswer(taken, refused, reply.Message + ": the receiver has taken this webhook down; it is asked again every hour, change url or remove the target", s_gone);
                default:
                    if (reply.TimedOut && count > 1 && ++_timeouts == MostTimeouts) (_unsure, _timeouts, _slow) = (null, 0, (count / 2, _time.GetTimestamp()));
                    return new SinkAnswer(taken, refused, reply.Message, reply.RetryAfter);
            }
        }
        return suspects > 0 ? RefusesAll() : new SinkAnswer(taken, refused, null);

        SinkAnswer RefusesAll() => new(taken, refused,
            $"it refuses every alert, the last one with: {suspicion}; check secret and headers here and there, and the clock. None is passed by until it takes another");
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _sender.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>How many alerts the next request has: as many as the one that it repeats.</summary>
    int Bounds(AlertPage page, int from, int count)
    {
        if (_unsure is not { } unsure || page.Alerts[from].Sequence != unsure.First) return count;
        for (int i = from; i < page.Count; i++)
        {
            if (page.Alerts[i].Sequence == unsure.Last) return i - from + 1;
        }
        return count;
    }

    async Task<HttpReply> PostAsync(AlertPage page, int from, int count, byte[]? key, CancellationToken cancel)
    {
        ReadOnlyMemory<byte> body = _options.Single ? page.LinesOf(from)[..^1] : Array(page, from, count);
        using HttpRequestMessage request = new(HttpMethod.Post, _options.Url);
        request.Content = new ReadOnlyMemoryContent(body);
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        foreach ((string name, string value) in _options.Headers) request.Headers.TryAddWithoutValidation(name, value);
        string id = IdOf(page, from, count);
        string stamp = _time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        request.Headers.TryAddWithoutValidation("webhook-id", id);
        request.Headers.TryAddWithoutValidation("webhook-timestamp", stamp);
        if (key is not null) request.Headers.TryAddWithoutValidation("webhook-signature", Sign(key, id, stamp, body.Span));
        return await _sender.SendAsync(request, cancel);
    }

    /// <summary>The alerts of one request have one id, however often it is tried: it follows from who sends what. A restart or a slow line may draw the bounds anew, which makes another id.</summary>
    string IdOf(AlertPage page, int from, int count)
    {
        IReadOnlyList<StoredAlert> alerts = page.Alerts;
        string what = string.Create(CultureInfo.InvariantCulture, $"{page.Sensor.Id}\n{_name}\n{alerts[from].Sequence}\n{alerts[from + count - 1].Sequence}\n{count}");
        return "msg_" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(what)).AsSpan(0, 16));
    }

    internal static string Sign(byte[] key, string id, string stamp, ReadOnlySpan<byte> body)
    {
        using IncrementalHash hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        hash.AppendData(Encoding.UTF8.GetBytes($"{id}.{stamp}."));
        hash.AppendData(body);
        return "v1," + Convert.ToBase64String(hash.GetHashAndReset());
    }

    static ReadOnlyMemory<byte> Array(AlertPage page, int from, int count)
    {
        ArrayBufferWriter<byte> array = new(1024 * count);
        for (int i = from; i < from + count; i++)
        {
            array.Write(i == from ? "["u8 : ","u8);
            array.Write(page.LinesOf(i).Span[..^1]);
        }
        array.Write("]"u8);
        return array.WrittenMemory;
    }
}
