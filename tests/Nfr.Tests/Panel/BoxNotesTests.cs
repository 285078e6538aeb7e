using Nfr.Health;
using Nfr.Panel;
using Nfr.Update;

namespace Nfr.Tests.Panel;

public sealed class BoxNotesTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-notes-").FullName;
    readonly BoxNotePlaces _places;

    public BoxNotesTests()
    {
        _places = new BoxNotePlaces(In("boot"), In("update.json"), In("record.json")) { BootId = In("boot_id") };
        Directory.CreateDirectory(_places.Boot);
    }

    string In(string name) => Path.Combine(_folder, name);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    BoxNotes Read(TimeProvider? time = null) => BoxNotes.Read(_places, time ?? TimeProvider.System);

    /// <summary>The machine's monotonic clock.</summary>
    static string Now => TimeProvider.System.GetElapsedTime(0).TotalSeconds.ToString("0.0", System.Globalization.CultureInfo.InvariantCulture);

    [Fact]
    public void On_a_machine_that_is_no_appliance_there_is_nothing()
    {
        Directory.Delete(_places.Boot);
        Assert.Equal(BoxNotes.None.Update, Read().Update);
        Assert.Empty(Read().Setup);
    }

    [Theory]
    [InlineData("""{"phase":"reading","version":"2.2.0","percent":1,"text":"x","at":NOW}""", PanelUpdatePhase.Writing, 1)]
    [InlineData("""{"phase":"writing","version":"2.2.0","percent":41,"text":"x","at":NOW}""", PanelUpdatePhase.Writing, 41)]
    [InlineData("""{"phase":"rebooting","version":"2.2.0","percent":900,"text":"x","at":NOW}""", PanelUpdatePhase.Writing, 100)]
    [InlineData("""{"phase":"failed","version":"2.2.0","percent":0,"text":"x","at":NOW}""", PanelUpdatePhase.Failed, 0)]
    [InlineData("""{"phase":17}""", PanelUpdatePhase.Idle, 0)]
    [InlineData("""[1,2""", PanelUpdatePhase.Idle, 0)]
    [InlineData("""[1,2]""", PanelUpdatePhase.Idle, 0)]
    [InlineData("", PanelUpdatePhase.Idle, 0)]
    public void An_update_that_runs_is_told_and_rubbish_is_none(string text, object phase, int percent)
    {
        File.WriteAllText(_places.Progress, text.Replace("NOW", Now, StringComparison.Ordinal));
        Assert.Equal((phase, percent), (Read().Update.Phase, Read().Update.Percent));
    }

    [Theory]
    [InlineData("trying", PanelUpdatePhase.Trial)]
    [InlineData("good", PanelUpdatePhase.Confirmed)]
    [InlineData("failed", PanelUpdatePhase.RolledBack)]
    [InlineData("writing", PanelUpdatePhase.Failed)]
    public void The_last_update_is_told_by_its_record(string word, object phase)
    {
        File.WriteAllText(_places.Record, $$"""{"phase":"{{word}}","slot":"b","version":"2.2.0","counter":4,"why":"no packets came"}""");
        Assert.Equal(phase, Read().Update.Phase);
        if (word is "failed" or "writing") Assert.Equal("no packets came", Read().Update.Reason);
    }

    void Record(UpdatePhase phase, string boot = "this boot", string why = "") => File.WriteAllBytes(_places.Record, new UpdateRecord(phase, 'b', "2.2.0", 4, boot, why).Write());

    [Fact]
    public void An_update_that_the_power_cut_off_or_the_card_did_not_take_never_ran_and_is_to_be_begun_again()
    {
        Record(UpdatePhase.Writing);
        Assert.Equal(new PanelUpdate(PanelUpdatePhase.Failed, 0, "2.2.0", "it was cut off; begin it again"), Read().Update);
        Record(UpdatePhase.Writing, why: "writing the card failed: No space left on device");
        Assert.Equal(new PanelUpdate(PanelUpdatePhase.Failed, 0, "2.2.0", "writing the card failed: No space left on device"), Read().Update);
        // It stays said, however long ago that was.
        File.SetLastWriteTimeUtc(_places.Record, DateTime.UtcNow.AddDays(-20));
        Assert.Equal(PanelUpdatePhase.Failed, Read().Update.Phase);
        // Being written at this moment, it is neither.
        Record(UpdatePhase.Writing);
        File.WriteAllText(_places.Progress, $$"""{"phase":"writing","version":"2.2.0","percent":41,"text":"x","at":{{Now}}}""");
        Assert.Equal((PanelUpdatePhase.Writing, true), (Read().Update.Phase, BoxNotes.IsUnderWay(_places.Progress, TimeProvider.System)));
        File.Delete(_places.Progress);
        Assert.False(BoxNotes.IsUnderWay(_places.Progress, TimeProvider.System));
    }

    [Theory]
    // It was started since, into the slot that was written.
    [InlineData("another boot", "b", PanelUpdatePhase.Trial)]
    [InlineData("another boot", "", PanelUpdatePhase.Trial)]
    // nfr update --no-reboot.
    [InlineData("this boot", "a", PanelUpdatePhase.Waiting)]
    [InlineData("this boot", "", PanelUpdatePhase.Waiting)]
    // Started since, and the old one runs: nobody has settled it yet.
    [InlineData("another boot", "a", PanelUpdatePhase.RolledBack)]
    // Which boot it is cannot be told.
    [InlineData("", "b", PanelUpdatePhase.Trial)]
    [InlineData("", "a", PanelUpdatePhase.Waiting)]
    [InlineData("", "", PanelUpdatePhase.Trial)]
    public void An_update_that_is_written_waits_for_a_reboot_before_it_is_on_trial(string boot, string slot, object phase)
    {
        Record(UpdatePhase.Trying);
        if (slot.Length > 0) File.WriteAllText(Path.Combine(_places.Boot, "slot"), slot + "\n");
        if (boot.Length > 0) File.WriteAllText(_places.BootId, boot + "\n");
        Assert.Equal((phase, "2.2.0"), (Read().Update.Phase, Read().Update.Version));
        // The panel may not read the kernel's own file: the start of the box has left it.
        File.Delete(_places.BootId);
        if (boot.Length > 0) File.WriteAllText(Path.Combine(_places.Boot, "boot-id"), boot + "\n");
        Assert.Equal(phase, Read().Update.Phase);
    }

    [Fact]
    public void An_update_that_waits_for_its_reboot_hides_no_bundle_that_was_not_taken_after_it()
    {
        Record(UpdatePhase.Trying);
        File.WriteAllText(_places.BootId, "this boot\n");
        Assert.Equal(PanelUpdatePhase.Waiting, Read().Update.Phase);
        File.WriteAllBytes(_places.Refusal, new UpdateRecord(UpdatePhase.Refused, 'b', "", 0, "this boot", "it is signed by none of the 1 key(s)").Write());
        Assert.Equal(PanelUpdatePhase.Refused, Read().Update.Phase);
        File.SetLastWriteTimeUtc(_places.Refusal, DateTime.UtcNow.AddDays(-2));
        Assert.Equal(PanelUpdatePhase.Waiting, Read().Update.Phase);
    }

    [Theory]
    [InlineData("good", PanelUpdatePhase.Refused)]
    [InlineData("writing", PanelUpdatePhase.Refused)]
    [InlineData("trying", PanelUpdatePhase.Trial)]
    [InlineData("failed", PanelUpdatePhase.RolledBack)]
    [InlineData("", PanelUpdatePhase.Refused)]
    public void A_bundle_that_was_not_taken_is_told_for_a_day_unless_something_graver_is(string record, object phase)
    {
        if (record.Length > 0) File.WriteAllText(_places.Record, $$"""{"phase":"{{record}}","slot":"b","version":"2.2.0","counter":4,"why":""}""");
        File.WriteAllBytes(_places.Refusal, new UpdateRecord(UpdatePhase.Refused, 'b', "", 0, "boot", "it is signed by none of the 1 key(s)").Write());
        Assert.Equal(phase, Read().Update.Phase);
        if ((PanelUpdatePhase)phase == PanelUpdatePhase.Refused) Assert.Equal("it is signed by none of the 1 key(s)", Read().Update.Reason);
        File.SetLastWriteTimeUtc(_places.Refusal, DateTime.UtcNow.AddDays(-2));
        Assert.NotEqual(PanelUpdatePhase.Refused, Read().Update.Phase);
    }

    [Fact]
    public void That_an_update_stayed_is_no_news_for_ever()
    {
        File.WriteAllText(_places.Record, """{"phase":"good","version":"2.2.0","counter":4}""");
        File.SetLastWriteTimeUtc(_places.Record, DateTime.UtcNow.AddDays(-2));
        Assert.Equal(PanelUpdatePhase.Idle, Read().Update.Phase);
    }

    [Fact]
    public void An_update_whose_writer_was_killed_is_one_that_failed()
    {
        string file = _places.Progress;
        var time = new ManualTime();
        time.Advance(TimeSpan.FromHours(1));
        using (var progress = new UpdateProgress(file, _ => { }, time))
        {
            progress.Tell(new UpdateMoment("writing", "2.2.0", 41, "writing root to the idle slot"));
            Assert.Equal((PanelUpdatePhase.Writing, 41), (Read(time).Update.Phase, Read(time).Update.Percent));
            // A card that takes minutes for one piece is no writer that is gone.
            for (int i = 0; i < 60; i++) time.Advance(TimeSpan.FromSeconds(5));
            Assert.Equal(PanelUpdatePhase.Writing, Read(time).Update.Phase);
        }
        // SIGKILL: nobody clears it.
        time.Advance(UpdateProgress.Silence);
        PanelUpdate left = Read(time).Update;
        Assert.Equal((PanelUpdatePhase.Failed, "2.2.0", "nfr update ended in the middle of it; begin it again"), (left.Phase, left.Version, left.Reason));
        // A file of another clock's, or without any stamp.
        Assert.Equal(PanelUpdatePhase.Failed, Read(new ManualTime()).Update.Phase);
        File.WriteAllText(file, """{"phase":"writing","version":"2.2.0","percent":41,"text":"x"}""");
        Assert.Equal(PanelUpdatePhase.Failed, Read(time).Update.Phase);
        // The next one, which has the lock, takes it away.
        UpdateProgress.ClearStale(file);
        Assert.Equal(PanelUpdatePhase.Idle, Read(time).Update.Phase);
    }

    [Fact]
    public void A_reboot_is_waited_for_and_one_that_does_not_come_is_said()
    {
        var time = new ManualTime();
        using var progress = new UpdateProgress(_places.Progress, _ => { }, time);
        progress.Tell(new UpdateMoment("rebooting", "2.2.0", 100, "rebooting into the new system, on trial"));
        time.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal(PanelUpdatePhase.Writing, Read(time).Update.Phase);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(PanelUpdatePhase.Failed, Read(time).Update.Phase);
        Assert.StartsWith("the reboot into it does not come", Read(time).Update.Reason, StringComparison.Ordinal);
        // It may still come: who confirms leaves the word.
        UpdateProgress.ClearStale(_places.Progress);
        Assert.True(File.Exists(_places.Progress));
    }

    [Fact]
    public void Set_up_and_boot_are_told_line_by_line_fit_for_a_screen()
    {
        File.WriteAllText(Path.Combine(_places.Boot, "notes"), "the data partition was mended\n\n");
        File.WriteAllText(Path.Combine(_places.Boot, "data-lost"), "the card is read-only\nmore");
        File.WriteAllText(Path.Combine(_places.Boot, "faults"), "nfr.txt line 2: no such time zone\nline 3: \e[31mnmae\r\n");
        Assert.Equal(["nfr.txt line 2: no such time zone", "line 3: \\u001B[31mnmae", "the data partition was mended"], Read().Setup);
        Assert.Equal("the card is read-only", Read().DataLost);
    }

    [Fact]
    public void A_file_without_an_end_is_read_up_to_its_bound()
    {
        File.WriteAllText(Path.Combine(_places.Boot, "faults"), new string('x', 1 << 20));
        Assert.Equal(BoxNotes.MostBytes, Assert.Single(Read().Setup).Length);
        File.WriteAllText(Path.Combine(_places.Boot, "faults"), string.Concat(Enumerable.Repeat("a\n", 5000)));
        Assert.Equal(16, Read().Setup.Count);
    }

    [Fact]
    public void A_folder_where_a_file_should_be_is_nothing()
    {
        Directory.CreateDirectory(_places.Progress);
        Directory.CreateDirectory(Path.Combine(_places.Boot, "ssh"));
        Assert.Equal((PanelUpdatePhase.Idle, ""), (Read().Update.Phase, Read().SshKey));
        UpdateProgress.ClearStale(_places.Progress);
    }

    [Theory]
    [InlineData("256 SHA256:2nEaM5rQCdHHkdyQSiNqXLhWX/7f7ZJxzLqmMPa0bOk no comment (ED25519)\n", "SHA256:2nEaM5rQCdHHkdyQSiNqXLhWX/7f7ZJxzLqmMPa0bOk")]
    [InlineData("/data/ssh/ssh_host_ed25519_key.pub is not a public key file.\n", "")]
    [InlineData("\n", "")]
    public void What_ssh_asks_about_is_as_ssh_keygen_says_it(string text, string key)
    {
        File.WriteAllText(Path.Combine(_places.Boot, "ssh"), text);
        Assert.Equal(key, Read().SshKey);
    }
}
