namespace Nfr.Tests.Image;

/// <summary>The slots' state in autoboot.txt, walked through by the scripts that do it on the card.</summary>
public sealed class SlotTests : IDisposable
{
    readonly string _boot = Directory.CreateTempSubdirectory("nfr-slot-").FullName;
    readonly string _run = Directory.CreateTempSubdirectory("nfr-slot-run-").FullName;

    public SlotTests()
    {
        Lib("good=a try=- left=0 bad=-; slot_write \"$B\"");
        Boots("a");
    }

    public void Dispose()
    {
        Directory.Delete(_boot, recursive: true);
        Directory.Delete(_run, recursive: true);
    }

    string AutobootFile => Path.Combine(_boot, "autoboot.txt");
    string Lib(string line) => Shell.Run($". {Shell.Scripts}/slots.sh; {line}", ("B", _boot), ("SLOT_SCRATCH", _run));
    (int Code, string Text) Try(string verb) => Shell.Try($"sh {Shell.Scripts}/nfr-slot {verb}", ("NFR_BOOT", _boot), ("NFR_RUN", _run), ("SLOT_SCRATCH", _run));
    string Slot(string verb)
    {
        (int code, string text) = Try(verb);
        Assert.True(code == 0, text);
        return text.Trim();
    }

    /// <summary>The initramfs in that slot's first lines: what it says, and what the running system then finds.</summary>
    string Boots(string slot)
    {
        string said = Lib($"slot_arrive \"$B\" {slot}");
        File.WriteAllText(Path.Combine(_run, "slot"), slot + "\n");
        return said;
    }

    /// <summary>What the firmware would read: the first boot_partition below [all].</summary>
    string Firmware => File.ReadAllLines(AutobootFile).SkipWhile(l => l != "[all]").First(l => l.StartsWith("boot_partition=", StringComparison.Ordinal))[^1..] == "2" ? "a" : "b";

    [Fact]
    public void The_file_is_one_sector_whatever_it_says()
    {
        foreach (string state in new[] { "good=a try=- left=0 bad=-", "good=b try=a left=1 bad=-", "good=a try=- left=0 bad=b" })
        {
            Lib($"{state}; slot_write \"$B\"");
            Assert.Equal(512, new FileInfo(AutobootFile).Length);
            Assert.Equal(state, Lib("slot_read \"$B\"; echo good=$good try=$try left=$left bad=$bad"));
        }
    }

    [Fact]
    public void The_firmware_finds_the_other_slot_under_tryboot()
    {
        string[] lines = File.ReadAllLines(AutobootFile);
        Assert.Equal(["[all]", "tryboot_a_b=1", "boot_partition=2", "[tryboot]", "boot_partition=3"], lines[..5]);
        Assert.All(lines[5..], line => Assert.True(line.Length == 0 || line[0] == '#', line));
    }

    [Fact]
    public void A_trial_that_is_confirmed_lasts()
    {
        Slot("try");
        Assert.Equal("b", Firmware);
        Assert.Equal("a", Slot("lasting"));
        Assert.StartsWith("trial", Boots("b"), StringComparison.Ordinal);
        Assert.Equal("b", Slot("booted"));
        Slot("good");
        Assert.Equal("b", Slot("lasting"));
        Assert.Equal("b", Firmware);
        Assert.Equal("boot", Boots("b"));
    }

    [Fact]
    public void A_trial_that_is_not_confirmed_goes_back_at_the_next_start()
    {
        Slot("try");
        Assert.StartsWith("trial", Boots("b"), StringComparison.Ordinal);
        // Watchdog, power cut or reboot: the firmware reads the same file again.
        Assert.Equal("b", Firmware);
        Assert.StartsWith("reboot slot b was tried and not confirmed", Boots("b"), StringComparison.Ordinal);
        Assert.Equal("a", Firmware);
        Assert.Equal("boot", Boots("a"));
        Assert.Contains("bad=b", Slot("state"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_trial_that_the_firmware_itself_gave_up_is_ended_by_the_lasting_slot()
    {
        Slot("try");
        Assert.StartsWith("boot slot b was to be tried and did not come up", Boots("a"), StringComparison.Ordinal);
        Assert.Equal("a", Firmware);
        Assert.Contains("try=- left=0 bad=b", Slot("state"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_trial_can_be_taken_back_and_none_can_too()
    {
        Slot("cancel");
        Slot("try");
        Slot("cancel");
        Assert.Equal("a", Firmware);
        Assert.Equal("boot", Boots("a"));
    }

    /// <summary>"cancel" is what an update does before it overwrites the slot; a power cut then leaves it torn.</summary>
    [Fact]
    public void A_slot_that_was_taken_back_is_not_fallen_back_on_until_it_is_tried_again()
    {
        Slot("try");
        Boots("b");
        Slot("good");
        Slot("cancel");
        Assert.Contains("good=b try=- left=0 bad=a", Slot("state"), StringComparison.Ordinal);
        Assert.StartsWith("stay", Lib("slot_failed \"$B\" b"), StringComparison.Ordinal);
        Assert.Equal("b", Firmware);
        // A second time there is nothing to write.
        File.SetLastWriteTimeUtc(AutobootFile, DateTime.UnixEpoch);
        Slot("cancel");
        Assert.Equal(DateTime.UnixEpoch, File.GetLastWriteTimeUtc(AutobootFile));
        Slot("try");
        Assert.Contains("try=a left=1 bad=-", Slot("state"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_system_on_trial_cannot_ask_for_itself()
    {
        Slot("try");
        Boots("b");
        (int code, string text) = Try("try");
        Assert.NotEqual(0, code);
        Assert.Contains("runs on trial", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_slot_that_failed_may_be_tried_again_after_it_was_written()
    {
        Slot("try");
        Boots("b");
        Boots("b");
        Boots("a");
        Slot("try");
        Assert.StartsWith("trial", Boots("b"), StringComparison.Ordinal);
        Slot("good");
        Assert.Contains("good=b try=- left=0 bad=-", Slot("state"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_root_that_cannot_be_mounted_hands_over_to_the_other_slot_once()
    {
        Assert.StartsWith("reboot", Lib("slot_failed \"$B\" a"), StringComparison.Ordinal);
        Assert.Equal("b", Firmware);
        // And when that one fails too, there is no running to and fro.
        Assert.StartsWith("stay", Lib("slot_failed \"$B\" b"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_new_card_has_no_second_system_to_fall_back_on()
    {
        Lib("good=a try=- left=0 bad=b; slot_write \"$B\"");
        Assert.StartsWith("stay", Lib("slot_failed \"$B\" a"), StringComparison.Ordinal);
        Assert.Equal("a", Firmware);
    }

    [Fact]
    public void A_root_on_trial_that_cannot_be_mounted_goes_back()
    {
        Slot("try");
        Boots("b");
        Assert.StartsWith("reboot", Lib("slot_failed \"$B\" b"), StringComparison.Ordinal);
        Assert.Equal("a", Firmware);
        Assert.Equal("a", Slot("lasting"));
    }

    [Fact]
    public void A_card_that_takes_no_writes_is_not_rebooted_for_ever()
    {
        Slot("try");
        string text = File.ReadAllText(AutobootFile);
        // The firmware would read the same file again and again.
        Assert.StartsWith("boot slot b is on trial and the card cannot be written", Lib("slot_write() { return 1; }; slot_arrive \"$B\" b"), StringComparison.Ordinal);
        Assert.StartsWith("stay", Lib("slot_write() { return 1; }; slot_failed \"$B\" b"), StringComparison.Ordinal);
        Assert.Equal(text, File.ReadAllText(AutobootFile));
        Boots("b");
        Assert.StartsWith("boot slot b was not confirmed and the card cannot be written", Lib("slot_write() { return 1; }; slot_arrive \"$B\" b"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("boot_partition")]
    [InlineData("[all]\nboot_partition=9\n")]
    [InlineData("#nfr good=c try=x left=99 bad=zz\n")]
    [InlineData("\0\0\0\0")]
    public void A_file_of_rubbish_means_slot_a(string text)
    {
        File.WriteAllText(AutobootFile, text);
        Assert.Equal("good=a try=- left=0 bad=- next=a", Lib("slot_read \"$B\"; echo good=$good try=$try left=$left bad=$bad next=$next"));
        Assert.Equal("boot", Boots("a"));
        Slot("try");
        Assert.Equal(512, new FileInfo(AutobootFile).Length);
        Assert.Equal("b", Firmware);
    }

    [Fact]
    public void A_file_that_an_editor_made_longer_is_written_all_the_same()
    {
        File.AppendAllText(AutobootFile, "\r\n" + new string('#', 300) + "\r\n#nfr good=b try=- left=0 bad=a\n");
        Slot("try");
        Assert.Equal("b", Firmware);
        Assert.StartsWith("trial", Boots("b"), StringComparison.Ordinal);
        Slot("good");
        Assert.Contains("good=b try=- left=0 bad=-", Slot("state"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_person_who_changes_the_number_on_another_computer_chooses_what_lasts()
    {
        File.WriteAllText(AutobootFile, File.ReadAllText(AutobootFile).Replace("[all]\ntryboot_a_b=1\nboot_partition=2", "[all]\ntryboot_a_b=1\nboot_partition=3", StringComparison.Ordinal));
        Assert.Equal("b", Slot("lasting"));
        Assert.Equal("boot", Boots("b"));
    }

    [Fact]
    public void Where_there_is_no_card_it_is_said()
    {
        (int code, string text) = Shell.Try($"sh {Shell.Scripts}/nfr-slot lasting", ("NFR_RUN", Path.Combine(_run, "nothing")));
        Assert.NotEqual(0, code);
        Assert.Contains("was not started from an NFR image", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_wish_for_a_factory_reset_lies_on_the_card_that_the_next_start_reads_and_the_slots_stay()
    {
        string before = File.ReadAllText(AutobootFile);
        Slot("reset");
        Assert.NotEmpty(File.ReadAllText(Path.Combine(_boot, "factory-reset")));
        Assert.Equal(before, File.ReadAllText(AutobootFile));
    }

    [Fact]
    public void Where_the_card_takes_no_wish_the_reason_is_among_the_notes_once_and_goes_when_it_does()
    {
        string notes = Path.Combine(_run, "notes");
        File.WriteAllText(notes, "something of the start\n");
        // Nobody can write a file of that name, root neither.
        Directory.CreateDirectory(Path.Combine(_boot, "factory-reset"));
        (int Code, string Text) Wish() => Shell.Try($"sh {Shell.Scripts}/reset-wish", ("NFR_BOOT", _boot), ("NFR_RUN", _run));
        Assert.Equal(1, Wish().Code);
        Assert.Equal(1, Wish().Code);
        Assert.Equal(["something of the start", "the factory reset could not be asked for, so nothing was erased: the card did not take the wish for a factory reset; it may be write-protected or worn out"], File.ReadAllLines(notes));
        Directory.Delete(Path.Combine(_boot, "factory-reset"));
        Assert.Equal(0, Wish().Code);
        Assert.Equal(["something of the start"], File.ReadAllLines(notes));
        File.Delete(notes);
        Assert.Equal(0, Wish().Code);
        Assert.False(File.Exists(notes));
    }
}
