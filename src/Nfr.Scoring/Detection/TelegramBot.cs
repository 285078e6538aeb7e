using System.Text;
using Nfr.Events;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// Telegram's Bot API, which stealers and remote controls use because it is always there. Programs use it, people do not: Telegram's own clients speak another protocol with
/// other hosts. Told from the name in DNS, TLS or HTTP; a bot that polls all day is told once a day. No state.
/// </summary>
sealed class TelegramBot(Thresholds thresholds, Findings findings) : Detector
{
    public const string Name = "telegram_bot";

    public override DetectorEvents Sees => DetectorEvents.Dns | DetectorEvents.Tls | DetectorEvents.Http;

    static ReadOnlySpan<byte> Host => "api.telegram.org"u8;

    public override int OnDns(scoped in DnsEvent e)
    {
        if (!IsHost(e.Query)) return 0;
        if (!IsDue(in e.Context, out ulong finding, out long count)) return Threats.TelegramBot.Severity;
        findings.Raise(in e, finding, Describe(in e.Context, "asked for the address of", count));
        return Threats.TelegramBot.Severity;
    }

    public override int OnTls(scoped in TlsEvent e)
    {
        if (!IsHost(e.Sni)) return 0;
        if (!IsDue(in e.Context, out ulong finding, out long count)) return Threats.TelegramBot.Severity;
        findings.Raise(in e, finding, Describe(in e.Context, "opened TLS to", count));
        return Threats.TelegramBot.Severity;
    }

    public override int OnHttp(scoped in HttpEvent e)
    {
        if (!IsHost(e.Host)) return 0;
        if (!IsDue(in e.Context, out ulong finding, out long count)) return Threats.TelegramBot.Severity;
        findings.Raise(in e, finding, Describe(in e.Context, "spoke HTTP with", count));
        return Threats.TelegramBot.Severity;
    }

    static bool IsHost(ReadOnlySpan<byte> name) => name.Length == Host.Length && Ascii.EqualsIgnoreCase(name, Host);

    bool IsDue(in EventContext context, out ulong finding, out long count)
    {
        finding = Mix.Of(context.Source, (ulong)Detectors.TelegramBot);
        return findings.IsDue(finding, Threats.TelegramBot.Severity, thresholds.HabitInterval, out count);
    }

    static Finding Describe(in EventContext context, string what, long count)
    {
        string source = context.Source.ToString();
        return new Finding(Name, source, Threats.TelegramBot, [], $"{source} {what} api.telegram.org, the Bot API that only programs use.", [new("events", count, 1)], [], count);
    }
}
