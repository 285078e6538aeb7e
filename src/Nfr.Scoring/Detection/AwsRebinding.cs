using System.Text;
using Nfr.Events;
using Nfr.Scoring.Tables;

namespace Nfr.Scoring.Detection;

/// <summary>
/// A public name whose address is that of a cloud machine's metadata service (169.254.169.254, fd00:ec2::254): a page that is loaded from it may read the machine's keys in the
/// browser's or the server's name ("DNS rebinding"). The clouds' own names for it end in .internal. No state.
/// </summary>
sealed class AwsRebinding(Findings findings) : Detector
{
    public const string Name = "aws_rebinding";
    const ushort A = 1, Aaaa = 28;

    public override DetectorEvents Sees => DetectorEvents.Dns;

    public override int OnDns(scoped in DnsEvent e)
    {
        if (e.Answers.IsEmpty) return 0;
        var answers = new DnsAnswerReader(e.Answers);
        bool found = false;
        while (answers.MoveNext() && !found)
        {
            found = answers.Type == A ? answers.Text.SequenceEqual("169.254.169.254"u8) : answers.Type == Aaaa && answers.Text.SequenceEqual("fd00:ec2::254"u8);
        }
        if (!found || IsPrivateName(e.Query)) return 0;
        int severity = Threats.AwsRebinding.Severity;
        ulong finding = Mix.Of(Mix.Of(e.Context.Source, Mix.OfName(e.Query)), (ulong)Detectors.AwsRebinding);
        if (!findings.IsDue(finding, severity, out long count)) return severity;
        string source = e.Context.Source.ToString(), name = Encoding.UTF8.GetString(e.Query);
        findings.Raise(in e, finding, new Finding(Name, $"{source} {name}", Threats.AwsRebinding, [],
            $"{source} was told that {name} is at the address of the cloud's metadata service.", [new("answers", count, 1)], [], count));
        return severity;
    }

    static bool IsPrivateName(ReadOnlySpan<byte> name) =>
        name.IndexOf((byte)'.') < 0 || EndsWith(name, ".internal"u8) || EndsWith(name, ".local"u8) || EndsWith(name, ".lan"u8) || EndsWith(name, ".arpa"u8);

    static bool EndsWith(ReadOnlySpan<byte> name, ReadOnlySpan<byte> end) => name.Length >= end.Length && Ascii.EqualsIgnoreCase(name[^end.Length..], end);
}
