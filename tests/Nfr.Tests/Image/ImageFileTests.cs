using System.Text.Json;
using Nfr.Tests.Sensor;

namespace Nfr.Tests.Image;

/// <summary>What can be said of the image by its texts; the rest is shown by booting it.</summary>
public sealed class ImageFileTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-image-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    static string Image(string file) => File.ReadAllText(Path.Combine(Shell.Root, "image", file));

    static IEnumerable<string> Scripts => Directory.GetFiles(Path.Combine(Shell.Root, "image"), "*", SearchOption.AllDirectories)
        .Where(f => !f.Contains("/deb/", StringComparison.Ordinal) && !f.Contains("/systemd/", StringComparison.Ordinal) && (f.EndsWith(".sh", StringComparison.Ordinal) || File.ReadLines(f).FirstOrDefault("").StartsWith("#!/bin/sh", StringComparison.Ordinal)));

    [Fact]
    public void Every_script_is_read_by_its_shell()
    {
        Assert.NotEmpty(Scripts);
        Assert.All(Scripts, script => Shell.Run($"{(File.ReadLines(script).First().Contains("bash", StringComparison.Ordinal) ? "bash" : "sh")} -n '{script}'"));
    }

    [InstalledFact("/usr/bin/shellcheck")]
    public void Shellcheck_has_nothing_to_say_of_what_runs_on_the_box() => Assert.All(Directory.GetFiles(Shell.Scripts).Where(f => !f.EndsWith(".awk", StringComparison.Ordinal)),
        script => Shell.Run($"shellcheck -s sh -S error '{script}'"));

    [Fact]
    public void The_firmware_is_told_the_kernel_by_names_that_the_slot_has()
    {
        string config = Image("boot/config.txt");
        foreach (string line in new[] { "arm_64bit=1", "upstream_kernel=1", "kernel=vmlinuz", "initramfs initrd.img followkernel", "dtoverlay=nfr-panel" }) Assert.Contains($"\n{line}\n", config, StringComparison.Ordinal);
        // Each partition tells its own slot, and what comes after is for both again.
        Assert.Contains("[boot_partition=2]\ncmdline=cmdline-a.txt\n[boot_partition=3]\ncmdline=cmdline-b.txt\n[all]\n", config, StringComparison.Ordinal);
        string compose = Image("compose.sh");
        foreach (string file in new[] { "vmlinuz", "initrd.img", "cmdline-$slot.txt" }) Assert.Contains($"\"$boot/{file}\"", compose, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', Image("boot/cmdline.txt").TrimEnd('\n'));
    }

    /// <summary>What is written to a terminal that the kernel has switched off does not switch it on again, and there is no keyboard.</summary>
    [Fact]
    public void A_screen_never_goes_dark_by_itself() => Assert.DoesNotContain("consoleblank", Image("boot/cmdline.txt"), StringComparison.Ordinal);

    /// <summary>The image starts from what its first program has drivers for.</summary>
    [Fact]
    public void Nobody_is_told_to_take_a_disk_by_USB_that_the_image_cannot_start_from()
    {
        Assert.DoesNotMatch("usb[-_]storage|uas|xhci", Image("initramfs/modules.txt"));
        Assert.DoesNotContain("SSD by", File.ReadAllText(Path.Combine(Shell.Root, "hardware/parts.md")), StringComparison.Ordinal);
    }

    [Fact]
    public void The_parts_list_of_the_image_has_what_the_program_was_made_of()
    {
        foreach (string folder in new[] { "var/lib/dpkg", ".nfr", "usr/share/doc/nfr" }) Directory.CreateDirectory(Path.Combine(_folder, folder));
        File.WriteAllText(Path.Combine(_folder, "var/lib/dpkg/status"), "Package: libpcap0.8t64\nStatus: install ok installed\nArchitecture: arm64\nVersion: 1.10.5-2\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n");
        File.WriteAllText(Path.Combine(_folder, ".nfr/nfr.control"), "Package: nfr\nVersion: 2.0.0\nArchitecture: arm64\n");
        string list = $"SOURCE_DATE_EPOCH=1700000000 perl {Shell.Root}/image/sbom.pl {_folder} 2.0.0 nfr-2.0.0";
        // Without the program's own list there is none.
        Assert.Contains("has to bring its own parts list", Shell.Try(list).Text, StringComparison.Ordinal);
        Ended own = NfrProcess.Run(["version", "--sbom"]);
        Assert.Equal((0, ""), (own.Code, own.Error));
        File.WriteAllText(Path.Combine(_folder, "usr/share/doc/nfr/nfr.spdx.json"), own.Output);
        string text = Shell.Run(list);
        Assert.Equal(text, Shell.Run(list));
        using JsonDocument document = JsonDocument.Parse(text);
        JsonElement[] packages = [.. document.RootElement.GetProperty("packages").EnumerateArray()];
        string[] ids = [.. packages.Select(p => p.GetProperty("SPDXID").GetString()!)];
        Assert.Equal(ids.Distinct(), ids);
        string[] names = [.. packages.Select(p => p.GetProperty("name").GetString()!)];
        Assert.Superset(new HashSet<string> { "nfr-image", "libpcap0.8t64", "nfr", "Serilog", "YamlDotNet" }, names.ToHashSet());
        // What the program loads is a package of the image, and named as that.
        Assert.DoesNotContain(names, n => n is "gone" or "libpcap0.8");
        foreach (JsonElement relation in document.RootElement.GetProperty("relationships").EnumerateArray())
        {
            Assert.Contains(relation.GetProperty("relatedSpdxElement").GetString(), ids);
            Assert.Contains(relation.GetProperty("spdxElementId").GetString(), ids.Append("SPDXRef-DOCUMENT"));
        }
    }

    [Fact]
    public void The_partitions_of_the_recipe_are_those_that_the_box_expects()
    {
        string compose = Image("compose.sh");
        Assert.Contains("label-id: 0x4e465221", compose, StringComparison.Ordinal);
        Assert.Contains("CARD_ID=4e465221", Image("appliance/usr/lib/nfr/card.sh"), StringComparison.Ordinal);
        Assert.Equal("2 3 5 6", Shell.Run($". {Shell.Scripts}/slots.sh; echo $(slot_partition a) $(slot_partition b) $(slot_root a) $(slot_root b)"));
        Assert.Contains("\"boot\":\"$(part 2)\",\"root\":\"$(part 5)\"},\"b\":{\"boot\":\"$(part 3)\",\"root\":\"$(part 6)\"", compose, StringComparison.Ordinal);
    }

    /// <summary>The shell of the initramfs takes busybox' own for the bare name, and that one knows no ext4.</summary>
    [Fact]
    public void The_start_of_the_box_makes_the_data_partition_by_the_real_mke2fs() =>
        Assert.Contains("\nMKE2FS=/sbin/mke2fs\n", Image("initramfs/init"), StringComparison.Ordinal);

    [Fact]
    public void The_start_of_the_box_leaves_which_boot_it_is_where_the_panel_may_read()
    {
        Assert.Contains("\ncat /proc/sys/kernel/random/boot_id > $state/boot-id\n", Image("initramfs/init"), StringComparison.Ordinal);
        // The reason for it.
        Assert.Contains("\nProcSubset=pid\n", Image("systemd/units/nfr-panel.service"), StringComparison.Ordinal);
    }

    [Fact]
    public void Nobody_logs_in_by_password()
    {
        string sshd = Image("appliance/etc/ssh/sshd_config.d/nfr.conf");
        foreach (string line in new[] { "PasswordAuthentication no", "KbdInteractiveAuthentication no", "PermitRootLogin prohibit-password" }) Assert.Contains($"\n{line}\n", sshd, StringComparison.Ordinal);
        Assert.Contains("ConditionPathExists=/data/settings/authorized_keys", Image("appliance/usr/lib/systemd/system/ssh.service.d/nfr.conf"), StringComparison.Ordinal);
        string compose = Image("compose.sh");
        Assert.Contains("s/^root:[^:]*:/root:*:/", compose, StringComparison.Ordinal);
        foreach (string unit in new[] { "getty@.service", "serial-getty@.service", "emergency.service", "rescue.service" }) Assert.Contains(unit, compose, StringComparison.Ordinal);
    }

    [Fact]
    public void The_firewall_drops_what_it_does_not_know_and_a_capture_port_sends_nothing()
    {
        string rules = Image("appliance/etc/nftables.conf");
        Assert.Contains("hook input priority filter; policy drop;", rules, StringComparison.Ordinal);
        Assert.Contains("hook forward priority filter; policy drop;", rules, StringComparison.Ordinal);
        string output = rules[rules.IndexOf("chain output", StringComparison.Ordinal)..];
        Assert.Matches(@"oifname @management accept\s+counter drop", output);
        string capture = Image("appliance/etc/systemd/network/90-nfr-capture.network");
        foreach (string line in new[] { "ARP=no", "DHCP=no", "LinkLocalAddressing=no", "IPv6AcceptRA=no" }) Assert.Contains($"\n{line}\n", capture, StringComparison.Ordinal);
    }

    [Fact]
    public void A_mount_that_fails_does_not_keep_the_settings_from_being_read()
    {
        string unit = Image("appliance/usr/lib/systemd/system/nfr-settings.service");
        Assert.Contains("\nWants=local-fs.target\n", unit, StringComparison.Ordinal);
        Assert.DoesNotContain("Requires=", unit, StringComparison.Ordinal);
        // A rule for a target that needs a masked service would never be asked.
        Assert.DoesNotContain("emergency.target.d", Image("compose.sh"), StringComparison.Ordinal);
    }

    /// <summary>Which port is managed is nfr.txt's to say: a file that knows better would ask for an address on a mirror's port.</summary>
    [Fact]
    public void No_port_is_given_an_address_by_a_file_of_the_root() => Assert.All(Directory.GetFiles(Shell.Appliance("etc/systemd/network")),
        file => Assert.DoesNotContain("DHCP=yes", File.ReadAllText(file), StringComparison.Ordinal));

    [InstalledFact("/usr/sbin/nft")]
    public void The_firewall_is_understood_by_nft()
    {
        string rules = Image("appliance/etc/nftables.conf").Replace("include \"/run/nfr-boot/firewall/*.nft\"", "add element inet nfr management { \"end0\" }\nadd rule inet nfr opened tcp dport 22 ct state new limit rate 20/minute burst 10 packets accept", StringComparison.Ordinal);
        string file = Path.Combine(_folder, "rules.nft");
        File.WriteAllText(file, rules);
        (int code, string text) = Shell.Try($"nft -c -f {file}");
        // Without the right to ask the kernel nothing can be said; a mistake in the text is told before that.
        Assert.True(code == 0 || text.Contains("Operation not permitted", StringComparison.Ordinal), text);
    }

    [Fact]
    public void The_root_is_never_written_and_nothing_is_swapped()
    {
        Assert.Contains("mount -t ext4 -o ro,noatime \"$root\" /root", Image("initramfs/init"), StringComparison.Ordinal);
        string fstab = Image("appliance/etc/fstab");
        Assert.DoesNotContain("swap", fstab, StringComparison.Ordinal);
        Assert.Contains("Storage=volatile", Image("appliance/etc/systemd/journald.conf.d/nfr.conf"), StringComparison.Ordinal);
        Assert.Contains("RuntimeWatchdogSec=15", Image("appliance/etc/systemd/system.conf.d/nfr.conf"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "there is no public key")]
    [InlineData("-----BEGIN EC PRIVATE KEY-----", "has a private key")]
    [InlineData("-----BEGIN PUBLIC KEY-----", "")]
    public void The_image_is_made_with_public_keys_and_no_private_one(string pem, string words)
    {
        if (pem.Length > 0) File.WriteAllText(Path.Combine(_folder, "release.pem"), pem + "\n");
        (int code, string text) = Shell.Try($"bash -c '. {Shell.Root}/image/common.sh; public_keys {_folder}'");
        Assert.Equal(words.Length > 0, code != 0);
        Assert.Contains(words, text, StringComparison.Ordinal);
        foreach (string script in new[] { "make.sh", "compose.sh" }) Assert.Contains("\npublic_keys \"$keys\"\n", Image(script), StringComparison.Ordinal);
    }

    [Fact]
    public void A_block_map_holds_what_is_not_zero_and_what_it_was_told_to_hold()
    {
        string disk = Path.Combine(_folder, "disk");
        byte[] bytes = new byte[4096 * 400];
        bytes[4096 * 3] = 1;
        bytes[(4096 * 300) + 17] = 1;
        File.WriteAllBytes(disk, bytes);
        (int code, string text) = Shell.Try("perl -MDigest::SHA -e 1");
        if (code != 0) return; // A host without Perl's own modules cannot make an image either.
        text = Shell.Run($"{Shell.Root}/image/bmap.pl {disk} disk 100-110");
        string[] ranges = [.. System.Text.RegularExpressions.Regex.Matches(text, ">([0-9-]+)</Range>").Select(m => m.Groups[1].Value)];
        Assert.Equal(["3", "100-110", "300"], ranges);
        Assert.Contains("<MappedBlocksCount>13</MappedBlocksCount>", text, StringComparison.Ordinal);
        string sum = System.Text.RegularExpressions.Regex.Match(text, "<BmapFileChecksum>([0-9a-f]{64})<").Groups[1].Value;
        Assert.Equal(sum, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes((text + "\n").Replace(sum, new string('0', 64), StringComparison.Ordinal)))));
    }
}
