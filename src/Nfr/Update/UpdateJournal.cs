using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Nfr.Commands;

namespace Nfr.Update;

/// <summary>
/// A line of what updates do, in the machine's log under the name "nfr-update", whoever ran the command and from where: systemd's own protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL),
/// one datagram with a field a line.
/// </summary>
static class UpdateJournal
{
    public const string DefaultSocket = "/run/systemd/journal/socket";
    /// <summary>A journal that does not take it by then goes without.</summary>
    static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);
    const int MostCharacters = 2000;

    /// <param name="socket">The journal's.</param>
    /// <param name="sentence">Priority "warning"; control characters are made harmless.</param>
    public static void Write(string socket, string sentence)
    {
        if (!File.Exists(socket)) return;
        string text = Printable.Of(sentence.ReplaceLineEndings(" "));
        if (text.Length > MostCharacters) text = text[..MostCharacters];
        try
        {
            using var to = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { SendTimeout = (int)s_patience.TotalMilliseconds };
            to.SendTo(Encoding.UTF8.GetBytes($"PRIORITY=4\nSYSLOG_IDENTIFIER=nfr-update\nMESSAGE={text}\n"), new UnixDomainSocketEndPoint(socket));
        }
        catch (Exception fault) when (fault is SocketException or ArgumentException)
        {
            // Told at the terminal, too.
            Trace.WriteLine(fault.Message);
        }
    }
}
