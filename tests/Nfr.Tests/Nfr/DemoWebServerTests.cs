using System.Net;
using System.Net.Sockets;
using System.Text;
using Nfr.Demo;

namespace Nfr.Tests;

/// <summary>The demo's web sites, over a real socket.</summary>
public class DemoWebServerTests
{
    static async Task<string> ExchangeAsync(string requests)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task serving = Task.Run(async () =>
        {
            using TcpClient accepted = await listener.AcceptTcpClientAsync();
            await WebServer.ServeAsync(accepted.GetStream(), CancellationToken.None);
        });
        using var client = new TcpClient();
        await client.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
        NetworkStream stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(requests));
        using var reader = new StreamReader(stream, Encoding.ASCII);
        string reply = await reader.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(5));
        await serving.WaitAsync(TimeSpan.FromSeconds(5));
        return reply;
    }

    [Fact]
    public async Task A_page_has_the_length_it_says()
    {
        string reply = await ExchangeAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", reply, StringComparison.Ordinal);
        Assert.Contains("Content-Length: 3100\r\n", reply, StringComparison.Ordinal);
        Assert.Equal(3100, reply.Length - reply.IndexOf("\r\n\r\n", StringComparison.Ordinal) - 4);
    }

    [Theory]
    [InlineData("GET /private HTTP/1.1\r\nConnection: close\r\n\r\n", "401 Unauthorized")]
    [InlineData("GET /private HTTP/1.1\r\nAuthorization: Basic b2Y=\r\nConnection: close\r\n\r\n", "200 OK")]
    [InlineData("POST /order HTTP/1.1\r\nContent-Length: 4\r\nConnection: close\r\n\r\na=b1", "302 Found")]
    [InlineData("GET /nothing HTTP/1.1\r\nConnection: close\r\n\r\n", "404 Not Found")]
    public async Task A_path_has_its_status(string request, string status) =>
        Assert.StartsWith("HTTP/1.1 " + status, await ExchangeAsync(request), StringComparison.Ordinal);

    [Fact]
    public async Task A_stream_ends_with_the_empty_chunk() =>
        Assert.EndsWith("\r\n0\r\n\r\n", await ExchangeAsync("GET /stream HTTP/1.1\r\nConnection: close\r\n\r\n"), StringComparison.Ordinal);
}
