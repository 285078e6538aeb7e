using System.Text;
using Nfr.Simulate;

namespace Nfr.Demo;

/// <summary>RFC 1459 and IRCv3's registration, as far as the welcome: CAP holds it up until CAP END.</summary>
static class IrcServer
{
    public static async Task ServeAsync(Stream stream, CancellationToken stop)
    {
        string nick = "*";
        bool user = false, negotiating = false, welcomed = false;
        while (await ModuleRun.ReadLineAsync(stream, stop).ConfigureAwait(false) is { } line)
        {
            string[] words = line.Split(' ');
            switch (words)
            {
                case ["CAP", "LS", ..]:
                    negotiating = true;
                    await SayAsync($"CAP {nick} LS :multi-prefix sasl").ConfigureAwait(false);
                    break;
                case ["CAP", "END", ..]:
                    negotiating = false;
                    break;
                case ["NICK", var name, ..]:
                    nick = name;
                    break;
                case ["USER", ..]:
                    user = true;
                    break;
                case ["QUIT", ..]:
                    return;
            }
            if (welcomed || negotiating || !user || nick == "*") continue;
            welcomed = true;
            await SayAsync($"001 {nick} :Welcome to the demo's network {nick}").ConfigureAwait(false);
        }

        async Task SayAsync(string text) => await stream.WriteAsync(Encoding.ASCII.GetBytes($":irc.demo.example {text}\r\n"), stop).ConfigureAwait(false);
    }
}
