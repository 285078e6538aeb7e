using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Text;

namespace Nfr.Simulate;

/// <summary>
/// A program that takes orders from a Telegram bot: the API's name is looked up, then asked for by HTTPS who the bot is; when that is
/// answered, two more calls. The original is written in Go, whose TLS fingerprint .NET cannot show: the hello here is OpenSSL's.
/// </summary>
public static class TelegramBotModule
{
    public const string Host = "api.telegram.org";
    public static readonly TimeSpan HostTime = TimeSpan.FromSeconds(3);

    public static async Task<string> RunAsync(ModuleRun run, CancellationToken stop)
    {
        IPEndPoint server = run.Destinations.BotApi;
        string key = ModuleRun.Text(run.Random, "0123456789", 10) + ":" + ModuleRun.Hex(run.Random, 35);
        int requests = 0;
        await run.EachHostAsync([$"look up {Host} (A, AAAA), GET https://{Host}/bot<key>/getMe from {server}"], HostTime, async (_, token) =>
        {
            await run.Resolver().LookupHostAsync(Host, HostTime, token).ConfigureAwait(false);
            await run.ConnectAsync(server, async (stream, inner) =>
            {
                using SslStream tls = await TlsHello.SayAsync(stream, Host, inner).ConfigureAwait(false);
                foreach (string method in (string[])["getMe", "getMyCommands", "getUpdates"])
                {
                    requests++;
                    string request = $"GET /bot{key}/{method} HTTP/1.1\r\nHost: {Host}\r\nUser-Agent: Go-http-client/1.1\r\nAccept-Encoding: gzip\r\n\r\n";
                    await tls.WriteAsync(Encoding.ASCII.GetBytes(request), inner).ConfigureAwait(false);
                    if (await ReadStatusAsync(tls, inner).ConfigureAwait(false) != 200) break;
                }
            }, token).ConfigureAwait(false);
        }, stop).ConfigureAwait(false);
        return $"{requests} requests to {Host} at {server}";
    }

    /// <summary>Reads a response of a stated length; its status, 0 when there is none.</summary>
    static async Task<int> ReadStatusAsync(Stream stream, CancellationToken stop)
    {
        int status = 0, length = 0;
        while (await ModuleRun.ReadLineAsync(stream, stop).ConfigureAwait(false) is { Length: > 0 } line)
        {
            if (line.Split(' ') is ["HTTP/1.1", var code, ..]) _ = int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out status);
            if (line.StartsWith("Content-Length: ", StringComparison.OrdinalIgnoreCase)) _ = int.TryParse(line.AsSpan(16), NumberStyles.None, CultureInfo.InvariantCulture, out length);
        }
        byte[] body = new byte[Math.Clamp(length, 0, 1 << 20)];
        await stream.ReadExactlyAsync(body, stop).ConfigureAwait(false);
        return status;
    }
}
