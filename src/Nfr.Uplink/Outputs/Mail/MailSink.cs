using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Nfr.Events;
using Nfr.Storage;

namespace Nfr.Uplink;

/// <summary>Mail to people.</summary>
public sealed record MailSinkOptions : SinkOptions
{
    public required SmtpServer Server { get; init; }
    public required Mailbox From { get; init; }
    /// <summary>At least one.</summary>
    public required IReadOnlyList<Mailbox> To { get; init; }
    /// <summary>What each subject begins with; empty = nothing.</summary>
    public string Subject { get; init; } = "[NFR]";
    /// <summary>After a mail, what comes is gathered for so long.</summary>
    public TimeSpan Digest { get; init; } = TimeSpan.FromMinutes(5);
    public int MostPerHour { get; init; } = 12;
    /// <summary>Alerts that one mail tells in detail; the rest of it is counts.</summary>
    public int Details { get; init; } = 25;

    public override string Where => string.Create(CultureInfo.InvariantCulture, $"mail to {To[0].Address}{(To.Count > 1 ? $" and {To.Count - 1} more" : "")} by {Server.Host}:{Server.Port}");
    public override string? ServerHost => Server.Host;
}

/// <summary>
/// Alerts as mail that does not flood: the first alert after a quiet time goes within seconds, what follows is gathered for the digest's time, and within an hour there
/// are so many mails at most. What waits stays behind the output's bookmark. A mail holds up to 1,000 alerts: the gravest in detail, the rest as counts. A write
/// ends within the server's times.
/// </summary>
public sealed class MailSink : AlertSink
{
    /// <summary>A burst comes within so long and is one mail.</summary>
    static readonly TimeSpan s_settle = TimeSpan.FromSeconds(5);
    static readonly TimeSpan s_hour = TimeSpan.FromHours(1);
    /// <summary>A mail that may have arrived is not repeated at once: a server that is cut off each time would fill a mailbox.</summary>
    static readonly TimeSpan s_unsure = TimeSpan.FromMinutes(5);
    static readonly TimeSpan s_putOff = TimeSpan.FromMinutes(1);
    /// <summary>Until a mail goes again that the server refused for a right, a day's limit or a full mailbox.</summary>
    static readonly TimeSpan s_lasting = TimeSpan.FromMinutes(30);
    /// <summary>Tries of a mail that may have arrived; after that it has, as far as anybody can tell.</summary>
    const int MostUnsure = 3;

    /// <summary>
    /// A mail that may have arrived, or has not at some of its recipients: it goes again as it was, so that a repeat is known by its Message-ID. To: who has not had it yet;
    /// Arrived: others had it; Unsure: tries of which nobody knows.
    /// </summary>
    sealed record Letter(byte[] Bytes, long First, int Count, IReadOnlyList<string> To, long Since, bool HasDetails, bool Arrived, int Unsure);

    readonly MailSinkOptions _options;
    readonly SensorIdentity _sensor;
    readonly TimeProvider _time;
    readonly SmtpDelivery _delivery;
    readonly string _name;
    readonly string? _hello;
    readonly Queue<long> _sent = new();
    long? _lastSent;
    long? _firstWaiting;
    Letter? _letter;
    string? _lastRefusal;
    string? _remark;

    /// <param name="name">Of the output; part of ids.</param>
    /// <param name="options">Checked when the configuration was read.</param>
    /// <param name="sensor">Who speaks.</param>
    /// <param name="time">Time-outs, intervals and stamps; its zone is that of the times in mails.</param>
    public MailSink(string name, MailSinkOptions options, SensorIdentity sensor, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(sensor);
        (_name, _options, _sensor, _time) = (name, options, sensor, time);
        _delivery = new SmtpDelivery(options.Server, new ClientTls(options.Server.Tls, time), time);
        _hello = sensor.Host.Contains('.', StringComparison.Ordinal) && Uri.CheckHostName(sensor.Host) == UriHostNameType.Dns && Ascii.IsValid(sensor.Host) ? sensor.Host : null;
        Target = options.Where;
    }

    public override string Target { get; }

    public override int PageSize => 1000;

    public override string? LastRefusal => _lastRefusal;

    public override string? Remark => _remark;

    public override async Task<SinkAnswer> WriteAsync(AlertPage page, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(page);
        long now = _time.GetTimestamp();
        _firstWaiting ??= now;
        if (_letter is not { } letter || letter.First != page.Alerts[0].Sequence || letter.Count > page.Count)
        {
            if (!page.IsLast && Due(now) is var (wait, reason) && wait > TimeSpan.Zero) return SinkAnswer.Later(wait, $"{reason} until {_time.GetLocalNow() + wait:HH:mm}");
            letter = Compose(page, page.Count, _options.Details, now);
        }
        else if (letter.Unsure > 0 && !page.IsLast && HourIsFull(now) is { Ticks: > 0 } full)
        {
            return SinkAnswer.Later(full, $"{Spoken.Count(_options.MostPerHour, "mail")} within the hour; waiting until {_time.GetLocalNow() + full:HH:mm}");
        }
        SmtpResult result = await SendAsync(letter, cancel);
        string? why = null;
        if ((result.Outcome == SmtpOutcome.Refused || result.Lasting) && letter.HasDetails)
        {
            // Some filters refuse mail for the very names that it warns of, and not all say so. Numbers alone are better than nothing.
            why = result.Message;
            letter = Compose(page, letter.Count, 0, now) with { To = letter.To, Since = letter.Since, Arrived = letter.Arrived, Unsure = letter.Unsure };
            result = await SendAsync(letter, cancel);
        }
        switch (result.Outcome)
        {
            case SmtpOutcome.Sent:
                return Sent(page, letter, result, why is null ? null : $"a mail had to go without details: {why}");
            case SmtpOutcome.Refused:
                _lastRefusal = result.Message;
                return Done(page, letter, letter.Count);
            default:
                if (letter.Arrived && _time.GetElapsedTime(letter.Since) > s_hour) return GiveUp(page, letter, result.Message);
                if (result.Unsure)
                {
                    letter = letter with { Unsure = letter.Unsure + 1 };
                    Count();
                    if (letter.Unsure == MostUnsure)
                    {
                        _remark = $"a mail went out {MostUnsure} times without an answer of the server and counts as sent: {result.Message}";
                        return Done(page, letter, 0);
                    }
                }
                _letter = letter.Unsure > 0 || letter.Arrived ? letter : null;
                return new SinkAnswer(0, 0, result.Message, result.Unsure ? s_unsure : result.Lasting ? s_lasting : null);
        }
    }

    /// <summary>A mail that arrived, or may have.</summary>
    void Count()
    {
        _lastSent = _time.GetTimestamp();
        _sent.Enqueue(_lastSent.Value);
    }

    Task<SmtpResult> SendAsync(Letter letter, CancellationToken cancel) => _delivery.SendAsync(_hello, _options.From.Address, letter.To, letter.Bytes, cancel);

    SinkAnswer Sent(AlertPage page, Letter letter, SmtpResult result, string? remark)
    {
        if (result.Never.Count > 0) remark = $"{result.Never.Count} of {Spoken.Count(_options.To.Count, "recipient")} refused: {result.Never[0]}";
        if (!letter.Arrived)
        {
            Count();
            _remark = remark;
        }
        _remark = remark ?? _remark;
        if (result.Later.Count == 0) return Done(page, letter, 0);
        // The others have it. Those who were put off are tried again with the same mail, and they alone.
        if (letter.Arrived && _time.GetElapsedTime(letter.Since) > s_hour) return GiveUp(page, letter, "put off again and again");
        _letter = letter with { To = result.Later, Arrived = true };
        return new SinkAnswer(0, 0, $"the server puts off {result.Later.Count} of {Spoken.Count(_options.To.Count, "recipient")}: {result.Later[0]}", s_putOff);
    }

    /// <summary>Other recipients had the mail an hour ago; these must not hold up what follows.</summary>
    SinkAnswer GiveUp(AlertPage page, Letter letter, string why)
    {
        _remark = $"given up after an hour for {letter.To[0]}{(letter.To.Count > 1 ? $" and {letter.To.Count - 1} more" : "")}, while others had the mail: {why}";
        return Done(page, letter, 0);
    }

    SinkAnswer Done(AlertPage page, Letter letter, int refused)
    {
        (_letter, _firstWaiting) = (null, null);
        return new SinkAnswer(letter.Count, refused, null, letter.Count < page.Count ? TimeSpan.Zero : null);
    }

    /// <summary>How long a mail has to wait, and what for.</summary>
    (TimeSpan Wait, string Why) Due(long now)
    {
        TimeSpan settle = s_settle - _time.GetElapsedTime(_firstWaiting!.Value, now);
        TimeSpan digest = _lastSent is { } last ? _options.Digest - _time.GetElapsedTime(last, now) : TimeSpan.Zero;
        TimeSpan hour = HourIsFull(now);
        TimeSpan gather = settle > digest ? settle : digest;
        return hour > gather ? (hour, $"{Spoken.Count(_options.MostPerHour, "mail")} within the hour; gathering") : (gather, "gathering");
    }

    /// <summary>Until there is room for another mail; zero = now.</summary>
    TimeSpan HourIsFull(long now)
    {
        while (_sent.TryPeek(out long oldest) && _time.GetElapsedTime(oldest, now) >= s_hour) _sent.Dequeue();
        return _sent.Count >= _options.MostPerHour ? s_hour - _time.GetElapsedTime(_sent.Peek(), now) : TimeSpan.Zero;
    }

    Letter Compose(AlertPage page, int count, int details, long now)
    {
        IReadOnlyList<StoredAlert> alerts = count == page.Count ? page.Alerts : [.. page.Alerts.Take(count)];
        MailDigest digest = new(alerts, _sensor, details, _options.Subject, _time.LocalTimeZone);
        long first = page.Alerts[0].Sequence;
        string what = string.Create(CultureInfo.InvariantCulture, $"{_sensor.Id}\n{_name}\n{first}\n{alerts[^1].Sequence}\n{count}\n{details}");
        string id = $"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(what)).AsSpan(0, 16))}@{_options.From.Domain}";
        byte[] bytes = MimeMessage.Write(digest, _options.From, _options.To, _time.GetLocalNow(), id);
        return new Letter(bytes, first, count, [.. _options.To.Select(t => t.Address)], now, details > 0, false, 0);
    }
}
