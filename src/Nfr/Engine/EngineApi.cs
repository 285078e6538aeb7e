using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Nfr.Events;
using Nfr.Uplink;
using Serilog;

namespace Nfr.Engine;

/// <summary>A feature of the connections that came in at the address of --metrics; ports alone say nothing, two addresses may have the same.</summary>
sealed class MetricsConnection
{
    public static readonly MetricsConnection Mark = new();
}

/// <summary>The end points of the API, below /v1/, and /healthz and /metrics beside it. A refusal is <c>{"message":"…"}</c>, one sentence that says what to do.</summary>
sealed class EngineApi(HostedEngineOptions options, KeyRing keys, AlertWriter writer, AlertPages pages, EngineCounts counts, Func<string> metrics, ILogger log)
{
    const string Json = "application/json";
    /// <summary>Of account/register and its like.</summary>
    const int MaxSmallBody = 16 << 10;
    const int MaxKeys = 10_000;

    readonly EventIntake _intake = new(options, writer, log);
    /// <summary>Keys given to strangers.</summary>
    readonly TokenBucket _newKeys = new(1, options.Time);

    readonly Lock _health = new();
    Task<string?>? _checked;
    long _checkedAt;

    public async Task HandleAsync(HttpContext context)
    {
        try
        {
            await RouteAsync(context).ConfigureAwait(false);
        }
        catch (BadHttpRequestException fault)
        {
            // The platform's own sentence is not in the published file.
            await RefuseAsync(context, fault.StatusCode, fault.StatusCode switch
            {
                StatusCodes.Status413PayloadTooLarge => TooLong,
                StatusCodes.Status408RequestTimeout => "the body came too slowly",
                _ => "the body broke off",
            }).ConfigureAwait(false);
        }
        catch (BodyTooLongException)
        {
            await RefuseAsync(context, StatusCodes.Status413PayloadTooLarge, TooLong).ConfigureAwait(false);
        }
        catch (InvalidDataException)
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, "the body is not what its Content-Encoding says").ConfigureAwait(false);
        }
        catch (Exception end) when (end is OperationCanceledException or IOException || context.RequestAborted.IsCancellationRequested)
        {
            // The sensor hung up, and comes again; whoever is still there gets an answer.
            counts.Broken();
            if (!context.RequestAborted.IsCancellationRequested) await RefuseAsync(context, StatusCodes.Status400BadRequest, "the body broke off").ConfigureAwait(false);
        }
        catch (Exception mistake)
        {
            log.Error(mistake, "{Path}: a mistake in nfr itself; the engine goes on", context.Request.Path.Value);
            await RefuseAsync(context, StatusCodes.Status500InternalServerError, "a mistake in the engine itself; its log has it").ConfigureAwait(false);
        }
        finally
        {
            counts.Answered(context.Response.StatusCode);
        }
    }

    string TooLong => string.Create(CultureInfo.InvariantCulture, $"the body is longer than {options.MaxBody} bytes, decompressed; send fewer events at once");

    Task RouteAsync(HttpContext context)
    {
        string path = context.Request.Path.Value ?? "";
        switch (path)
        {
            case "/healthz": return HealthAsync(context);
            case "/metrics": return MetricsAsync(context);
        }
        // That address has no TLS.
        if (IsMetricsPort(context)) return RefuseAsync(context, StatusCodes.Status404NotFound, "only /metrics and /healthz are here");
        (string Method, Func<HttpContext, SensorKey, Task>? WithKey, Func<HttpContext, Task>? Without)? found = path switch
        {
            "/v1/events/dns" => ("POST", (c, k) => EventsAsync(c, k, EventType.Dns), null),
            "/v1/events/ip" => ("POST", (c, k) => EventsAsync(c, k, EventType.Ip), null),
            "/v1/events/http" => ("POST", (c, k) => EventsAsync(c, k, EventType.Http), null),
            "/v1/events/tls" => ("POST", (c, k) => EventsAsync(c, k, EventType.Tls), null),
            "/v1/alerts" => ("GET", AlertsAsync, null),
            "/v1/account/status" => ("GET", StatusAsync, null),
            "/v1/account/register" => ("POST", RegisterAsync, null),
            "/v1/key/request" => ("POST", null, NewKeyAsync),
            "/v1/key/reset" => ("POST", null, c => RefuseAsync(c, StatusCodes.Status403Forbidden, "this engine sends no mail; ask whoever runs it for a new key (nfr engine key add)")),
            _ => null,
        };
        if (found is not { } end) return RefuseAsync(context, StatusCodes.Status404NotFound, "there is no such end point; the API begins at /v1/");
        if (context.Request.Method != end.Method)
        {
            context.Response.Headers.Allow = end.Method;
            return RefuseAsync(context, StatusCodes.Status405MethodNotAllowed, $"this end point wants {end.Method}");
        }
        return end.Without is { } open ? open(context) : WithKeyAsync(context, end.WithKey!);
    }

    Task WithKeyAsync(HttpContext context, Func<HttpContext, SensorKey, Task> answer)
    {
        Span<byte> hash = stackalloc byte[ApiKeys.HashLength];
        string? authorization = context.Request.Headers.Authorization;
        if (!ApiKeys.TryHash(authorization, hash) || keys.Find(hash) is not { } key)
        {
            context.Response.Headers.WWWAuthenticate = "Basic realm=\"nfr engine\"";
            return RefuseAsync(context, StatusCodes.Status401Unauthorized, authorization is null
                ? "an API key is wanted: Basic authentication, the key as user name" : "this engine does not know the API key");
        }
        if (key.Row.Revoked != 0) return RefuseAsync(context, StatusCodes.Status403Forbidden, "this API key was revoked; ask whoever runs the engine for another");
        context.Response.Headers[EngineClient.FieldsHeader] = "all";
        TimeSpan wait = key.Requests.Wait();
        if (wait > TimeSpan.Zero) return ThrottleAsync(context, wait);
        key.Requests.Take(1);
        lock (key.State)
        {
            key.State.LastSeen = options.Time.GetUtcNow().ToUnixTimeSeconds();
            key.State.Agent = Shorten(context.Request.Headers.UserAgent);
            key.State.Changed = true;
        }
        return answer(context, key);
    }

    async Task EventsAsync(HttpContext context, SensorKey key, EventType type)
    {
        if (!key.Row.Registered)
        {
            await RefuseAsync(context, StatusCodes.Status403Forbidden, "this API key is not registered; run nfr account register").ConfigureAwait(false);
            return;
        }
        TimeSpan wait = key.Events.Wait();
        if (wait > TimeSpan.Zero)
        {
            await ThrottleAsync(context, wait).ConfigureAwait(false);
            return;
        }
        if (EventIntake.Open(context.Request.Headers.ContentEncoding, context.Request.BodyReader) is not { } body)
        {
            context.Response.Headers.AcceptEncoding = "gzip, deflate";
            await RefuseAsync(context, StatusCodes.Status415UnsupportedMediaType, "Content-Encoding may be gzip or deflate, or absent").ConfigureAwait(false);
            return;
        }
        var result = new IntakeResult();
        string? sensor = context.Request.Headers["X-NFR-Sensor"];
        var head = new UploadHead(
            sensor ?? "", BodyRange.Of(sensor, context.Request.Headers["X-NFR-Sequence"]), Date(context.Request.Headers.Date), options.Time.GetUtcNow());
        IntakeResult answer;
        string? trouble;
        try
        {
            (answer, trouble) = await _intake.TakeAsync(key, type, head, body, result, context.RequestAborted).ConfigureAwait(false);
        }
        finally
        {
            // Kestrel's own pipe is Kestrel's.
            if (body != context.Request.BodyReader) await body.CompleteAsync().ConfigureAwait(false);
            counts.Taken(type, result);
        }
        if (trouble is not null)
        {
            await RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, "alerts cannot be stored now; send the events again", retryAfter: 30).ConfigureAwait(false);
            return;
        }
        var text = new StringBuilder(96);
        text.Append(CultureInfo.InvariantCulture, $"{{\"received\":{answer.Received},\"accepted\":{answer.Accepted},\"rejected\":{{");
        string comma = "";
        foreach ((string reason, long count) in answer.Reasons())
        {
            text.Append(CultureInfo.InvariantCulture, $"{comma}\"{reason}\":{count}");
            comma = ",";
        }
        await AnswerAsync(context, StatusCodes.Status200OK, text.Append("}}").ToString()).ConfigureAwait(false);
    }

    /// <summary>RFC 9110, 5.6.7, in the form that is to be sent; null for anything else.</summary>
    static DateTimeOffset? Date(string? text) =>
        DateTimeOffset.TryParseExact(text, "r", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset date) ? date : null;

    async Task AlertsAsync(HttpContext context, SensorKey key)
    {
        ReadOnlyMemory<byte> page = pages.After(key.Site.Name, context.Request.Query["follow"].ToString());
        context.Response.ContentType = Json;
        context.Response.ContentLength = page.Length;
        await context.Response.Body.WriteAsync(page, context.RequestAborted).ConfigureAwait(false);
    }

    Task StatusAsync(HttpContext context, SensorKey key)
    {
        DateTimeOffset now = options.Time.GetUtcNow();
        long endpoints;
        lock (key.State) endpoints = key.State.Day == (now - DateTimeOffset.UnixEpoch).Days ? key.State.Endpoints.Count() : 0;
        string messages = "";
        if (!key.Row.Registered) messages = "{\"level\":2,\"body\":\"This API key is not registered: run nfr account register.\"}";
        else if (writer.Trouble is not null) messages = "{\"level\":3,\"body\":\"The engine cannot store alerts now.\"}";
        // Keys of this engine do not expire: they are good until they are revoked.
        return AnswerAsync(context, StatusCodes.Status200OK, string.Create(CultureInfo.InvariantCulture,
            $"{{\"today\":\"{now:yyyy-MM-dd}\",\"registered\":{(key.Row.Registered ? "true" : "false")},\"expired\":false,\"expirationDate\":null,\"endpointsSeenToday\":{endpoints},\"messages\":[{messages}]}}"));
    }

    async Task RegisterAsync(HttpContext context, SensorKey key)
    {
        using JsonDocument? json = await SmallBodyAsync(context).ConfigureAwait(false);
        if (json is null || !json.RootElement.TryGetProperty("details", out JsonElement details) || Text(details, "name") is not { Length: > 0 } name || Text(details, "email") is not { Length: > 0 } email)
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, "details.name and details.email are wanted").ConfigureAwait(false);
            return;
        }
        if (key.Row.Registered)
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, "this API key is registered already").ConfigureAwait(false);
            return;
        }
        keys.Register(key.Row.Id, Shorten(name), Shorten(email));
        await AnswerAsync(context, StatusCodes.Status200OK, "{}").ConfigureAwait(false);
    }

    async Task NewKeyAsync(HttpContext context)
    {
        if (!options.OpenRegistration)
        {
            await RefuseAsync(context, StatusCodes.Status403Forbidden, "this engine gives keys by hand only; ask whoever runs it (nfr engine key add)").ConfigureAwait(false);
            return;
        }
        TimeSpan wait = _newKeys.Wait();
        if (wait > TimeSpan.Zero)
        {
            await ThrottleAsync(context, wait).ConfigureAwait(false);
            return;
        }
        if (keys.Count >= MaxKeys)
        {
            await RefuseAsync(context, StatusCodes.Status403Forbidden, "this engine has as many keys as it takes").ConfigureAwait(false);
            return;
        }
        _newKeys.Take(1);
        using JsonDocument? json = await SmallBodyAsync(context).ConfigureAwait(false);
        string platform = json is not null && json.RootElement.TryGetProperty("platform", out JsonElement of) ? Text(of, "name") ?? "" : "";
        string key = ApiKeys.New();
        keys.Add(new KeyRow(0, ApiKeys.Hash(key), ApiKeys.Shadow(key), Shorten(platform), "", [], options.Time.GetUtcNow().ToUnixTimeSeconds(), 0, false, ""));
        await AnswerAsync(context, StatusCodes.Status200OK, $"{{\"key\":\"{key}\"}}").ConfigureAwait(false);
    }

    async Task HealthAsync(HttpContext context)
    {
        string? trouble;
        try
        {
            // One commit a second at most, however many ask.
            Task<string?> check;
            lock (_health)
            {
                if (_checked is null || options.Time.GetElapsedTime(_checkedAt) >= TimeSpan.FromSeconds(1)) (_checked, _checkedAt) = (writer.Check(), options.Time.GetTimestamp());
                check = _checked;
            }
            // Alerts that do not come to the disk in this time are as good as refused.
            trouble = await check.WaitAsync(TimeSpan.FromSeconds(5), context.RequestAborted).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            trouble = "the disk does not answer";
        }
        context.Response.StatusCode = trouble is null ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        await TextAsync(context, "text/plain; charset=utf-8", trouble is null ? "ok\n" : $"alerts cannot be stored: {trouble}\n").ConfigureAwait(false);
    }

    static bool IsMetricsPort(HttpContext context) => context.Features.Get<MetricsConnection>() is not null;

    Task MetricsAsync(HttpContext context)
    {
        bool own = IsMetricsPort(context);
        // No peer address: a Unix socket.
        bool here = context.Connection.RemoteIpAddress is not { } peer || System.Net.IPAddress.IsLoopback(peer);
        // A proxy on this machine speaks for others.
        here &= !context.Request.Headers.ContainsKey("X-Forwarded-For") && !context.Request.Headers.ContainsKey("Forwarded");
        return own || (here && options.Metrics is null)
            ? TextAsync(context, "text/plain; version=0.0.4; charset=utf-8", metrics())
            : RefuseAsync(context, StatusCodes.Status403Forbidden, "metrics are for this machine alone; give them an address of their own by --metrics");
    }

    /// <summary>A small JSON object; null when it is none.</summary>
    static async Task<JsonDocument?> SmallBodyAsync(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = MaxSmallBody;
        try
        {
            JsonDocument json = await JsonDocument.ParseAsync(context.Request.Body, default, context.RequestAborted).ConfigureAwait(false);
            if (json.RootElement.ValueKind == JsonValueKind.Object) return json;
            json.Dispose();
        }
        catch (JsonException)
        {
            // The caller says what is wanted.
        }
        return null;
    }

    static string? Text(JsonElement json, string name)
    {
        if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty(name, out JsonElement value) || value.ValueKind != JsonValueKind.String) return null;
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            return null; // half a surrogate pair
        }
    }

    /// <summary>A stranger's text on one line and not without end.</summary>
    static string Shorten(string? text) => new([.. (text ?? "").Take(100).Select(c => char.IsControl(c) ? ' ' : c)]);

    Task ThrottleAsync(HttpContext context, TimeSpan wait)
    {
        counts.Throttled();
        return RefuseAsync(context, StatusCodes.Status429TooManyRequests, "too many requests to API", retryAfter: (int)Math.Ceiling(wait.TotalSeconds));
    }

    static Task RefuseAsync(HttpContext context, int status, string message, int retryAfter = 0)
    {
        if (context.Response.HasStarted) return Task.CompletedTask;
        if (retryAfter > 0) context.Response.Headers.RetryAfter = retryAfter.ToString(CultureInfo.InvariantCulture);
        return AnswerAsync(context, status, $"{{\"message\":\"{JsonEncodedText.Encode(message)}\"}}");
    }

    static Task AnswerAsync(HttpContext context, int status, string json)
    {
        context.Response.StatusCode = status;
        return TextAsync(context, Json, json);
    }

    static async Task TextAsync(HttpContext context, string type, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        context.Response.ContentType = type;
        context.Response.ContentLength = bytes.Length;
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted).ConfigureAwait(false);
    }
}
