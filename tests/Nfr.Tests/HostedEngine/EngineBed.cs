using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Nfr.Engine;
using Nfr.Events;
using Nfr.Native;
using Nfr.Uplink;
using Serilog.Core;

namespace Nfr.Tests.HostedEngine;

/// <summary>An engine of ours on loopback, in this process, with a folder for its data and its lists.</summary>
sealed class EngineBed : IAsyncDisposable
{
    /// <summary>Stamps of <see cref="Dns"/>: today, as a sensor's are.</summary>
    public static readonly string Now = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'");

    readonly string _folder = Directory.CreateTempSubdirectory("nfr-hosted-").FullName;
    EngineHost? _host;

    public EngineBed() => Directory.CreateDirectory(Feeds);

    public string Data => Path.Combine(_folder, "data");
    public string Feeds => Path.Combine(_folder, "feeds");
    public string Address => Elsewhere ?? _host!.Address;
    /// <summary>Another address of the same engine.</summary>
    public string? Elsewhere { get; set; }
    public HttpClient Http { get; } = new(new SocketsHttpHandler { UseCookies = false }) { Timeout = TimeSpan.FromSeconds(60) };

    public string In(string name) => Path.Combine(_folder, name);

    /// <summary>A list of listed.example, so that one event raises one alert.</summary>
    public void WriteList(string text = "# threat: c2_communication\n# flags: c2\nlisted.example\n") => File.WriteAllText(Path.Combine(Feeds, "list.txt"), text);

    public async Task StartAsync(Func<HostedEngineOptions, HostedEngineOptions>? with = null)
    {
        var options = new HostedEngineOptions { Listen = new IPEndPoint(IPAddress.Loopback, 0), Data = Data, FeedsFolders = [Feeds], Scorers = 2 };
        _host = await EngineHost.StartAsync(with?.Invoke(options) ?? options, Logger.None);
    }

    public async Task RestartAsync(Func<HostedEngineOptions, HostedEngineOptions>? with = null)
    {
        await _host!.DisposeAsync();
        await StartAsync(with);
    }

    /// <summary>As "nfr engine key add" does.</summary>
    public string AddKey(string name = "sensor", string site = "", params string[] homes)
    {
        string key = ApiKeys.New();
        using EngineDatabase db = EngineDatabase.Open(Data);
        db.AddKey(new KeyRow(0, ApiKeys.Hash(key), ApiKeys.Shadow(key), name, site, [.. homes.Select(h => IpPrefix.Parse(h))], 1, 0, true, ""));
        return key;
    }

    /// <summary>Does something to the engine's database behind its back.</summary>
    public void Sql(string statement)
    {
        Assert.False(SqliteConnection.Open(Path.Combine(Data, "engine.db"), null, out SqliteConnection? db).IsError);
        using (db)
        {
            db!.SetBusyTimeout(10_000);
            db.Execute(statement);
            Assert.False(db.Failed, db.Error.Message);
        }
    }

    public static string Dns(string query, string source = "10.0.0.9", string? more = null) => $$"""{"ts":"{{Now}}","srcIP":"{{source}}","query":"{{query}}","qtype":"A"{{more}}}""";

    public async Task<(HttpStatusCode Status, string Body)> SendAsync(HttpMethod method, string path, string? key, HttpContent? content = null, string? encoding = null)
    {
        using var request = new HttpRequestMessage(method, Address + path) { Content = content };
        if (key is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(key + ":")));
        if (encoding is not null) content!.Headers.ContentEncoding.Add(encoding);
        // A refusal comes before the body is sent, instead of a broken pipe.
        if (content?.Headers.ContentLength > 1 << 16) request.Headers.ExpectContinue = true;
        using HttpResponseMessage response = await Http.SendAsync(request);
        LastRetryAfter = response.Headers.RetryAfter?.Delta;
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    public TimeSpan? LastRetryAfter { get; private set; }

    public Task<(HttpStatusCode Status, string Body)> PostAsync(string type, string? key, string lines) => SendAsync(HttpMethod.Post, "/v1/events/" + type, key, new StringContent(lines));

    public async Task<EngineAlertPage> AlertsAsync(string key, string follow = "")
    {
        (HttpStatusCode status, string body) = await SendAsync(HttpMethod.Get, "/v1/alerts" + (follow.Length > 0 ? "?follow=" + follow : ""), key);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.True(EngineAlertsReader.TryRead(Encoding.UTF8.GetBytes(body), out EngineAlertPage? page, out string? error), error);
        return page!;
    }

    /// <summary>All pages of a key.</summary>
    public async Task<List<Alert>> AllAlertsAsync(string key)
    {
        List<Alert> alerts = [];
        for (string follow = ""; ;)
        {
            EngineAlertPage page = await AlertsAsync(key, follow);
            alerts.AddRange(page.Alerts);
            if (!page.More) return alerts;
            follow = page.Follow;
        }
    }

    public static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await condition())
        {
            if (limit.IsCancellationRequested) Assert.Fail("not in time: " + what);
            await Task.Delay(50);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (_host is not null) await _host.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
