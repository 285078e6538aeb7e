using System.Runtime.Versioning;

namespace Nfr.Tests.Image;

/// <summary>nfr.txt: each case is a card and a box in folders, and the script of the image run on them.</summary>
[SupportedOSPlatform("linux")]
public sealed class SettingsTests : SettingsBed
{
    [Fact]
    public void The_template_as_it_is_gives_a_box_that_records()
    {
        Assert.Empty(After(File.ReadAllText(Path.Combine(Shell.Root, "image/nfr.txt"))));
        Assert.Contains("interface: [enx001122334455]", Config, StringComparison.Ordinal);
        AssertTheSensorTakesIt();
        Assert.Contains("Name=end0", Read("run/systemd/network/10-nfr-management.network"), StringComparison.Ordinal);
        Assert.StartsWith("Everything in nfr.txt was understood.", Read("card/nfr.txt.report"), StringComparison.Ordinal);
        Assert.False(File.Exists(At("data/settings/authorized_keys")));
        Assert.DoesNotContain("dport 22", Read("run/nfr-boot/firewall/nfr.nft"), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_example_of_the_template_is_right_when_its_mark_is_removed()
    {
        string text = File.ReadAllText(Path.Combine(Shell.Root, "image/nfr.txt"));
        string all = System.Text.RegularExpressions.Regex.Replace(text, "(?m)^# ([a-z.]+ = )", "$1").Replace("AAAA...", "AAAAC3NzaC1lZDI1NTE5AAAAIHVzZXJrZXl1c2Vya2V5dXNlcmtleXVzZXJrZXl1c2Vya2V5", StringComparison.Ordinal);
        Pem("engine-ca.pem", "CERTIFICATE");
        Pem("broker-ca.pem", "CERTIFICATE");
        Pem("box.crt", "CERTIFICATE");
        Pem("box.key", "PRIVATE KEY");
        Pem("commands.pub.pem", "PUBLIC KEY");
        Pem("next.pub.pem", "PUBLIC KEY");
        Assert.Empty(After(all));
        Assert.Contains("command_keys: [/etc/nfr/command.key, /etc/nfr/command.key.2]\n  homeassistant: yes\n", Config, StringComparison.Ordinal);
        AssertTheSensorTakesIt();
        Assert.Contains("host: \"https://engine.example.net\"", Config, StringComparison.Ordinal);
        Assert.Contains("api_key: \"0123456789abcdef\"", Config, StringComparison.Ordinal);
        Assert.Contains("broker: \"mqtts://broker.example.net:8883\"", Config, StringComparison.Ordinal);
        Assert.Contains("update:\n  url: \"https://updates.example.net/nfr/latest.nfru.head\"\n", Config, StringComparison.Ordinal);
        Assert.Contains("- \"2001:db8::/32\"", Read("data/settings/nfr/scope.yml"), StringComparison.Ordinal);
    }

    [Fact]
    public void Windows_line_ends_and_mark_and_a_missing_last_line_end_are_read()
    {
        Assert.Empty(After("\ufeffname = Hall-3\r\ntimezone = Europe/Berlin\r\nsite = works"));
        Assert.Contains("name = hall-3", Read("run/nfr-boot/understood"), StringComparison.Ordinal);
        Assert.Contains("site = works", Read("run/nfr-boot/understood"), StringComparison.Ordinal);
        Assert.EndsWith("Europe/Berlin", new FileInfo(At("run/nfr-boot/localtime")).LinkTarget!, StringComparison.Ordinal);
    }

    [Theory]
    // A Pi's, and one of letters that are no digits.
    [InlineData("10000000abCDEf12\0", "0123456789abcdef0123456789abcdef", "nfr-cdef12")]
    [InlineData("none\0", "0123456789abcdef0123456789abcdef", "nfr-012345")]
    [InlineData(null, "0123456789abcdef0123456789abcdef", "nfr-012345")]
    [InlineData(null, "", "nfr")]
    [InlineData(null, null, "nfr")]
    public void Two_boxes_without_a_name_have_two(string? serial, string? identity, string name)
    {
        if (serial is not null)
        {
            Directory.CreateDirectory(At("proc/device-tree"));
            File.WriteAllText(At("proc/device-tree/serial-number"), serial);
        }
        if (identity is not null)
        {
            Directory.CreateDirectory(At("etc"));
            File.WriteAllText(At("etc/machine-id"), identity + "\n");
        }
        Assert.Empty(After("# nothing\n"));
        Assert.Contains($"name = {name}\n", Read("run/nfr-boot/understood"), StringComparison.Ordinal);
        After("name = Own\n");
        Assert.Contains("name = own\n", Read("run/nfr-boot/understood"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("just words", "is no setting; write \"name = value\"")]
    [InlineData("nane = x", "do you mean name?")]
    [InlineData("Engine_Key = 0123456789", "do you mean engine.key?")]
    [InlineData("gatway = 10.0.0.1", "do you mean gateway?")]
    [InlineData("colour = red", "nobody knows the name \"colour\"")]
    [InlineData("name =", "has no value")]
    [InlineData("name = höhe", "letters, digits and hyphens")]
    [InlineData("name = a;reboot", "letters, digits and hyphens")]
    [InlineData("timezone = Mars/Base", "no time zone \"Mars/Base\"")]
    [InlineData("timezone = ../../etc/passwd", "no time zone")]
    [InlineData("engine.url = engine.example.net", "https://engine.example.net")]
    [InlineData("update.url = updates.example.net/nfr.head", "https://updates.example.net/nfr/latest.nfru.head")]
    [InlineData("config = extra.yml", "nobody knows the name \"config\"")]
    [InlineData("engine.key = has blanks", "copy it anew")]
    [InlineData("broker = broker.example.net", "mqtts://broker.example.net:8883")]
    [InlineData("address = 10.1.2.300/24", "192.0.2.10/24")]
    [InlineData("address = 10.1.2.3", "192.0.2.10/24")]
    [InlineData("dns = 10.0.0.1 dns.example", "\"dns.example\" is no address")]
    [InlineData("vlan = 4095", "from 1 to 4094")]
    [InlineData("networks = 10.0.0.0/8 10/8", "\"10/8\" is no network")]
    [InlineData("networks = 2001:db8::/129", "is no network")]
    [InlineData("ssh.key = ssh-rsa nonsense", "the file that ends in .pub")]
    [InlineData("broker.ca = ../../data/x", "a file that lies beside nfr.txt")]
    [InlineData("management = eth99", "there is no port eth99 now; this box has: end0")]
    [InlineData("capture = eth99", "there is no port eth99 now")]
    [InlineData("gateway = 10.0.0.1", "used together with address")]
    [InlineData("broker.user = x", "of no use without broker")]
    [InlineData("homeassistant = yes", "of no use without broker")]
    [InlineData("homeassistant = maybe", "expected yes or no")]
    [InlineData("command.key.2 = x.pem", "do you mean command.key?")]
    public void A_wrong_line_is_named_with_its_number_and_what_to_do(string line, string words)
    {
        string[] faults = After("# first\n\n" + line + "\n");
        Assert.Contains(words, Assert.Single(faults), StringComparison.Ordinal);
        Assert.StartsWith("nfr.txt line 3: ", faults[0], StringComparison.Ordinal);
        Assert.Contains(faults[0], Read("card/nfr.txt.report"), StringComparison.Ordinal);
        // And the box records all the same.
        Assert.Contains("sniffer:", Config, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_keys_for_commands_may_be_named_and_no_third()
    {
        foreach (string name in new[] { "a.pem", "b.pem", "c.pem" }) Pem(name, "PUBLIC KEY");
        string fault = Assert.Single(After("broker = mqtts://b.example\ncommand.key = a.pem\ncommand.key = b.pem\ncommand.key = c.pem\n"));
        Assert.StartsWith("nfr.txt line 4: command.key is given a third time; lines 2 and 3 count", fault, StringComparison.Ordinal);
        Assert.Contains("command_keys: [/etc/nfr/command.key, /etc/nfr/command.key.2]\n", Config, StringComparison.Ordinal);
        // The old one goes, and so does what was kept of it.
        Assert.Empty(After("broker = mqtts://b.example\ncommand.key = b.pem\n"));
        Assert.False(File.Exists(At("data/settings/nfr/command.key.2")));
    }

    [Fact]
    public void A_name_given_twice_counts_once_and_says_which() =>
        Assert.Equal(["nfr.txt line 2: name is given a second time; line 1 counts, remove one of the two"], After("name = one\nname = two\n"));

    [Fact]
    public void A_wrong_secret_is_not_repeated_anywhere()
    {
        string[] faults = After("engine.key = Sehr Geheim\nbroker.password my Geheim2\n");
        Assert.Equal(2, faults.Length);
        Assert.DoesNotContain(faults, f => f.Contains("Geheim", StringComparison.Ordinal));
        Assert.DoesNotContain("Geheim", Read("card/nfr.txt.report"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("engine.key: c2VjcmV0LXNlY3JldA==", "engine.key", "c2VjcmV0LXNlY3JldA==")]
    [InlineData("engine.key:c2VjcmV0LXNlY3JldA==", "engine.key", "c2VjcmV0LXNlY3JldA==")]
    [InlineData("  engine.key : \"c2VjcmV0LXNlY3JldA==\"\r", "engine.key", "c2VjcmV0LXNlY3JldA==")]
    [InlineData("engine.key c2VjcmV0LXNlY3JldA==", "engine.key", "c2VjcmV0LXNlY3JldA==")]
    [InlineData("engine.key\tc2VjcmV0LXNlY3JldA==\r", "engine.key", "c2VjcmV0LXNlY3JldA==")]
    [InlineData("broker.password hunter2=abc", "broker.password", "hunter2=abc")]
    [InlineData("broker.password: hunter2 = a:bc", "broker.password", "hunter2 = a:bc")]
    public void A_secret_behind_a_colon_or_a_blank_is_taken_over_and_leaves_the_card(string line, string name, string secret)
    {
        string text = $"broker = mqtts://b.example\nbroker.user = x\n{line}\nengine.url = https://e.example\nsite = works\n";
        Assert.Empty(After(text));
        Assert.Equal(secret, Read("data/settings/taken/" + name));
        Assert.Equal(text.Length, Text.Length);
        AssertNowhere(secret[..7]);
        Assert.Contains($"line 3 was read as \"{name} = ...\"", Read("card/nfr.txt.report"), StringComparison.Ordinal);
        Start();
        Assert.Empty(Faults);
        Assert.Contains($"\"{secret}\"", Config, StringComparison.Ordinal);
    }

    /// <summary>Neither on the card nor among what is shown, nor in the copy for a start without a card.</summary>
    void AssertNowhere(string secret)
    {
        Assert.DoesNotContain(secret, Text, StringComparison.Ordinal);
        AssertNotTold(secret);
    }

    void AssertNotTold(string secret)
    {
        Assert.Equal("", Shell.Run($"grep -rl -e '{secret}' {At("run")} {At("card/nfr.txt.report")} {At("data/settings/nfr.txt")} || true"));
    }

    [Theory]
    [InlineData("broker.password my Geheim=word", "broker.password")]
    [InlineData("broker.password is Geheim", "broker.password")]
    [InlineData("engine.key; Geheim1234=\r", "engine.key")]
    [InlineData("engine.key/Geheim1234", "engine.key")]
    [InlineData("engine.key>Geheim1234=", "engine.key")]
    public void A_secret_of_which_it_is_not_clear_where_it_begins_is_erased_and_the_fault_stays(string line, string name)
    {
        string text = $"\ufeff{line}\nsite = works\n", fault = $"nfr.txt line 1: between {name} and its value there is no \"=\"; write \"{name} = value\" anew: what stood behind the name is not taken over, and erased from the card";
        Assert.Equal(fault, Assert.Single(After(text)));
        AssertNowhere("Geheim");
        Assert.Equal(System.Text.Encoding.UTF8.GetByteCount(text), new FileInfo(At("card/nfr.txt")).Length);
        Assert.EndsWith("\nsite = works\n", Text, StringComparison.Ordinal);
        Assert.False(File.Exists(At("data/settings/taken/" + name)));
        Start();
        Assert.Equal(fault, Assert.Single(Faults));
    }

    [Fact]
    public void One_that_is_not_clear_takes_none_with_it_that_could_not_be_kept()
    {
        Full("taken/engine.key");
        After("engine.key; Geheim1234\nengine.key = 0123456789abcdef\n");
        Assert.EndsWith("\nengine.key = 0123456789abcdef\n", Text, StringComparison.Ordinal);
        AssertNowhere("Geheim");
    }

    [Theory]
    [InlineData("engine.keyGeheim123", "the line that begins with \"engine.key...\" is no setting; write \"engine.key = value\"")]
    [InlineData("engine.key-Geheim123==", "nobody knows the name \"engine.key...\"")]
    [InlineData("broker.password.Geheim: x", "nobody knows the name \"broker.password...\"")]
    [InlineData("engine.kye = Geheim123", "nobody knows the name \"engine.kye\"; do you mean engine.key?")]
    [InlineData("Engine Key: Geheim123", "nobody knows the name \"Engine\"; do you mean engine.key?")]
    [InlineData("\"engine.key\" = Geheim123", "the line does not begin with a name; do you mean engine.key?")]
    [InlineData("engine.key = Geheim 123", "a key has 8 to 512 letters")]
    public void What_may_be_a_secret_is_told_to_nobody_and_stays_on_the_card_to_be_mended(string line, string words)
    {
        Assert.Contains(words, Assert.Single(After(line + "\nsite = works\n")), StringComparison.Ordinal);
        AssertNotTold("Geheim");
        Assert.StartsWith(line, Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_colon_is_as_good_as_an_equals_sign()
    {
        Assert.Empty(After("name: hall-3\nengine.url : https://engine.example.net:8443/a\nnetworks:10.0.0.0/8 2001:db8::/32\n"));
        Assert.Contains("name = hall-3", Read("run/nfr-boot/understood"), StringComparison.Ordinal);
        Assert.Contains("host: \"https://engine.example.net:8443/a\"", Config, StringComparison.Ordinal);
        Assert.Contains("- \"2001:db8::/32\"", Read("data/settings/nfr/scope.yml"), StringComparison.Ordinal);
        // It is a file with settings, too, for a box that has had another.
        Assert.Empty(After("name: hall-4\n"));
    }

    [Theory]
    [InlineData(@"timezone = Europe\cairo", @"there is no time zone ""Europe\cairo""; write one")]
    [InlineData(@"capture = \033[31m\nx", @"""\033[31m\nx"" is no port's name")]
    [InlineData(@"networks = 10.0.0.0/8 \c10/8", @"""\c10/8"" is no network")]
    [InlineData(@"ntp = a\nb", @"""a\nb"" is no name or address")]
    [InlineData("address = 192.0.2.1/24\ngateway = 192.0.2.2\ndns = \\x\\cy", @"""\x\cy"" is no address")]
    public void A_backslash_is_a_letter_like_any_other(string line, string words)
    {
        Text = line + "\n";
        string said = Start();
        Assert.Contains(words, Assert.Single(Faults), StringComparison.Ordinal);
        Assert.Contains(words, said, StringComparison.Ordinal);
        Assert.Contains(words, Read("card/nfr.txt.report"), StringComparison.Ordinal);
        Assert.DoesNotContain('\e', said);
    }

    [Fact]
    public void What_was_read_is_seen_by_root_alone_and_goes_with_the_script()
    {
        Text = "engine.key = 0123456789abcdef\n";
        // Asked in the middle of it all.
        Start(Checker($"stat -c %a {At("run/nfr-boot/private")} > {At("mode")}"));
        Assert.Equal("700\n", Read("mode"));
        Assert.False(Directory.Exists(At("run/nfr-boot/private")));
        Assert.Equal("", Shell.Run($"grep -rl 0123456789abcdef {At("run")} || true"));
    }

    [Fact]
    public void Bytes_that_are_no_text_do_no_harm()
    {
        byte[] noise = new byte[100_000];
        new Random(7).NextBytes(noise);
        File.WriteAllBytes(At("card/nfr.txt"), noise);
        Start();
        Assert.Contains("nfr.txt is longer than 64 KiB; only its beginning was read", Faults);
        Assert.Contains("sniffer:", Config, StringComparison.Ordinal);
        Assert.DoesNotContain(Read("card/nfr.txt.report"), c => c is (< ' ' or > '~') and not '\r' and not '\n');
    }

    [Fact]
    public void Without_a_file_the_box_records_and_says_that_it_is_missing()
    {
        Start();
        Assert.Contains("there is no nfr.txt on the card", Assert.Single(Faults), StringComparison.Ordinal);
        Assert.Contains("interface: [enx001122334455]", Config, StringComparison.Ordinal);
    }

    [Fact]
    public void What_nfr_txt_said_last_stays_in_force_when_it_is_gone()
    {
        After("name = hall-3\nengine.url = https://engine.example.net\nengine.key = 0123456789abcdef\nssh.key = ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHVzZXJrZXl1c2Vya2V5dXNlcmtleXVzZXJrZXl1c2Vya2V5 me@desk\naddress = 192.0.2.10/24\ngateway = 192.0.2.1\n");
        string before = Config;
        Assert.DoesNotContain("0123456789", Read("data/settings/nfr.txt"), StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(At("data/settings/nfr.txt")));
        File.Delete(At("card/nfr.txt"));
        Start();
        Assert.EndsWith("What it said last stays in force", Assert.Single(Faults), StringComparison.Ordinal);
        Assert.Equal(before, Config);
        Assert.Contains("me@desk", Read("data/settings/authorized_keys"), StringComparison.Ordinal);
        Assert.Contains("Address=192.0.2.10/24", Read("run/systemd/network/10-nfr-management.network"), StringComparison.Ordinal);
        // A file that is there is what counts again, even when it sets nothing: then the key that was kept goes nowhere, and least of all to the default engine.
        Assert.StartsWith("nfr.txt has no engine.url, so the engine.key of this box is used for nothing", Assert.Single(After("# nothing\n")), StringComparison.Ordinal);
        Assert.DoesNotContain("engine:", Config, StringComparison.Ordinal);
        Assert.Empty(After("engine.key = none\n"));
        Assert.False(File.Exists(At("data/settings/authorized_keys")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\0\0\0\0\0\0\0\0")]
    [InlineData("\u0007\u0001j\n=\n\u0003#\n")]
    public void A_file_that_rotted_or_was_cut_off_is_as_if_it_were_gone(string text)
    {
        After("name = hall-3\nengine.url = https://engine.example.net\nengine.key = 0123456789abcdef\n");
        string before = Config, kept = Read("data/settings/nfr.txt");
        Assert.StartsWith("nfr.txt on the card is empty or rotten", Assert.Single(After(text)), StringComparison.Ordinal);
        Assert.Equal((before, kept), (Config, Read("data/settings/nfr.txt")));
    }

    [Theory]
    [InlineData("# engine.url = https://engine.example.net\n")]
    [InlineData("")]
    public void Without_an_address_a_key_goes_to_nobody(string line)
    {
        Assert.Empty(After("engine.url = https://engine.example.net\nengine.key = 0123456789abcdef\n"));
        // Taken away, lost, or never written: nothing in the card's text says so but that it is not there.
        Assert.Contains("\"engine.key = none\" to have the key forgotten", Assert.Single(After(line + "site = works\n")), StringComparison.Ordinal);
        Assert.DoesNotContain("engine:", Config, StringComparison.Ordinal);
        Start();
        Assert.Single(Faults);
        Assert.DoesNotContain("engine:", Config, StringComparison.Ordinal);
        Assert.Single(After(line + "engine.key = another-key-0001\n"));
        Assert.DoesNotContain("engine:", Config, StringComparison.Ordinal);
        Assert.Empty(After("engine.url = https://engine.example.net\n"));
        Assert.Contains("api_key: \"another-key-0001\"", Config, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("engine.url = engine.example.net")]
    [InlineData("engine.url =")]
    [InlineData("engine_url = https://engine.example.net")]
    [InlineData("engine.url https://engine.example.net")]
    public void Beside_a_wrong_address_a_key_is_shown_to_nobody(string line)
    {
        Assert.Single(After(line + "\nengine.key = 0123456789abcdef\n"));
        Assert.DoesNotContain("engine:", Config, StringComparison.Ordinal);
        Assert.Contains("no engine, until engine.url is right", Read("run/nfr-boot/understood"), StringComparison.Ordinal);
        // The key is kept for when it is right.
        Assert.Empty(After("engine.url = https://engine.example.net\n"));
        Assert.Contains("api_key: \"0123456789abcdef\"", Config, StringComparison.Ordinal);
    }

    [Fact]
    public void A_secret_moves_into_the_box_and_its_bytes_leave_the_card()
    {
        const string text = "name = one\r\nengine.url = https://e.example\r\nengine.key = 0123456789abcdef0123456789abcdef\r\nsite = works\r\n";
        Assert.Empty(After(text));
        Assert.Equal("0123456789abcdef0123456789abcdef", Read("data/settings/taken/engine.key"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(At("data/settings/taken/engine.key")));
        Assert.DoesNotContain("0123456789", Text, StringComparison.Ordinal);
        // Overwritten in place: the length is the same, and so are the other lines.
        Assert.Equal(text.Length, Text.Length);
        Assert.Contains("# engine.key was taken over", Text, StringComparison.Ordinal);
        Assert.StartsWith("name = one\r\nengine.url = https://e.example\r\n", Text, StringComparison.Ordinal);
        Assert.EndsWith("\r\nsite = works\r\n", Text, StringComparison.Ordinal);

        // The next start has it still; a new line replaces it; none removes it.
        Start();
        Assert.Contains("api_key: \"0123456789abcdef0123456789abcdef\"", Config, StringComparison.Ordinal);
        After("engine.url = https://e.example\nengine.key=another-key-0001\n");
        Assert.Contains("api_key: \"another-key-0001\"", Config, StringComparison.Ordinal);
        Assert.DoesNotContain("another", Text, StringComparison.Ordinal);
        Assert.Empty(After("engine.key = none\n"));
        Assert.False(File.Exists(At("data/settings/taken/engine.key")));
        Assert.DoesNotContain("api_key", Config, StringComparison.Ordinal);
        Assert.DoesNotContain("none", Text, StringComparison.Ordinal);
        Start();
        Assert.Empty(Faults);
    }

    [Fact]
    public void A_private_key_moves_and_certificates_stay()
    {
        Pem("ca.pem", "CERTIFICATE");
        Pem("box.crt", "CERTIFICATE");
        Pem("box.key", "PRIVATE KEY");
        const string text = "broker = mqtts://broker.example.net\nbroker.ca = ca.pem\nbroker.certificate = box.crt\nbroker.key = box.key\n";
        Assert.Empty(After(text));
        Assert.False(File.Exists(At("card/box.key")));
        Assert.True(File.Exists(At("card/ca.pem")));
        Assert.Contains("PRIVATE KEY", Read("data/settings/nfr/broker.key"), StringComparison.Ordinal);
        // The file is gone, the line stands: that is no fault.
        Start();
        Assert.Empty(Faults);
        Assert.Contains("certificate: /etc/nfr/broker.certificate", Config, StringComparison.Ordinal);
    }

    [Fact]
    public void With_nothing_but_memory_for_data_the_card_keeps_the_secrets()
    {
        File.WriteAllText(At("run/nfr-boot/data-lost"), "the data partition cannot be mounted\n");
        After("engine.url = https://e.example\nengine.key = 0123456789abcdef\n");
        Assert.Contains("engine.key = 0123456789abcdef", Text, StringComparison.Ordinal);
        Assert.Contains("api_key: \"0123456789abcdef\"", Config, StringComparison.Ordinal);
    }

    [Fact]
    public void A_secret_that_the_box_could_not_keep_stays_on_the_card()
    {
        Full("taken/engine.key");
        Full("nfr/broker.key");
        Pem("box.crt", "CERTIFICATE");
        Pem("box.key", "PRIVATE KEY");
        string[] faults = After("engine.key = 0123456789abcdef\nbroker = mqtts://b.example\nbroker.certificate = box.crt\nbroker.key = box.key\n");
        Assert.Contains(faults, f => f.StartsWith("nfr.txt line 1: engine.key could not be kept in the box; it stays on the card", StringComparison.Ordinal));
        Assert.Contains(faults, f => f.StartsWith("nfr.txt line 4: broker.key: the file box.key could not be kept in the box; it stays on the card", StringComparison.Ordinal));
        Assert.StartsWith("engine.key = 0123456789abcdef\n", Text, StringComparison.Ordinal);
        Assert.Contains("PRIVATE KEY", Read("card/box.key"), StringComparison.Ordinal);
        // What the box holds from before is not what stands there: that one is not erased either.
        File.WriteAllText(At("data/settings/taken/engine.key"), "an-older-key");
        Start();
        Assert.StartsWith("engine.key = 0123456789abcdef\n", Text, StringComparison.Ordinal);
        // And when there is room again, it is as ever.
        Directory.Delete(At("data/settings/taken/engine.key.new"), recursive: true);
        Start();
        Assert.Equal("0123456789abcdef", Read("data/settings/taken/engine.key"));
        Assert.DoesNotContain("0123456789", Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_config_that_could_not_be_written_is_a_fault_and_the_one_before_stays()
    {
        After("name = x\n");
        string before = Config;
        Full("nfr/config.yml");
        Assert.Contains("the sensor's config could not be written to the data partition", Assert.Single(After("engine.url = https://engine.example.net\n")), StringComparison.Ordinal);
        Assert.Equal(before, Config);
    }

    [Fact]
    public void A_file_that_is_missing_or_no_certificate_is_named()
    {
        File.WriteAllText(At("card/ca.pem"), "hello");
        string[] faults = After("broker = mqtts://b.example\nbroker.ca = ca.pem\nbroker.certificate = none.crt\n");
        Assert.Contains(faults, f => f.StartsWith("nfr.txt line 2: broker.ca: the file ca.pem is no PEM file", StringComparison.Ordinal));
        Assert.Contains(faults, f => f.StartsWith("nfr.txt line 3: broker.certificate: there is no file none.crt on the card", StringComparison.Ordinal));
    }

    [Fact]
    public void An_ssh_key_opens_the_port_and_its_absence_closes_it()
    {
        After("ssh.key = ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHVzZXJrZXl1c2Vya2V5dXNlcmtleXVzZXJrZXl1c2Vya2V5 me@desk\n");
        Assert.Contains("me@desk", Read("data/settings/authorized_keys"), StringComparison.Ordinal);
        Assert.Contains("tcp dport 22", Read("run/nfr-boot/firewall/nfr.nft"), StringComparison.Ordinal);
        After("name = x\n");
        Assert.False(File.Exists(At("data/settings/authorized_keys")));
        Assert.DoesNotContain("dport", Read("run/nfr-boot/firewall/nfr.nft"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_fixed_address_and_a_vlan_make_the_network()
    {
        Assert.Empty(After("address = 192.0.2.10/24\ngateway = 192.0.2.1\ndns = 192.0.2.1 2001:db8::53\nvlan = 20\n"));
        string network = Read("run/systemd/network/10-nfr-management.network");
        Assert.Contains("Name=nfr.20", network, StringComparison.Ordinal);
        Assert.Contains("Address=192.0.2.10/24\nGateway=192.0.2.1\nDNS=192.0.2.1\nDNS=2001:db8::53\n", network, StringComparison.Ordinal);
        Assert.Contains("DHCP=no", network, StringComparison.Ordinal);
        Assert.Contains("{ \"nfr.20\" }", Read("run/nfr-boot/firewall/nfr.nft"), StringComparison.Ordinal);
        // And back to DHCP without a trace of it.
        After("name = x\n");
        Assert.Single(Directory.GetFiles(At("run/systemd/network")));
    }

    [Fact]
    public void The_boards_own_port_that_captures_is_given_no_address()
    {
        After("management = enx001122334455\ncapture = end0\n");
        string file = Assert.Single(Directory.GetFiles(At("run/systemd/network")));
        Assert.Contains("Name=enx001122334455\n", File.ReadAllText(file), StringComparison.Ordinal);
        Assert.DoesNotContain("end0", File.ReadAllText(file), StringComparison.Ordinal);
    }

    [Fact]
    public void With_one_port_it_is_managed_and_captures()
    {
        Directory.Delete(At("sys/class/net/enx001122334455"), recursive: true);
        After("");
        Assert.Contains("interface: [end0]", Config, StringComparison.Ordinal);
        Assert.StartsWith("one port does both: end0 is managed and captures", Assert.Single(Faults), StringComparison.Ordinal);
        // Said in so many words, it is no fault.
        Assert.Empty(After("management = end0\ncapture = end0\n"));
        Assert.Empty(After("management = none\n"));
        Assert.Contains("interface: [end0]", Config, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(At("run/systemd/network")));
    }

    [Fact]
    public void What_the_sensor_refuses_is_left_out_and_said()
    {
        string checker = Checker("! grep -q broker \"$4\" || { echo \"$4:12: fleet.broker: no such thing\"; exit 1; }");
        Text = "engine.url = https://e.example\nengine.key = 0123456789abcdef\nbroker = mqtts://b.example\nupdate.url = https://updates.example.net/nfr.head\n";
        Start(checker);
        Assert.Contains("fleet.broker: no such thing", Assert.Single(Faults), StringComparison.Ordinal);
        Assert.Contains("api_key", Config, StringComparison.Ordinal);
        Assert.Contains("updates.example.net", Config, StringComparison.Ordinal);
        Assert.DoesNotContain("fleet", Config, StringComparison.Ordinal);
    }

    [Fact]
    public void A_config_that_nothing_can_be_said_of_is_used_all_the_same()
    {
        Text = "name = x\n";
        Start("false");
        Assert.Contains("sniffer:", Config, StringComparison.Ordinal);
        Assert.Single(Faults);
    }

    [Fact]
    public void Values_cannot_leave_their_place_in_the_config()
    {
        After("broker = mqtts://b.example\nbroker.user = a\"b\\c: [d]\n");
        Assert.Contains("username: \"a\\\"b\\\\c: [d]\"", Config, StringComparison.Ordinal);
    }

    [Fact]
    public void The_card_is_not_written_when_there_is_nothing_new_to_say()
    {
        After("name = x\n");
        DateTime then = new(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(At("card/nfr.txt.report"), then);
        File.SetLastWriteTimeUtc(At("card/nfr.txt"), then);
        Start();
        Assert.Equal(then, File.GetLastWriteTimeUtc(At("card/nfr.txt.report")));
        Assert.Equal(then, File.GetLastWriteTimeUtc(At("card/nfr.txt")));
    }
}
