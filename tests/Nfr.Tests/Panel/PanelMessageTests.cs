using System.Text;
using Nfr.Panel;

namespace Nfr.Tests.Panel;

public class PanelMessageTests
{
    static byte[] Bytes(PanelState state)
    {
        var bytes = new byte[PanelMessage.Length];
        // Whatever lay there before is overwritten.
        bytes.AsSpan().Fill(0xEE);
        PanelMessage.Write(state, bytes);
        return bytes;
    }

    static PanelState Read(byte[] bytes)
    {
        Assert.Equal(PanelFault.None, PanelMessage.TryRead(bytes, out PanelState state));
        return state;
    }

    [Fact]
    public void What_was_written_is_read()
    {
        PanelState sent = PanelBed.Well().With(PanelBed.Alert(9, 5), PanelBed.Alert(8, 2, acknowledged: true)) with
        {
            Fleet = new PanelFleet(PanelFleetPhase.Refused, "broker:8883", "certificate"), Health = PanelHealth.Degraded, TroubleCount = 12,
            Troubles = [new(global::Nfr.Health.Gravity.Fault, "uplink", "engine.example does not answer", "wait")],
            Update = new PanelUpdate(PanelUpdatePhase.Writing, 42, "2.2.0", ""), IdentifyFor = TimeSpan.FromSeconds(17.5), Address = "home/nfr-cellar", SshKey = "SHA256:2nEaM5rQCdHHkdyQSiNqXLhWX/7f7ZJxzLqmMPa0bOk", CommandKeys = ["6f1d0c92a3b47e58"], SetupFaults = ["line 3: no key \"nmae\""],
        };
        PanelState read = Read(Bytes(sent));
        Assert.Equal(sent.Ports, read.Ports);
        Assert.Equal(sent.Alerts, read.Alerts);
        Assert.Equal(sent.Uplinks, read.Uplinks);
        Assert.Equal(sent.Troubles, read.Troubles);
        Assert.Equal(sent.Addresses, read.Addresses);
        Assert.Equal(sent.SetupFaults, read.SetupFaults);
        Assert.Equal(sent.CommandKeys, read.CommandKeys);
        // All else is compared by the record itself.
        Assert.Equal(sent, read with { Ports = sent.Ports, Alerts = sent.Alerts, Uplinks = sent.Uplinks, Troubles = sent.Troubles, Addresses = sent.Addresses, SetupFaults = sent.SetupFaults, CommandKeys = sent.CommandKeys });
    }

    [Fact]
    public void Nothing_goes_as_nothing() => Assert.Equal(Bytes(PanelState.Nothing), Bytes(Read(Bytes(PanelState.Nothing))));

    [Fact]
    public void The_fullest_state_fits_and_comes_back_cut_to_its_places()
    {
        PanelState read = Read(Bytes(PanelBed.Full()));
        Assert.Equal((PanelState.MostAddresses, PanelState.MostPorts, PanelState.MostUplinks), (read.Addresses.Count, read.Ports.Count, read.Uplinks.Count));
        Assert.Equal((PanelState.MostAlerts, PanelState.MostTroubles, PanelState.MostSetupFaults), (read.Alerts.Count, read.Troubles.Count, read.SetupFaults.Count));
        Assert.Equal((9, -40.5, long.MaxValue), (read.TroubleCount, read.Box.Celsius, read.Unacknowledged));
        // It is stable: what was cut once fits.
        Assert.Equal(Bytes(read), Bytes(Read(Bytes(read))));
    }

    [Fact]
    public void A_text_that_is_too_long_is_cut_between_two_characters_and_says_so()
    {
        for (int lead = 0; lead < 8; lead++)
        {
            string name = Read(Bytes(new PanelState { Name = new string('a', lead) + string.Concat(Enumerable.Repeat("😀", 30)) })).Name;
            Assert.EndsWith("😀…", name);
            Assert.DoesNotContain('\uFFFD', name);
            Assert.InRange(Encoding.UTF8.GetByteCount(name), 45, 48);
        }
    }

    [Fact]
    public void A_text_that_just_fits_is_whole() => Assert.Equal(new string('ä', 24), Read(Bytes(new PanelState { Name = new string('ä', 24) })).Name);

    [Fact]
    public void Half_a_surrogate_pair_in_a_name_is_a_replacement_and_no_fault() => Assert.Equal("a\uFFFDb", Read(Bytes(new PanelState { Name = "a\ud83db" })).Name);

    [Fact]
    public void Numbers_that_are_none_go_as_zero()
    {
        PanelState read = Read(Bytes(new PanelState { PacketsPerSecond = double.NaN, BitsPerSecond = -3, Dropped = -1, Box = new PanelBox { Celsius = double.PositiveInfinity } }));
        Assert.Equal((0d, 0d, 0L, (double?)null), (read.PacketsPerSecond, read.BitsPerSecond, read.Dropped, read.Box.Celsius));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(PanelMessage.Length - 1)]
    [InlineData(PanelMessage.Length + 1)]
    public void Another_length_is_refused(int length) => Assert.Equal(PanelFault.WrongLength, PanelMessage.TryRead(new byte[length], out _));

    [Fact]
    public void What_does_not_begin_as_ours_is_refused()
    {
        byte[] bytes = Bytes(PanelBed.Well());
        bytes[0] ^= 1;
        Assert.Equal(PanelFault.NotOurs, PanelMessage.TryRead(bytes, out PanelState state));
        Assert.Same(PanelState.Nothing, state);
    }

    [Fact]
    public void Another_version_is_told_from_rubbish()
    {
        byte[] bytes = Bytes(PanelBed.Well());
        bytes[4]++;
        Assert.Equal(PanelFault.OtherVersion, PanelMessage.TryRead(bytes, out _));
    }

    [Fact]
    public void Each_byte_may_be_anything_and_every_kind_of_fault_is_met()
    {
        byte[] good = Bytes(PanelBed.Full());
        HashSet<PanelFault> met = [];
        for (int at = 0; at < good.Length; at++)
        {
            foreach (byte value in new byte[] { 0x00, 0x7F, 0x80, 0xFF })
            {
                byte[] bad = [.. good];
                bad[at] = value;
                PanelFault fault = PanelMessage.TryRead(bad, out PanelState state);
                met.Add(fault);
                // A value that was taken can be sent again.
                if (fault == PanelFault.None) Bytes(state);
                else Assert.Same(PanelState.Nothing, state);
            }
        }
        Assert.Superset(new HashSet<PanelFault> { PanelFault.None, PanelFault.NotOurs, PanelFault.OtherVersion, PanelFault.TooMany, PanelFault.BadText, PanelFault.BadNumber }, met);
    }

    [Fact]
    public void Bytes_of_chance_are_a_value_or_a_fault()
    {
        var random = new Random(7);
        byte[] head = Bytes(PanelState.Nothing)[..8];
        var bytes = new byte[PanelMessage.Length];
        for (int i = 0; i < 2000; i++)
        {
            random.NextBytes(bytes);
            head.CopyTo(bytes, 0);
            PanelMessage.TryRead(bytes, out PanelState state);
            Assert.NotNull(state.Name);
        }
    }

    [Fact]
    public void A_request_is_read_as_it_was_written_and_in_no_other_form()
    {
        var bytes = new byte[PanelRequest.Length];
        new PanelRequest(PanelRequestKind.Acknowledge, 77).Write(bytes);
        Assert.Equal(PanelFault.None, PanelRequest.TryRead(bytes, out PanelRequest request));
        Assert.Equal(new PanelRequest(PanelRequestKind.Acknowledge, 77), request);
        for (int length = 0; length < bytes.Length; length++) Assert.Equal(PanelFault.WrongLength, PanelRequest.TryRead(bytes.AsSpan(0, length), out _));
        Assert.Equal(PanelFault.NotOurs, PanelRequest.TryRead([.. bytes.Select((b, i) => i == 3 ? (byte)'P' : b)], out _));
        Assert.Equal(PanelFault.OtherVersion, PanelRequest.TryRead([.. bytes.Select((b, i) => i == 4 ? (byte)9 : b)], out _));
        Assert.Equal(PanelFault.BadNumber, PanelRequest.TryRead([.. bytes.Select((b, i) => i == 6 ? (byte)2 : b)], out _));
        Assert.Equal(PanelFault.BadNumber, PanelRequest.TryRead([.. bytes.Select((b, i) => i == 15 ? (byte)0x80 : b)], out _));
    }
}
