using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Nfr.Config;
using Nfr.Health;
using Serilog;

namespace Nfr.Pipeline;

/// <summary>
/// GET /metrics and /healthz by as much of HTTP/1.1 (RFC 9112) as that needs: one request, one answer, then the connection is closed.
/// </summary>
static class MetricsServer
{
    /// <summary>A request's head; longer ones are refused.</summary>
    const int LongestHead = 8192;

    /// <summary>Listens; null, and a warning, when the address cannot be had: a sensor without metrics is better than none.</summary>
    public static ShortTalk? Open(IPEndPoint? listen, Func<StatusReport> report, ILogger log)
    {
        if (listen is null) return null;
        var listener = new Socket(listen.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(listen);
            listener.Listen(ShortTalk.MostConnections);
            return new ShortTalk(listener, (stream, cancel) => AnswerAsync(stream, report, cancel), log);
        }
        catch (SocketException fault)
        {
            listener.Dispose();
            log.Warning("metrics: nobody can be answered at {Listen} ({Fault}); set metrics.listen to another address or off", listen.ToString(), Reason.Of(fault));
            return null;
        }
    }

    static async Task AnswerAsync(NetworkStream stream, Func<StatusReport> report, CancellationToken cancel)
    {
        var head = new byte[LongestHead];
        int length = 0;
        while (length < head.Length && head.AsSpan(0, length).IndexOf("\r\n\r\n"u8) < 0)
        {
            int n = await stream.ReadAsync(head.AsMemory(length), cancel).ConfigureAwait(false);
            if (n == 0) return;
            length += n;
        }
        string request = Encoding.Latin1.GetString(head, 0, Math.Max(0, head.AsSpan(0, length).IndexOf("\r\n"u8)));
        (string status, string type, string body) = Answer(request, report);
        byte[] bytes = Encoding.UTF8.GetBytes(body);
        string reply = string.Create(CultureInfo.InvariantCulture,
            $"HTTP/1.1 {status}\r\nContent-Type: {type}\r\nContent-Length: {bytes.Length}\r\nConnection: close\r\n\r\n");
        await stream.WriteAsync(Encoding.ASCII.GetBytes(reply), cancel).ConfigureAwait(false);
        if (!request.StartsWith("HEAD ", StringComparison.Ordinal)) await stream.WriteAsync(bytes, cancel).ConfigureAwait(false);
        // The end is said before the socket goes, so that an unread rest of the request does not take the answer with it.
        stream.Socket.Shutdown(SocketShutdown.Send);
    }

    static (string Status, string Type, string Body) Answer(string request, Func<StatusReport> report)
    {
        const string text = "text/plain; charset=utf-8";
        string[] words = request.Split(' ');
        if (words.Length != 3 || !words[2].StartsWith("HTTP/1.", StringComparison.Ordinal)) return ("400 Bad Request", text, "This is an HTTP/1.1 server.\n");
        if (words[0] is not ("GET" or "HEAD")) return ("405 Method Not Allowed", text, "Only GET and HEAD.\n");
        switch (words[1].Split('?')[0])
        {
            case "/metrics":
                return ("200 OK", "text/plain; version=0.0.4; charset=utf-8", MetricsText.Write(report()));
            case "/healthz":
                StatusReport now = report();
                return now.IsWell ? ("200 OK", text, "ok\n") : ("503 Service Unavailable", text, string.Concat(now.Troubles.Where(t => t.Gravity != Gravity.Notice).Select(t => t + "\n")));
            default:
                return ("404 Not Found", text, "There are /metrics and /healthz.\n");
        }
    }
}
