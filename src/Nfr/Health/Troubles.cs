using System.Globalization;
using Nfr.Events;
using Nfr.Pipeline;
using Nfr.Storage;
using Nfr.Uplink;

namespace Nfr.Health;

/// <summary>
/// The one place that says whether the sensor is well: /healthz, the first lines and the exit code of "nfr status" and the metrics all ask here. It looks at what
/// is now and at the last interval, never at what once was, so that a trouble goes when it is over.
/// </summary>
static class Troubles
{
    /// <summary>Less of the file system is worth a word: the spool's own limit is far above it, so something else fills the disk.</summary>
    const double LittleFree = 0.05;

    /// <summary>Years; a card that lasts less will fail while nobody thinks of it.</summary>
    const double ShortLife = 2;

    /// <summary>A Raspberry Pi slows itself down from here on; most boxes later.</summary>
    const double Hot = 80;

    /// <summary>A clock that was set is news for so long.</summary>
    static readonly TimeSpan s_recently = TimeSpan.FromMinutes(10);

    /// <summary>Gravest first; within one gravity in the order of the way.</summary>
    public static IReadOnlyList<Trouble> Of(StatusReport report)
    {
        List<Trouble> all = [];
        Capture(all, report);
        // An input's own word goes before what is seen from outside.
        foreach (SourceReport source in report.Inputs) all.AddRange(source.Conditions);
        Ledger(all, report);
        if (report.Run.Spool is { } spool) Spool(all, report, spool);
        Away(all, report);
        Fleet(all, report);
        if (report.Box is { } box) all.AddRange(OfBox(box, report.Now));
        foreach (ListReport list in report.Lists.Where(l => l.Problem is not null && l.Failed > 0)) all.Add(new(Gravity.Notice, "lists", $"{list.Name} is not as new as it should be: {list.Problem}", "the last good copy serves on; check the address in scoring.feeds"));
        return [.. all.OrderByDescending(t => t.Gravity)];
    }

    /// <summary>Of clock, disk, board, and what the appliance says of itself, in that order.</summary>
    public static IReadOnlyList<Trouble> OfBox(BoxFacts box, DateTimeOffset now)
    {
        List<Trouble> all = [];
        Clock(all, box, now);
        Box(all, box);
        return all;
    }

    /// <summary>No login, or one that nobody there has: what is to be done is done at the box, its card and nfr.txt.</summary>
    static bool IsAppliance(StatusReport report) => report.Box is { IsAppliance: true };

    const string DyingCard = "take the power away for ten seconds: the start checks the card and mends what it can; if this comes again, flash a new card";
    const string FullCard = "what the sensor writes stays within its bounds and goes by itself; if this stays, flash a larger card, or empty this one by a factory reset (hold the button for 15 s, then press once)";

    static void Capture(List<Trouble> all, StatusReport report)
    {
        foreach (PortReport port in report.Ports)
        {
            // Nothing else can be said of a port that is not there.
            if (port.IsOpen) all.AddRange(port.Conditions);
            else all.Add(new(Gravity.Fault, "capture", $"interface {port.Interface} is gone or down", (IsAppliance(report) ? "plug it in; if it is, look which port nfr.txt names (capture = …)" : $"plug it in, or ip link set {port.Interface} up") + "; the capture goes on by itself"));
        }
    }

    static void Ledger(List<Trouble> all, StatusReport report)
    {
        if (report.Interval is { } interval)
        {
            foreach (LedgerLoss loss in interval.Losses.Where(l => l.Count > 0))
            {
                // The observer tells it sooner; and where nobody takes events the ring is full for good, and its oldest go by design.
                if (loss.Place == LossPlace.Kernel || (loss.Place is LossPlace.Evicted or LossPlace.Aged && report.Consumers.Count == 0)) continue;
                bool slight = loss.Place == LossPlace.Card && loss.Count * 1000 < interval.Moved.Frames;
                all.Add(new(slight || loss.Place == LossPlace.Quarantine ? Gravity.Notice : Gravity.Loss, "ledger", string.Create(CultureInfo.InvariantCulture, $"lost in the last {interval.Seconds:0} s: {loss.Count:N0} {loss.What}"), RemedyOf(loss.Place, IsAppliance(report))));
            }
        }
        foreach (string gap in report.Run.Gaps)
            all.Add(new(Gravity.Fault, "ledger", "the ledger does NOT add up: " + gap, "this is a mistake in nfr itself: report it with the log and the output of nfr status --json"));
    }

    static string RemedyOf(LossPlace place, bool isAppliance) => place switch
    {
        LossPlace.Card when isAppliance => "the network port or its driver cannot keep up: mirror fewer ports, or take a better one (USB 3, PCIe)",
        LossPlace.Card => "the card or its driver cannot keep up: raise its ring (ethtool -G), or mirror fewer ports",
        LossPlace.Log => "rotate logs by renaming them (rename and create), not by copying and truncating; a syslog sender is safer over TCP",
        LossPlace.Pipeline => "the processor cannot keep up: narrow scope.yml or mirror fewer ports",
        LossPlace.BeforeSpool => "the disk could not take them: see the spool",
        LossPlace.Evicted => "bring the engine back, or raise spool.max_size",
        LossPlace.Aged => "bring the engine back, or raise spool.max_age",
        LossPlace.Quarantine => "see the log for the reasons, and the spool's quarantine folder",
        _ => "the log has the mistake: report it",
    };

    static void Spool(List<Trouble> all, StatusReport report, SpoolCounters spool)
    {
        string disk = report.Box?.Disk is { } facts ? facts.MountPoint : report.SpoolFolder;
        if (spool.Failing)
        {
            all.Add(new(Gravity.Loss, "spool", $"the spool cannot be written: {spool.LastFault?.Message}", "events wait in memory, few of them, then the least valuable go; " + (spool.LastFault?.Kind switch
            {
                SpoolFaultKind.DiskFull when IsAppliance(report) => FullCard,
                SpoolFaultKind.DiskFull => $"free space on {disk}",
                not null when IsAppliance(report) => DyingCard,
                SpoolFaultKind.ReadOnly => $"make {report.SpoolFolder} writable for the sensor's user",
                _ => $"look at the disk of {report.SpoolFolder} (dmesg)",
            })));
        }
        else if (spool.DiskFull) all.Add(new(Gravity.Fault, "spool", $"the disk is full; the spool works within the {Sizes.Of(spool.BytesOnDisk)} that it has", IsAppliance(report) ? FullCard : $"free space on {disk}, or lower spool.max_size"));
        if (spool.Outlook is { CardYears: < ShortLife } outlook)
            all.Add(new(Gravity.Notice, "spool", string.Create(CultureInfo.InvariantCulture, $"the spool writes {Sizes.Of(outlook.BytesPerDay)} a day: a card of this size lasts {outlook.CardYears:0.0} years"), IsAppliance(report) ? "take a larger card of \"endurance\" grade or a board with eMMC (CM4), or mirror fewer ports" : "put the spool on a larger card or an SSD (spool.dir, spool.card_size), or narrow scope.yml"));
        if (spool.QuarantinedFiles > 0)
            all.Add(new(Gravity.Notice, "spool", string.Create(CultureInfo.InvariantCulture, $"{spool.QuarantinedFiles} item(s) lie in quarantine"), $"look into {report.SpoolFolder}/quarantine, and remove what is of no use"));
    }

    static void Away(List<Trouble> all, StatusReport report)
    {
        foreach (UplinkReport uplink in report.Uplinks)
        {
            if (uplink.State.Trouble is { } trouble) all.Add(new(Gravity.Fault, "uplink", trouble, "events wait in the spool and follow when it is back" + RoomOf(report)));
            // Where both go wrong, it is for one reason.
            else if (uplink.Alerts?.Trouble is { } fetching) all.Add(new(Gravity.Fault, "uplink", $"alerts are not fetched: {fetching}", "the engine keeps them, and they follow when it gives them out; the box's own alerts are not touched"));
        }
        foreach (AlertOutputState output in report.Outputs)
        {
            if (output.Trouble is { } trouble) all.Add(new(Gravity.Fault, "output", $"{output.Name}: {trouble}", "its alerts wait in the spool and follow when it is back"));
            if (output.Remark is { } remark) all.Add(new(Gravity.Notice, "output", $"{output.Name}: {remark}", "see the log, and what the other side says of it"));
            if (output.LastRefusalAt is not { } at || (report.Now - at).Duration() >= s_recently) continue;
            bool none = output.LastSuccess is not { } success || success < at;
            all.Add(new(none ? Gravity.Loss : Gravity.Notice, "output", $"{output.Name}: {output.Target} refuses {(none ? "all alerts" : "some alerts")} for good: {output.LastRefusal ?? "no reason given"}", "they are passed by and counted; mend what the reason says"));
        }
    }

    static void Fleet(List<Trouble> all, StatusReport report)
    {
        if (report.Fleet is not { } fleet) return;
        if (fleet.Trouble is { } trouble) all.Add(new(Gravity.Fault, "fleet", trouble, fleet.Advice));
        if (fleet.Remark is { } remark) all.Add(new(Gravity.Notice, "fleet", remark, ""));
    }

    /// <summary>For how long the outage may last before events go unsent.</summary>
    static string RoomOf(StatusReport report)
    {
        if (report.Run.Spool is not { Outlook.RingDays: { } days } spool || report.SpoolMost <= 0) return "";
        double left = days * Math.Max(0, 1 - ((double)spool.BytesOnDisk / report.SpoolMost));
        return left < 1.0 / 24 ? "; there is room for less than an hour" : $"; at today's rate there is room for {Ages.Of(TimeSpan.FromDays(Math.Min(left, 36_500)))}";
    }

    static void Clock(List<Trouble> all, BoxFacts box, DateTimeOffset now)
    {
        ClockFacts clock = box.Clock;
        string byHand = box.IsAppliance ? "let the box reach a time server: the one that DHCP names, or ntp = … in nfr.txt (UDP port 123)" : "let chrony or systemd-timesyncd reach a time server, or set it by hand (date -s)";
        if (ClockFloor.IsUnset(now))
            all.Add(new(Gravity.Fault, "clock", string.Create(CultureInfo.InvariantCulture, $"the clock was never set: it says {now.UtcDateTime:yyyy-MM-dd}"), byHand));
        else if (clock.IsUnset(now))
            all.Add(new(Gravity.Fault, "clock", string.Create(CultureInfo.InvariantCulture, $"nobody has set the clock since the box came up: {now.UtcDateTime:yyyy-MM-dd HH:mm} UTC is when it last ran, or was built, going on"), byHand));
        else if (clock.Kernel is { IsSynchronised: false })
            all.Add(new(Gravity.Notice, "clock", "nobody keeps the clock: it is not synchronised", box.IsAppliance ? byHand : "timedatectl set-ntp true, or install chrony; in a container or virtual machine look at the host"));
        if (clock.LastJumpAt is { } at && (now - at).Duration() < s_recently)
            all.Add(new(Gravity.Notice, "clock", string.Create(CultureInfo.InvariantCulture, $"the clock was set by {clock.LastJump.TotalSeconds:+0.0;-0.0} s at {at.UtcDateTime:HH:mm:ss}"), ""));
    }

    static void Box(List<Trouble> all, BoxFacts box)
    {
        if (box.Disk is { } disk)
        {
            if (disk.IsReadOnly) all.Add(new(Gravity.Fault, "disk", $"{disk.MountPoint} is read-only", box.IsAppliance ? DyingCard : $"look at dmesg for a failing disk or card, then mount -o remount,rw {disk.MountPoint}"));
            else if (disk.FreeShare < LittleFree) all.Add(new(Gravity.Notice, "disk", $"{disk.MountPoint} has {Sizes.Of(disk.Free)} left of {Sizes.Of(disk.Size)}", box.IsAppliance ? FullCard : "free space, or lower spool.max_size"));
        }
        Notes(all, box.Notes);
        foreach (Temperature t in box.Temperatures.Where(t => t.Celsius >= Hot))
            all.Add(new(Gravity.Notice, "box", string.Create(CultureInfo.InvariantCulture, $"{t.Sensor} is at {t.Celsius:0} °C"), "the processor slows itself down when it is hot: give the box air"));
        if (box.Throttling is { } throttling)
        {
            if (throttling.HasFlag(Throttling.UnderVoltage)) all.Add(new(Gravity.Notice, "box", "the power supply is too weak (under-voltage)", "use the supply and cable made for this board: an undervolted one loses its card"));
            else if ((throttling & (Throttling.Throttled | Throttling.FrequencyCapped | Throttling.SoftTemperatureLimit)) != 0) all.Add(new(Gravity.Notice, "box", "the board slows itself down", "give it air"));
        }
        if (box.Process.Resident > ProcessFacts.MostResident)
            all.Add(new(Gravity.Notice, "box", $"the sensor takes {Sizes.Of(box.Process.Resident)} of memory, more than the {Sizes.Of(ProcessFacts.MostResident)} it may", "large indicator lists come on top of that; else report it"));
    }

    /// <summary>The appliance's own words: what of its set-up could not be taken, an update that did not stay.</summary>
    static void Notes(List<Trouble> all, BoxNotes notes)
    {
        if (notes.DataLost is { } lost) all.Add(new(Gravity.Fault, "disk", lost, ""));
        // Each line brings its remedy.
        foreach (string fault in notes.Setup) all.Add(new(Gravity.Notice, "setup", fault, ""));
        if (notes.Update.Phase == Panel.PanelUpdatePhase.RolledBack)
            all.Add(new(Gravity.Notice, "update", $"the update to {notes.Update.Version} did not stay{(notes.Update.Reason.Length > 0 ? ": " + notes.Update.Reason : "")}", "the version before it runs on; try it again or take another version"));
        else if (notes.Update.Phase == Panel.PanelUpdatePhase.Failed)
            all.Add(new(Gravity.Notice, "update", $"the update to {notes.Update.Version} failed{(notes.Update.Reason.Length > 0 ? ": " + notes.Update.Reason : "")}", "what runs goes on; the other slot is started by nobody until an update has written it whole: begin the update again"));
        else if (notes.Update.Phase == Panel.PanelUpdatePhase.Refused)
            all.Add(new(Gravity.Notice, "update", $"an update {(notes.Update.Version.Length > 0 ? $"to {notes.Update.Version} " : "")}was not taken{(notes.Update.Reason.Length > 0 ? ": " + notes.Update.Reason : "")}", "nothing was changed; bring the newest one of who signs for this box. If nobody of yours brought this one, look who has a key to the box"));
    }
}
