using System.Net.Sockets;
using Nfr.Panel;
using Nfr.Tests.Capture;

namespace Nfr.Tests.Sensor;

/// <summary>Sensor and panel as they run on a box: two processes and a socket.</summary>
public sealed class PanelProcessTests
{
    const string Light = "class/leds/nfr:power";

    /// <summary>What the kernel's file says before anybody chose.</summary>
    const string Dark = "[none] timer heartbeat default-on\n";

    /// <summary>A panel with one light: a mount namespace of its own has another /sys/class.</summary>
    static NfrProcess Panel(SensorBench bench)
    {
        Directory.CreateDirectory(bench.In(Light));
        File.WriteAllText(bench.In(Light + "/trigger"), Dark);
        File.WriteAllText(bench.In(Light + "/brightness"), "0\n");
        return NfrProcess.Start(["panel", "-c", bench.ConfigPath], ["unshare", "-m", "sh", "-c", "mount --bind \"$0\" /sys/class && exec \"$@\"", bench.In("class")], bench.In(""));
    }

    static void Configure(SensorBench bench) => bench.Configure(more: $"panel:\n  socket: {bench.In("panel.sock")}\n  display: off");

    /// <summary>The newest state that the sensor tells; it tells one a second.</summary>
    static PanelState Ask(Socket socket)
    {
        var message = new byte[PanelMessage.Length + 1];
        int length = socket.Receive(message);
        Assert.Equal(PanelFault.None, PanelMessage.TryRead(message.AsSpan(0, length), out PanelState state));
        return state;
    }

    static PanelState Until(Socket socket, Func<PanelState, bool> condition)
    {
        PanelState state = PanelState.Nothing;
        for (int i = 0; i < 30; i++)
        {
            state = Ask(socket);
            if (condition(state)) return state;
        }
        Assert.Fail($"not within 30 messages; the last: {state}");
        return state;
    }

    static Socket Connect(SensorBench bench)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified) { ReceiveTimeout = 20_000 };
        socket.Connect(new UnixDomainSocketEndPoint(bench.In("panel.sock")));
        return socket;
    }

    [CableFact]
    public void A_sensor_tells_its_panel_of_its_port_and_of_an_alert_and_remembers_that_it_was_seen()
    {
        using var bench = new SensorBench();
        Configure(bench);
        File.WriteAllText(bench.In("feeds/listed.txt"), "# threat: c2_communication\nevil.example\n");
        long seen;
        using (Socket far = bench.Network.Sender("far"))
        {
            NfrProcess sensor = bench.Listen();
            using Socket socket = Connect(bench);
            PanelState state = Ask(socket);
            PanelPort port = Assert.Single(state.Ports);
            Assert.Equal(("near", PanelLink.Up, true), (port.Interface, port.Link, port.IsOpen));
            far.Send(Frames.Query("10.0.0.5", 40_000, "evil.example"));
            far.Send(Frames.Reply("10.0.0.5", 40_000, "evil.example"));
            state = Until(socket, s => s.Unacknowledged > 0);
            Assert.Equal("10.0.0.5", state.Alerts[0].Host);
            seen = state.Alerts[0].Sequence;
            var request = new byte[PanelRequest.Length];
            new PanelRequest(PanelRequestKind.Acknowledge, seen).Write(request);
            socket.Send(request);
            Until(socket, s => s.Unacknowledged == 0 && s.Alerts[0].IsAcknowledged);
            sensor.Signal(NfrProcess.Kill);
            sensor.End();
        }
        bench.Listen();
        using Socket again = Connect(bench);
        PanelState after = Until(again, s => s.Alerts.Count > 0);
        Assert.Equal((0L, seen, true), (after.Unacknowledged, after.Alerts[0].Sequence, after.Alerts[0].IsAcknowledged));
    }

    [CableFact]
    public void A_panel_outlives_its_sensor_and_is_small()
    {
        using var bench = new SensorBench();
        Configure(bench);
        using NfrProcess panel = Panel(bench);
        panel.Expect("there is no button");
        NfrProcess sensor = bench.Listen();
        panel.Expect("answers at");
        sensor.Signal(NfrProcess.Kill);
        panel.Expect("the sensor does not answer any more");
        bench.Listen();
        panel.Expect("answers at", times: 2);
        Assert.NotEqual(Dark, File.ReadAllText(bench.In(Light + "/trigger")));
        Assert.InRange(panel.Memory(), 10, 60);
        panel.Signal(NfrProcess.Terminate);
        Assert.Equal(0, panel.End().Code);
    }
}
