namespace Nfr.Tests.Image;

/// <summary>The card's partitions, on a sparse file, by the script that the initramfs uses.</summary>
public sealed class CardTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-card-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    string Disk => Path.Combine(_folder, "disk");
    string Card(string line) => Shell.Run($". {Shell.Scripts}/card.sh; {line}", ("D", Disk), ("F", _folder));

    /// <summary>The layout of compose.sh, scaled to nothing that takes room.</summary>
    void Make(long mebibytes)
    {
        Shell.Run($"truncate -s 2000M {Disk} && printf 'label: dos\\nlabel-id: 0x4e465221\\nunit: sectors\\n1: start=8192, size=131072, type=c\\n2: start=139264, size=262144, type=c\\n3: start=401408, size=262144, type=c\\n4: start=663552, size=3414016, type=f\\n5: start=665600, size=1572864, type=83\\n6: start=2240512, size=1572864, type=83\\n7: start=3815424, size=262144, type=83\\n' | sfdisk -q {Disk} && truncate -s {mebibytes}M {Disk}");
    }

    string Table => Shell.Run($"sfdisk -d {Disk}");
    long End(int partition)
    {
        string line = Table.Split('\n').First(l => l.StartsWith($"{Disk}{partition} ", StringComparison.Ordinal));
        long Number(string key) => long.Parse(line[(line.IndexOf(key, StringComparison.Ordinal) + key.Length)..].Split(',')[0], System.Globalization.CultureInfo.InvariantCulture);
        return Number("start=") + Number("size=");
    }

    [InstalledTheory("/usr/sbin/sfdisk")]
    [InlineData(7600)]
    [InlineData(30_000)]
    [InlineData(244_000)]
    public void Data_grows_to_the_end_of_the_card_and_nothing_else_moves(long mebibytes)
    {
        Make(mebibytes);
        string before = Table;
        Card("card_grow \"$D\"");
        // One mebibyte stays free.
        Assert.Equal((mebibytes * 2048) - 2048, End(7));
        Assert.Equal(End(7), End(4));
        string[] Fixed(string table) => [.. table.Split('\n').Where(l => l.StartsWith("label-id", StringComparison.Ordinal) || "12356".Any(n => l.StartsWith($"{Disk}{n} ", StringComparison.Ordinal)))];
        Assert.Equal(Fixed(before), Fixed(Table));
    }

    [InstalledFact("/usr/sbin/sfdisk")]
    public void Growing_twice_changes_nothing_more()
    {
        Make(4000);
        Card("card_grow \"$D\"");
        string once = Table;
        Card("card_grow \"$D\"");
        Assert.Equal(once, Table);
    }

    [InstalledFact("/usr/sbin/sfdisk")]
    public void A_power_cut_between_the_two_writes_is_made_good_by_the_next_start()
    {
        Make(4000);
        // The first write alone.
        Shell.Run($"echo 663552,{(4000 * 2048) - 2048 - 663552} | sfdisk -q --no-reread --no-tell-kernel -N 4 {Disk}");
        Card("card_grow \"$D\"");
        Assert.Equal((4000 * 2048) - 2048, End(7));
    }

    [InstalledFact("/usr/sbin/sfdisk")]
    public void A_card_of_the_images_own_size_is_left_alone()
    {
        Make(2000);
        string before = Table;
        Card("card_grow \"$D\"");
        Assert.Equal(before, Table);
    }

    [Fact]
    public void A_disk_without_a_table_is_a_fault_and_nothing_is_written()
    {
        Shell.Run($"truncate -s 16M {Disk}");
        Assert.NotEqual(0, Shell.Try($". {Shell.Scripts}/card.sh; card_grow {Disk}").Code);
        Assert.DoesNotContain(File.ReadAllBytes(Disk), b => b != 0);
    }

    [Theory]
    [InlineData("mmcblk0", "mmcblk0p7")]
    [InlineData("vda", "vda7")]
    [InlineData("/dev/mmcblk1", "/dev/mmcblk1p7")]
    public void Partitions_have_the_names_that_the_kernel_gives(string disk, string partition) => Assert.Equal(partition, Card($"card_partition {disk} 7"));

    [InstalledFact("/usr/sbin/sfdisk")]
    public void The_card_is_known_by_its_id_and_goes_before_a_stick()
    {
        Make(2000);
        foreach (string name in new[] { "sda", "mmcblk0", "vda" })
        {
            Directory.CreateDirectory(Path.Combine(_folder, "sys", name));
            Directory.CreateDirectory(Path.Combine(_folder, "sys", name == "mmcblk0" ? "mmcblk0p7" : name + "7"));
            Directory.CreateDirectory(Path.Combine(_folder, "dev"));
            if (name != "vda") Shell.Run($"dd if={Disk} of={_folder}/dev/{name} bs=512 count=1");
        }
        Shell.Run($"dd if=/dev/zero of={_folder}/dev/vda bs=512 count=1");
        Assert.EndsWith("/dev/mmcblk0", Card("card_find \"$F/sys\" \"$F/dev\""), StringComparison.Ordinal);
        File.Delete(Path.Combine(_folder, "dev/mmcblk0"));
        Assert.EndsWith("/dev/sda", Card("card_find \"$F/sys\" \"$F/dev\""), StringComparison.Ordinal);
    }

    [Fact]
    public void The_identity_is_made_once_and_anew_only_when_it_is_damaged()
    {
        string first = Card("card_machine_id \"$F\"");
        Assert.Matches("^[0-9a-f]{32}$", first);
        Assert.Equal(first, Card("card_machine_id \"$F\""));
        File.WriteAllText(Path.Combine(_folder, "machine-id"), "0123");
        string second = Card("card_machine_id \"$F\"");
        Assert.Matches("^[0-9a-f]{32}$", second);
        Assert.NotEqual(first, second);
    }

    [Fact]
    public void The_clock_is_not_behind_the_build_nor_the_last_shutdown()
    {
        string built = Path.Combine(_folder, "built"), clock = Path.Combine(_folder, "clock");
        File.WriteAllText(built, "1780000000\n");
        string Floor() => Card($"card_clock_floor {built} {clock}");
        Assert.Equal("1780000000", Floor());
        File.WriteAllText(clock, "");
        File.SetLastWriteTimeUtc(clock, DateTimeOffset.FromUnixTimeSeconds(1_790_000_000).UtcDateTime);
        Assert.Equal("1790000000", Floor());
        File.SetLastWriteTimeUtc(clock, DateTimeOffset.FromUnixTimeSeconds(1_000_000_000).UtcDateTime);
        Assert.Equal("1780000000", Floor());
        // A clock that once stood in 2106 does not hold the box there.
        File.SetLastWriteTimeUtc(clock, DateTimeOffset.FromUnixTimeSeconds(4_294_967_000).UtcDateTime);
        Assert.Equal("1780000000", Floor());
    }

    /// <summary>NFR-BOOT as an owner leaves it.</summary>
    string Control(string settings)
    {
        string control = Directory.CreateDirectory(Path.Combine(_folder, "control")).FullName;
        foreach ((string name, string text) in new[] { ("nfr.txt", settings), ("nfr.txt.report", "report"), ("box.crt", "certificate"), ("BOX.KEY", "private"), ("authority", "named"), ("autoboot.txt", "[all]"), ("config.txt", "config"), ("config.yml", "outputs:"), ("scope.yml", "networks:"), ("bootcode.bin", "code"), ("README.txt", "read"), ("factory-reset", "wish"), ("holiday.jpg", "picture") })
            File.WriteAllText(Path.Combine(control, name), text);
        File.WriteAllText(Path.Combine(_folder, "template"), "# nothing\n# is set\n");
        return control;
    }

    void Forget() => Card("card_forget_owner \"$F/control\" \"$F/template\"");

    [Fact]
    public void A_factory_reset_takes_the_owners_files_off_the_card_and_leaves_those_that_it_starts_with()
    {
        string control = Control("ssh.key = ssh-ed25519 AAAA owner\r\n broker.ca = \"authority\" \r\nbroker.certificate = autoboot.txt\r\nbroker.key = ../template\r\nengine.ca = config.txt\r\ncommand.key = gone.pem\r\n");
        Forget();
        Assert.Equal("# nothing\r\n# is set\r\n", File.ReadAllText(Path.Combine(control, "nfr.txt")));
        // The wish goes by the hand of who asked for this, when the data partition is new too.
        Assert.Equal(["README.txt", "autoboot.txt", "bootcode.bin", "config.txt", "factory-reset", "holiday.jpg", "nfr.txt"], Directory.GetFiles(control).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal));
        Assert.Equal("# nothing\n# is set\n", File.ReadAllText(Path.Combine(_folder, "template")));
    }

    [Fact]
    public void A_text_that_windows_saved_in_utf_16_names_its_files_too()
    {
        string control = Control("");
        File.WriteAllText(Path.Combine(control, "nfr.txt"), "site = x\r\nbroker.ca = authority\r\n", System.Text.Encoding.Unicode);
        Forget();
        Assert.False(File.Exists(Path.Combine(control, "authority")));
    }

    [Fact]
    public void A_reset_that_a_power_cut_broke_off_anywhere_is_done_by_the_next_start()
    {
        string control = Control("broker.ca = authority\n");
        // What was in a file is overwritten where it lies: a second name shows it.
        Shell.Run($"ln {control}/BOX.KEY {_folder}/key; ln {control}/nfr.txt {_folder}/text");
        File.Delete(Path.Combine(control, "nfr.txt"));
        File.WriteAllText(Path.Combine(control, "nfr.txt.new"), "# noth");
        Forget();
        Forget();
        Assert.Equal("# nothing\r\n# is set\r\n", File.ReadAllText(Path.Combine(control, "nfr.txt")));
        Assert.False(File.Exists(Path.Combine(control, "nfr.txt.new")));
        Assert.Equal(new string('\0', "private".Length), File.ReadAllText(Path.Combine(_folder, "key")));
    }

    /// <summary>The whole reset, with a file for the data partition and a line for its making.</summary>
    string Reset(string control = "$F/control", string more = "") => Card($"card_format() {{ echo \"$1\" >> \"$F/formatted\"; }}; {more} card_reset \"{control}\" \"$F/template\" /dev/data");

    string[] Formatted => File.Exists(Path.Combine(_folder, "formatted")) ? File.ReadAllLines(Path.Combine(_folder, "formatted")) : [];

    [Fact]
    public void A_factory_reset_makes_data_anew_and_takes_the_wish_away_last()
    {
        string control = Control("ssh.key = ssh-ed25519 AAAA owner\n");
        Assert.Equal("tell factory reset: the data partition is new, and nothing is set in nfr.txt", Reset());
        Assert.False(File.Exists(Path.Combine(control, "factory-reset")));
        Assert.Equal("/dev/data", Assert.Single(Formatted));
        // Where it cannot be made, the next start tries again.
        control = Control("ssh.key = ssh-ed25519 AAAA owner\n");
        Assert.StartsWith("note factory reset: the data partition could not be made anew", Reset(more: "card_format() { return 1; };"), StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(control, "factory-reset")));
    }

    [Theory]
    [InlineData("factory-reset", false)]
    // Windows' editor puts an ending behind the name, and its Explorer hides it.
    [InlineData("factory-reset.txt", false)]
    [InlineData("factory-reset", true)]
    public void The_wish_for_a_factory_reset_is_known_by_each_name_that_a_person_gives_it(string name, bool folder)
    {
        string control = Control("broker.ca = FACTORY-RESET.TXT\nbroker.key = Factory-Reset\n"), wish = Path.Combine(control, name);
        File.Delete(Path.Combine(control, "factory-reset"));
        Assert.NotEqual(0, Shell.Try($". {Shell.Scripts}/card.sh; card_wished {control}").Code);
        if (folder) Directory.CreateDirectory(wish); else File.WriteAllText(wish, "");
        Card("card_wished \"$F/control\"");
        // The wish goes last, whatever the owner's lines name, and the FAT does not tell upper from lower case.
        File.WriteAllText(Path.Combine(control, "Factory-Reset"), "");
        Forget();
        Card("card_wished \"$F/control\"");
        Assert.True(File.Exists(Path.Combine(control, "Factory-Reset")));
        Reset();
        Assert.False(Path.Exists(wish));
        string init = File.ReadAllText(Path.Combine(Shell.Root, "image/initramfs/init"));
        Assert.Contains("mounted /control && card_wished /control && reset=yes", init, StringComparison.Ordinal);
        Assert.Contains("card_reset \"$where\" /root/usr/share/nfr/nfr.txt \"$data\"", init, StringComparison.Ordinal);
        Assert.DoesNotContain("/control/factory-reset ]", init, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("engine.key = 0123456789abcdef\r\nssh.key = x\r\n", "# nothing is set")]
    [InlineData("site=x\n", "#")]
    [InlineData("", "")]
    public void On_a_card_that_is_full_nfr_txt_becomes_a_remark_where_it_lies(string settings, string left)
    {
        string control = Control(settings);
        // What is written to this file says that there is no room; an empty one takes none.
        File.CreateSymbolicLink(Path.Combine(control, "nfr.txt.new"), "/dev/full");
        Shell.Run($"ln {control}/nfr.txt {_folder}/text");
        Assert.StartsWith("tell ", Reset(), StringComparison.Ordinal);
        Assert.Equal(left, File.ReadAllText(Path.Combine(control, "nfr.txt")));
        // In place: the bytes of the old one are gone from where they were.
        Assert.Equal(left, File.ReadAllText(Path.Combine(_folder, "text")));
        Assert.Equal(["README.txt", "autoboot.txt", "bootcode.bin", "config.txt", "holiday.jpg", "nfr.txt"], Directory.GetFiles(control).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal).Except(["authority"]));
        Assert.Single(Formatted);
    }

    [Fact]
    public void A_text_of_the_image_that_was_written_in_part_is_not_taken_for_all_of_it()
    {
        string control = Control("ssh.key = ssh-ed25519 AAAA owner\n");
        // Busybox' sed says nothing of what could not be written.
        Assert.StartsWith("tell ", Reset(more: "sed() { case \"$*\" in 's/$/'*) [ -n \"${cut-}\" ] && command sed \"$@\" || { cut=1; printf '# noth'; } ;; *) command sed \"$@\" ;; esac; };"), StringComparison.Ordinal);
        Assert.DoesNotContain("owner", File.ReadAllText(Path.Combine(control, "nfr.txt")), StringComparison.Ordinal);
        Assert.StartsWith("# nothing is set", File.ReadAllText(Path.Combine(control, "nfr.txt")), StringComparison.Ordinal);
    }

    [Fact]
    public void Where_the_card_takes_no_writes_nothing_is_erased_and_it_is_told_at_each_start()
    {
        string control = Control("ssh.key = ssh-ed25519 AAAA owner\n");
        // A folder that is in the way of the new text stands for a FAT that is read-only.
        Directory.CreateDirectory(Path.Combine(control, "nfr.txt.new/x"));
        for (int start = 0; start < 2; start++) Assert.StartsWith("note factory reset: it was NOT done and nothing that was recorded is erased, since NFR-BOOT takes no writes", Reset(), StringComparison.Ordinal);
        Assert.Empty(Formatted);
        Assert.True(File.Exists(Path.Combine(control, "factory-reset")));
        // A private key that is still there is enough.
        Directory.Delete(Path.Combine(control, "nfr.txt.new"), recursive: true);
        control = Control("# nothing\n");
        Assert.StartsWith("note factory reset: it was NOT done", Reset(more: "rm() { case $2 in *.KEY) return 1 ;; *) command rm \"$@\" ;; esac; };"), StringComparison.Ordinal);
        Assert.Empty(Formatted);
        Assert.StartsWith("tell ", Reset(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_wish_that_stays_and_a_card_without_its_fat_are_told_with_what_to_do()
    {
        Control("# nothing\n");
        Assert.Contains("every start erases anew until it is: remove it on another computer", Reset(more: "card_unwish() { return 1; };"), StringComparison.Ordinal);
        Assert.Contains("NFR-BOOT cannot be mounted: what the owner before wrote into nfr.txt could not be taken off it", Reset(""), StringComparison.Ordinal);
        Assert.Equal(2, Formatted.Length);
    }

    [Fact]
    public void Without_the_images_own_text_nothing_is_set_all_the_same()
    {
        string control = Control("ssh.key = ssh-ed25519 AAAA owner\n");
        File.Delete(Path.Combine(_folder, "template"));
        Forget();
        Assert.StartsWith("# ", File.ReadAllText(Path.Combine(control, "nfr.txt")), StringComparison.Ordinal);
        Assert.DoesNotContain("ssh.key", File.ReadAllText(Path.Combine(control, "nfr.txt")), StringComparison.Ordinal);
    }
}
