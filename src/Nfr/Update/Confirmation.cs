namespace Nfr.Update;

enum ConfirmResult : byte
{
    /// <summary>Nothing was on trial.</summary>
    Nothing,
    /// <summary>It was well and is lasting now.</summary>
    Confirmed,
    /// <summary>It was not well in time; where asked for, the box reboots into the slot before.</summary>
    Unwell,
}

/// <summary>Settles an update after its boot: makes it lasting when the sensor is well, or goes back.</summary>
sealed class Confirmation(UpdateBox box, Func<string?> missing, TimeProvider time)
{
    public static readonly TimeSpan DefaultPatience = TimeSpan.FromMinutes(5);
    static readonly TimeSpan s_often = TimeSpan.FromSeconds(2);
    /// <summary>So many good answers in a row: one may come from a sensor that is about to fall over.</summary>
    const int Needed = 3;

    /// <summary>What it came to, for people.</summary>
    public string Text { get; private set; } = "";

    /// <param name="patience">How long the sensor has to become well.</param>
    /// <param name="orBack">Reboot into the lasting slot when it does not.</param>
    /// <param name="stop">Ends the waiting; nothing is settled then.</param>
    public ConfirmResult Run(TimeSpan patience, bool orBack, CancellationToken stop)
    {
        UpdateRecord? record = box.ReadRecord();
        if (!box.OnTrial)
        {
            Settle(record);
            return ConfirmResult.Nothing;
        }
        long began = time.GetTimestamp();
        int well = 0;
        string? why;
        while (true)
        {
            why = missing();
            well = why is null ? well + 1 : 0;
            if (well >= Needed || time.GetElapsedTime(began) >= patience) break;
            if (Wait(stop)) stop.ThrowIfCancellationRequested();
        }
        if (well >= Needed)
        {
            box.Good();
            // Behind Good a lost record costs a line in the status and nothing else.
            box.WriteRecord(Of(UpdatePhase.Good, ""));
            Text = $"{box.Image.Title} is well and stays: slot {box.Booted} is lasting";
            return ConfirmResult.Confirmed;
        }
        why ??= "it was well for too short a time";
        Text = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{box.Image.Title} did not become well within {patience.TotalSeconds:0} s: {why}");
        if (!orBack) return ConfirmResult.Unwell;
        try
        {
            box.WriteRecord(Of(UpdatePhase.Failed, why));
        }
        catch (UpdateException e)
        {
            // A full or dying data partition must not keep the box on a bad system.
            Text += $"; {e.Message}";
        }
        Text += "; rebooting into the system before";
        box.Reboot();
        return ConfirmResult.Unwell;
    }

    UpdateRecord Of(UpdatePhase phase, string why) => new(phase, box.Booted, box.Image.Version, box.Image.Counter, box.BootId, why);

    /// <summary>On the lasting slot: a trial that is not what runs has ended by itself (a watchdog, a power cut, a kernel that did not start).</summary>
    void Settle(UpdateRecord? record)
    {
        Text = $"{box.Image.Title} is not on trial: there is nothing to confirm";
        // Written and not yet rebooted into: its trial lies ahead.
        if (record?.Phase != UpdatePhase.Trying || record.Boot == box.BootId) return;
        // Good came through and its record did not.
        if (record.Slot == box.Booted && record.Counter == box.Image.Counter) box.WriteRecord(record with { Phase = UpdatePhase.Good });
        else
        {
            string why = "it was tried and did not confirm itself, so the box went back: it did not start, was stuck, or lost power on trial";
            box.WriteRecord(record with { Phase = UpdatePhase.Failed, Why = why });
            Text = $"the update to {record.Title} failed: {why}. {box.Image.Title} runs";
        }
    }

    bool Wait(CancellationToken stop)
    {
        using var over = new ManualResetEventSlim();
        using ITimer timer = time.CreateTimer(_ => over.Set(), null, s_often, Timeout.InfiniteTimeSpan);
        try
        {
            over.Wait(stop);
            return false;
        }
        catch (OperationCanceledException)
        {
            return true;
        }
    }
}
