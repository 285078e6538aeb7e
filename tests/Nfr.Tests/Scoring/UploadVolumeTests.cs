using Nfr.Events;
using Nfr.Scoring;
using Nfr.Wire;

namespace Nfr.Tests.Scoring;

public sealed class UploadVolumeTests : IDisposable
{
    const long Megabyte = 1_000_000, Minute = 60 * Simulated.Second, Hour = 60 * Minute;
    readonly Simulated _run = new(enabled: Detectors.UploadVolume);

    public void Dispose() => _run.Dispose();

    void Flow(ushort port, App app, long payloadOut, long payloadIn, Address? server = null, byte protocol = 6, Address? client = null) =>
        _run.Ip(server ?? Simulated.Outside, port, ConnectionState.SF, payloadOut, payloadIn, client, app, protocol: protocol);

    IEnumerable<(string Id, int Severity)> Raised => _run.Alerts.Select(a => (a.Threats[0].Id, a.Severity));

    [Fact]
    public void An_upload_is_held_against_the_clients_own_past()
    {
        Address backup = Simulated.Parse("198.51.100.10"), other = Simulated.Parse("198.51.100.11");
        // 300 MB a night to the same place for a week: its own habit.
        for (int day = 0; day < 7; day++)
        {
            Flow(443, App.Tls, 300 * Megabyte, Megabyte, backup);
            _run.Wait(24 * Hour + Minute);
        }
        Flow(443, App.Tls, 1200 * Megabyte, Megabyte, other);
        Assert.Empty(_run.Alerts);
        Flow(443, App.Tls, 600 * Megabyte, Megabyte, other);
        Assert.Equal([("upload_volume", 2)], Raised);
        Assert.Equal($"{Simulated.Client} {other}", _run.Alerts[0].Evidence!.Key);
    }

    [Fact]
    public void A_client_without_a_past_is_held_to_more_and_a_call_that_goes_both_ways_is_no_upload()
    {
        Flow(443, App.Tls, 900 * Megabyte, Megabyte);
        Flow(443, App.Quic, 2000 * Megabyte, 2100 * Megabyte, Simulated.Parse("198.51.100.12"), protocol: 17);
        Assert.Empty(_run.Alerts);
        Flow(443, App.Tls, 200 * Megabyte, Megabyte);
        Assert.Equal([("upload_volume", 2)], Raised);
    }

    [Fact]
    public void A_backup_to_another_address_each_night_is_the_clients_habit()
    {
        // Two of many addresses a night, of which none comes again.
        for (uint night = 0; night < 20; night++)
        {
            for (uint part = 0; part < 4; part++) Flow(443, App.Tls, 400 * Megabyte, Megabyte, Address.FromV4(0x2E00_0000 + (night * 256) + (part / 2)));
            _run.Wait(24 * Hour);
        }
        Assert.Empty(_run.Alerts);
        Flow(443, App.Tls, 9000 * Megabyte, Megabyte, Simulated.Parse("198.51.100.10"));
        Assert.Equal([("upload_volume", 2)], Raised);
        Assert.Equal(14, _run.Alerts[0].Evidence!.Facts.Single(f => f.Name == "usualDays").Number);
    }

    [Fact]
    public void What_was_spread_over_many_addresses_may_go_to_one()
    {
        for (uint night = 0; night < 8; night++)
        {
            for (uint part = 0; part < 40; part++) Flow(443, App.Tls, 100 * Megabyte, Megabyte, Address.FromV4(0x2E00_0000 + (night * 256) + part));
            _run.Wait(24 * Hour);
        }
        Flow(443, App.Tls, 3900 * Megabyte, Megabyte, Simulated.Parse("198.51.100.10"));
        Assert.Empty(_run.Alerts);
    }

    [Fact]
    public void What_was_uploaded_once_makes_no_habit_and_what_is_uploaded_weekly_does()
    {
        Address client = Simulated.Parse("10.1.2.4");
        for (uint day = 0; day < 21; day++)
        {
            Flow(443, App.Tls, (day == 9 ? 450 : 50) * Megabyte, Megabyte, Address.FromV4(0x2E00_0000 + day));
            Flow(443, App.Tls, (day % 7 == 0 ? 450 : 50) * Megabyte, Megabyte, Address.FromV4(0x2E00_0000 + day), client: client);
            _run.Wait(24 * Hour + Minute);
        }
        Flow(443, App.Tls, 1000 * Megabyte, Megabyte);
        Flow(443, App.Tls, 1000 * Megabyte, Megabyte, client: client);
        Alert alert = Assert.Single(_run.Alerts);
        Assert.Equal(Simulated.Client.ToString(), alert.Event.SrcIP);
    }

    [Fact]
    public void On_a_clients_first_day_much_sent_to_many_addresses_is_told_once()
    {
        for (uint part = 0; part < 20; part++) Flow(443, App.Tls, 1100 * Megabyte, Megabyte, Address.FromV4(0x2E00_0000 + part));
        Assert.Equal([("upload_volume", 2)], Raised);
    }

    [Fact]
    public void The_addresses_of_one_name_are_one_destination()
    {
        using var run = new Simulated(enabled: Detectors.UploadVolume | Detectors.Beaconing);
        for (uint part = 0; part < 12; part++)
        {
            Address server = Address.FromV4(0x2E00_0000 + part);
            run.Dns($"store{part}.backup-of-everything.com", answers: (1, server.ToString()));
            run.Ip(server, 443, ConnectionState.SF, 100 * Megabyte, Megabyte, app: App.Tls);
        }
        Alert alert = Assert.Single(run.Alerts);
        Assert.Equal($"{Simulated.Client} backup-of-everything.com", alert.Evidence!.Key);
    }
}
