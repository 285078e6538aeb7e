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

/// <summary>
/// Settles an update after its boot: makes it lasting when the sensor is well, or goes back. The sensor is looked at without the lock of updates; only what is settled is settled with it, so that two who confirm at once
/// (the unit and a person) do not contradict each other: the second one finds it done, which is as good. On trial no slot is written by anybody (an update is refused), so a lock that is not to be had in time keeps a
/// healthy system from nothing.
/// </summary>
sealed class Confirmation(UpdateBox box, Func<string?> missing, TimeProvider time)
{
    public static readonly TimeSpan DefaultPatience = TimeSpan.FromMinutes(5);
    static readonly TimeSpan s_often = TimeSpan.FromSeconds(2);
    static readonly TimeSpan s_lockOften = TimeSpan.FromSeconds(1);
    /// <summary>Another confirmation has settled by then: a call of the script, one of systemctl.</summary>
    static readonly TimeSpan s_settling = TimeSpan.FromMinutes(1);
    /// <summary>So many good answers in a row: one may come from a sensor that is about to fall over.</summary>
    const int Needed = 3;
    /// <summary>Of a call of the image's script: the FAT partition may be in other hands for a moment.</summary>
    const int Tries = 3;

    /// <summary>Takes the lock of updates; null while another has it.</summary>
    public Func<IDisposable?> Lock { get; init; } = () => new NoLock();
    /// <summary>What it came to, for people.</summary>
    public string Text { get; private set; } = "";

    /// <param name="patience">How long the sensor has to become well; off trial, how long an update that is under way is waited for.</param>
    /// <param name="orBack">Reboot into the lasting slot when it does not.</param>
    /// <param name="stop">Ends the waiting; nothing is settled then.</param>
    public ConfirmResult Run(TimeSpan patience, bool orBack, CancellationToken stop)
    {
        if (!Insist(() => box.OnTrial, stop))
        {
            using IDisposable? alone = Alone(patience, stop);
            if (alone is not null) Settle();
            else Text = $"{box.Image.Title} is not on trial: there is nothing to confirm, and another update is under way";
            return ConfirmResult.Nothing;
        }
        string? why = Watch(patience, stop);
        using (Alone(s_settling, stop))
        {
            if (Insist(() => box.OnTrial, stop)) return why is null ? Stay(stop) : Back(patience, why, orBack);
            Settle();
            Text = $"{box.Image.Title} was confirmed by another meanwhile and stays: slot {box.Booted} is lasting";
            return ConfirmResult.Nothing;
        }
    }

    /// <summary>Null when it is well; else what was missing last.</summary>
    string? Watch(TimeSpan patience, CancellationToken stop)
    {
        long began = time.GetTimestamp();
        int well = 0;
        while (true)
        {
            string? why = missing();
            well = why is null ? well + 1 : 0;
            if (well >= Needed) return null;
            if (time.GetElapsedTime(began) >= patience) return why ?? "it was well for too short a time";
            Wait(s_often, stop);
        }
    }

    ConfirmResult Stay(CancellationToken stop)
    {
        Insist(() =>
        {
            box.Good();
            return true;
        }, stop);
        Text = $"{box.Image.Title} is well and stays: slot {box.Booted} is lasting";
        // Behind Good a lost record costs a line in the status and nothing else.
        Note(Of(UpdatePhase.Good, ""));
        return ConfirmResult.Confirmed;
    }

    ConfirmResult Back(TimeSpan patience, string why, bool orBack)
    {
        Text = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{box.Image.Title} did not become well within {patience.TotalSeconds:0} s: {why}");
        if (!orBack) return ConfirmResult.Unwell;
        // A full or dying data partition must not keep the box on a bad system.
        Note(Of(UpdatePhase.Failed, why));
        Text += "; rebooting into the system before";
        box.Reboot();
        return ConfirmResult.Unwell;
    }

    UpdateRecord Of(UpdatePhase phase, string why) => new(phase, box.Booted, box.Image.Version, box.Image.Counter, box.BootId, why);

    /// <summary>The record is for people: one that cannot be written is said, and changes nothing of what was settled.</summary>
    void Note(UpdateRecord record)
    {
        try
        {
            box.WriteRecord(record);
        }
        catch (UpdateException e)
        {
            Text += $"; {e.Message}";
        }
    }

    /// <summary>On the lasting slot: a trial that is not what runs has ended by itself (a watchdog, a power cut, a kernel that did not start).</summary>
    void Settle()
    {
        UpdateRecord? record = box.ReadRecord();
        Text = $"{box.Image.Title} is not on trial: there is nothing to confirm";
        // Written and not yet rebooted into: its trial lies ahead.
        if (record?.Phase != UpdatePhase.Trying || record.Boot == box.BootId) return;
        // Good came through and its record did not.
        if (record.Slot == box.Booted && record.Counter == box.Image.Counter) Note(record with { Phase = UpdatePhase.Good });
        else
        {
            string why = "it was tried and did not confirm itself, so the box went back: it did not start, was stuck, or lost power on trial";
            Text = $"the update to {record.Title} failed: {why}. {box.Image.Title} runs";
            Note(record with { Phase = UpdatePhase.Failed, Why = why });
        }
    }

    /// <summary>The lock, looked for every second; null when it was not to be had in that time.</summary>
    IDisposable? Alone(TimeSpan most, CancellationToken stop)
    {
        for (long began = time.GetTimestamp(); ; Wait(s_lockOften, stop))
        {
            try
            {
                if (Lock() is { } alone) return alone;
            }
            catch (UpdateException)
            {
                // It cannot even be made. Neither is that a fault of the sensor's.
            }
            if (time.GetElapsedTime(began) >= most) return null;
        }
    }

    /// <summary>A call that fails is made again: a good update must not go back because the script was kept from the card for a moment.</summary>
    T Insist<T>(Func<T> call, CancellationToken stop)
    {
        for (int tries = 1; ; tries++)
        {
            try
            {
                return call();
            }
            catch (UpdateException) when (tries < Tries)
            {
                Wait(s_often, stop);
            }
        }
    }

    /// <exception cref="OperationCanceledException">Interrupted.</exception>
    void Wait(TimeSpan span, CancellationToken stop)
    {
        using var over = new ManualResetEventSlim();
        using ITimer timer = time.CreateTimer(_ => over.Set(), null, span, Timeout.InfiniteTimeSpan);
        over.Wait(stop);
    }

    /// <summary>Nobody else is there.</summary>
    sealed class NoLock : IDisposable
    {
        public void Dispose()
        {
        }
    }
}
