using System.Diagnostics;
using System.Net.Sockets;
using Nfr.Config;
using Nfr.Panel;
using Nfr.Pipeline;
using Nfr.Storage;
using Nfr.Tests.Nfr;
using Nfr.Tests.Storage;
using Nfr.Uplink;
using Serilog.Core;

namespace Nfr.Tests.Panel;

/// <summary>Real sockets; the sensor's turns are the test's.</summary>
public sealed class PanelSocketTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-panel-").FullName;
    readonly ManualTime _time = new();
    readonly List<PanelRequest> _requests = [];
    readonly List<string> _said = [];
    PanelState _state = PanelBed.Well();
    int _made;

    string Socket => Path.Combine(_folder, "panel.sock");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    PanelSocket Open() => PanelSocket.Open(new PanelConfig { Socket = Socket }, Make, _requests.Add, Logger.None, _time)!;

    PanelState Make()
    {
        _made++;
        return _state;
    }

    PanelClient Client() => new(Socket, _said.Add, _time);

    /// <summary>A second, in which both have a turn.</summary>
    PanelState Second(PanelClient client)
    {
        client.Poll();
        _time.Advance(TimeSpan.FromSeconds(1));
        return client.Poll();
    }

    Socket Raw()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified) { Blocking = false };
        socket.Connect(new UnixDomainSocketEndPoint(Socket));
        return socket;
    }

    [Fact]
    public void A_panel_is_told_each_second()
    {
        using PanelSocket sensor = Open();
        using PanelClient client = Client();
        Assert.Equal((true, "nfr-cellar"), (Second(client).HasSensor, Second(client).Name));
        _state = _state with { Name = "other" };
        Assert.Equal("other", Second(client).Name);
    }

    [Fact]
    public void Nothing_is_made_while_no_panel_is_there()
    {
        using PanelSocket sensor = Open();
        _time.Advance(TimeSpan.FromSeconds(100));
        Assert.Equal(0, _made);
        using (PanelClient client = Client()) Second(client);
        Assert.Equal(1, _made);
        _time.Advance(TimeSpan.FromSeconds(100));
        Assert.Equal(1, _made);
    }

    [Fact]
    public void A_request_comes_through()
    {
        using PanelSocket sensor = Open();
        using PanelClient client = Client();
        Assert.False(client.Send(new PanelRequest(PanelRequestKind.Acknowledge, 3)));
        Second(client);
        Assert.True(client.Send(new PanelRequest(PanelRequestKind.Acknowledge, 4)));
        Second(client);
        Assert.Equal([new PanelRequest(PanelRequestKind.Acknowledge, 4)], _requests);
    }

    [Fact]
    public void A_panel_finds_a_sensor_that_comes_later_and_one_that_comes_back()
    {
        using PanelClient client = Client();
        for (int i = 0; i < 10; i++) Assert.False(Second(client).HasSensor);
        using (PanelSocket sensor = Open())
        {
            Second(client);
            Assert.True(Second(client).HasSensor);
        }
        for (int i = 0; i < 4; i++) Second(client);
        Assert.False(Second(client).HasSensor);
        Assert.Equal("nfr-cellar", Second(client).Name);
        using PanelSocket again = Open();
        Second(client);
        Assert.True(Second(client).HasSensor);
        Assert.Equal([$"the sensor nfr-cellar answers at {Socket}", "the sensor does not answer any more", $"the sensor nfr-cellar answers at {Socket}"], _said);
    }

    [Fact]
    public void A_sensor_that_hangs_is_taken_for_gone()
    {
        using PanelSocket sensor = Open();
        using PanelClient client = Client();
        Second(client);
        Assert.True(Second(client).HasSensor);
        // Its socket is there and listens; it only says nothing.
        _state = null!;
        for (int i = 0; i < 5; i++) Second(client);
        Assert.False(client.Poll().HasSensor);
    }

    [Fact]
    public void A_mistake_in_making_the_state_stops_nothing()
    {
        using PanelSocket sensor = Open();
        using PanelClient client = Client();
        _state = null!;
        Second(client);
        Second(client);
        _state = PanelBed.Well();
        Assert.True(Second(client).HasSensor);
    }

    [Fact]
    public void A_fifth_panel_is_closed_at_once()
    {
        using PanelSocket sensor = Open();
        List<PanelClient> clients = [.. Enumerable.Range(0, PanelSocket.MostPanels).Select(_ => Client())];
        foreach (PanelClient client in clients) client.Poll();
        _time.Advance(TimeSpan.FromSeconds(1));
        using Socket fifth = Raw();
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((0, SocketError.Success), (fifth.Receive(new byte[9], SocketFlags.None, out SocketError error), error));
        Assert.Equal(1, sensor.Refused);
        Assert.All(clients, c => Assert.True(c.Poll().HasSensor));
        clients[0].Dispose();
        _time.Advance(TimeSpan.FromSeconds(1));
        using PanelClient next = Client();
        Assert.True(Second(next).HasSensor);
        foreach (PanelClient client in clients) client.Dispose();
    }

    [Fact]
    public void A_panel_that_does_not_read_is_let_go_and_holds_nobody_up()
    {
        using PanelSocket sensor = Open();
        using Socket deaf = Raw();
        using PanelClient client = Client();
        client.Poll();
        var clock = Stopwatch.StartNew();
        for (int i = 0; i < 200; i++) Second(client);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20));
        Assert.True(client.Poll().HasSensor);
        // What it had room for, then the end.
        int messages = 0;
        while (deaf.Receive(new byte[PanelMessage.Length], SocketFlags.None, out SocketError error) > 0 && error == SocketError.Success) messages++;
        Assert.InRange(messages, 1, 150);
        Assert.Equal(0, deaf.Receive(new byte[9], SocketFlags.None, out SocketError end));
        Assert.Equal(SocketError.Success, end);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(PanelRequest.Length)]
    [InlineData(4000)]
    public void Who_does_not_speak_as_a_panel_does_is_closed(int length)
    {
        using PanelSocket sensor = Open();
        using Socket stranger = Raw();
        stranger.Send(new byte[length]);
        using PanelClient client = Client();
        Second(client);
        Assert.Equal((0, SocketError.Success), (stranger.Receive(new byte[9], SocketFlags.None, out SocketError error), error));
        Assert.Empty(_requests);
        Assert.True(client.Poll().HasSensor);
    }

    [Fact]
    public void A_socket_that_a_killed_sensor_left_is_taken_over_and_a_living_ones_is_not()
    {
        using (var left = new Socket(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified)) left.Bind(new UnixDomainSocketEndPoint(Socket));
        if (!File.Exists(Socket)) File.WriteAllText(Socket, "");
        using PanelSocket sensor = Open();
        Assert.Null(PanelSocket.Open(new PanelConfig { Socket = Socket }, Make, _requests.Add, Logger.None, _time));
        using PanelClient client = Client();
        Assert.True(Second(client).HasSensor);
    }

    [Fact]
    public void No_socket_is_made_where_there_is_no_folder_for_it_or_none_is_wanted()
    {
        Assert.Null(PanelSocket.Open(new PanelConfig { Socket = Path.Combine(_folder, "none", "panel.sock") }, Make, _requests.Add, Logger.None, _time));
        Assert.Null(PanelSocket.Open(new PanelConfig { Socket = Socket, Enabled = false }, Make, _requests.Add, Logger.None, _time));
        Assert.Null(PanelSocket.Open(new PanelConfig { Socket = Path.Combine(_folder, new string('x', 120)) }, Make, _requests.Add, Logger.None, _time));
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void Its_name_goes_when_the_sensor_stops()
    {
        Open().Dispose();
        Assert.False(Path.Exists(Socket));
    }

    [Fact]
    public void A_panel_of_another_version_says_which_is_to_be_restarted()
    {
        using var sensor = new Socket(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
        sensor.Bind(new UnixDomainSocketEndPoint(Socket));
        sensor.Listen(1);
        using PanelClient client = Client();
        client.Poll();
        using Socket peer = sensor.Accept();
        var message = new byte[PanelMessage.Length];
        PanelMessage.Write(PanelBed.Well(), message);
        message[4]++;
        for (int i = 0; i < 3; i++)
        {
            peer.Send(message);
            Assert.False(client.Poll().HasSensor);
        }
        Assert.Equal(["sensor and panel are of different versions: restart the older one"], _said);
    }

    [Fact]
    public void Who_asks_over_the_network_which_box_it_is_is_told_whether_a_panel_shows_it()
    {
        using var bed = new SpoolTestBed();
        using Spool spool = bed.Open();
        using PanelFeed feed = PanelFeed.Open(new PanelConfig { Socket = Socket }, spool, SensorParts.EpochsOf(spool, _time), StatusBed.Well, Logger.None, _time)!;
        using var capture = new CaptureNow(_folder, [], null, _time);
        var actions = new FleetActions(_folder, feed.Identify, () => null, capture);
        FleetAnswer Ask(string seconds) => actions.Act(new FleetCommand { Command = "identify", To = "home/box", Sequence = 1, Time = _time.Utc, Arguments = new Dictionary<string, string> { ["seconds"] = seconds } }, _ => { })!;
        Assert.Equal((false, "this sensor has no panel that listens: there is nothing to blink"), (Ask("60").Ok, Ask("60").Why));
        using PanelClient client = Client();
        Second(client);
        // What nobody could show is not shown later either.
        Assert.Equal((true, TimeSpan.Zero), (Second(client).HasSensor, Second(client).IdentifyFor));
        Assert.Equal((true, "the panel was told to blink for 60 s"), (Ask("60").Ok, Ask("60").Why));
        Assert.InRange(Second(client).IdentifyFor.TotalSeconds, 55, 60);
        Assert.Equal("the panel was told to blink no longer", Ask("0").Why);
        Assert.Equal(TimeSpan.Zero, Second(client).IdentifyFor);
    }
}
