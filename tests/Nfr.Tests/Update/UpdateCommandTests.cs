using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;
using Nfr.Commands;
using Nfr.Config;
using Nfr.Health;
using Nfr.Panel;
using Nfr.Pipeline;
using Nfr.Tests.Uplink;
using Nfr.Update;

namespace Nfr.Tests.Update;

[AttributeUsage(AttributeTargets.Method)]
public sealed class RootFactAttribute : FactAttribute
{
    public RootFactAttribute() => Skip = OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess ? null : "needs root, as nfr update does";
}

/// <summary>The command as a person runs it, on a box that is a folder: files for partitions, a script like the image's.</summary>
[SupportedOSPlatform("linux")]
public sealed class UpdateCommandTests : IDisposable
{
    readonly Bundles _bundles = new();
    readonly AppliancePaths _paths;

    public UpdateCommandTests()
    {
        string At(string name) => Path.Combine(_bundles.Folder, name);
        Directory.CreateDirectory(At("keys"));
        File.WriteAllText(At("keys/release.pem"), _bundles.Key.ExportSubjectPublicKeyInfoPem());
        foreach (char slot in "ab")
        {
            _bundles.Save($"{slot}boot", _bundles.OldBoot);
            _bundles.Save($"{slot}root", _bundles.OldRoot);
        }
        File.WriteAllText(At("image.json"), """{"version":"2.0.0","counter":11,"hardware":"rpi-arm64","slots":{"a":{"boot":"@@/aboot","root":"@@/aroot"},"b":{"boot":"@@/bboot","root":"@@/broot"}}}"""
            .Replace("@@", _bundles.Folder, StringComparison.Ordinal));
        File.WriteAllText(At("booted"), "a");
        File.WriteAllText(At("lasting"), "a");
        File.WriteAllText(At("slot.sh"), """
            #!/bin/sh
            cd '@@' || exit 1
            echo "$1" >> calls
            case $1 in
              booted) cat booted ;;
              lasting) cat lasting ;;
              try) [ ! -e broken ] || { echo "the FAT partition is read-only" >&2; exit 1; }; touch armed ;;
              cancel) rm -f armed ;;
              good) cp booted lasting ;;
              *) exit 2 ;;
            esac

            """.Replace("@@", _bundles.Folder, StringComparison.Ordinal));
        File.SetUnixFileMode(At("slot.sh"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        _paths = new AppliancePaths
        {
            Image = At("image.json"), Keys = At("keys"), Script = At("slot.sh"), Record = At("data/record.json"), Lock = At("lock"), Progress = At("run/update.json"), Interfaces = At("net"),
            Reboot = ["touch", At("rebooted")], Journal = At("journal"),
        };
    }

    public void Dispose() => _bundles.Dispose();

    bool There(string name) => File.Exists(Path.Combine(_bundles.Folder, name));

    (int Code, string Out, string Error) Run(params string[] arguments) => Run(new StringWriter(), arguments);

    (int Code, string Out, string Error) Run(StringWriter heard, string[] arguments)
    {
        var terminal = new Terminal(new StringReader(""), new StringWriter(), heard);
        int code = CommandLine.Run(arguments, terminal, new Wiring
        {
            Read = (_, _, _) => 0, Start = (_, _, _) => 0, Account = (_, _) => throw new InvalidOperationException("not asked for"),
            DefaultConfig = Path.Combine(_bundles.Folder, "config.yml"), Appliance = _paths,
        });
        return (code, terminal.Out.ToString()!, terminal.Error.ToString()!);
    }

    string Bundle(byte[]? bytes = null) => _bundles.Save("given.nfru", bytes ?? _bundles.Make());

    byte[] Content(string name) => File.ReadAllBytes(Path.Combine(_bundles.Folder, name));

    void Configure(string text) => File.WriteAllText(Path.Combine(_bundles.Folder, "config.yml"), text);

    [RootFact]
    public void A_file_is_written_tried_and_rebooted_into()
    {
        (int code, string output, string error) = Run("update", Bundle());
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("2.1.0 (12) is in slot b; the box reboots into it now. It stays when its sensor is well, else 2.0.0 (11) comes back.", output, StringComparison.Ordinal);
        Assert.Equal(_bundles.NewRoot, Content("broot")[..Bundles.RootBytes]);
        Assert.Equal(_bundles.OldRoot, Content("aroot"));
        Assert.True(There("armed") && There("rebooted"));
        Assert.Contains("the next reboot tries it", Run("update", "status").Out, StringComparison.Ordinal);
    }

    [RootFact]
    public void Without_a_reboot_it_waits_for_one()
    {
        Assert.Equal(0, Run("update", Bundle(), "--no-reboot").Code);
        Assert.True(There("armed"));
        Assert.False(There("rebooted") || There("run/update.json"));
        // The display says the same of it as the status.
        Assert.Contains("the next reboot tries it", Run("update", "status").Out, StringComparison.Ordinal);
        Assert.Equal(PanelUpdatePhase.Waiting, BoxNotes.Read(new BoxNotePlaces(_bundles.Folder, _paths.Progress, _paths.Record), TimeProvider.System).Update.Phase);
    }

    [RootFact]
    public void What_is_refused_is_one_line()
    {
        (int code, string output, string error) = Run("update", Bundle([.. "GIF89a and more of it"u8]));
        Assert.Equal((1, "reading the bundle's head\n", "nfr: this is no update bundle; one is made by nfr update make and begins with NFRUPD1\n"), (code, output, error));
        Assert.False(There("armed"));
        // Who looks at the box later finds it too, the other updates' record being what it was.
        Assert.Contains("An update was not taken after that: this is no update bundle", Run("update", "status").Out, StringComparison.Ordinal);
        Assert.Contains("\"notTaken\":{\"phase\":\"refused\"", Run("update", "status", "--json").Out, StringComparison.Ordinal);
        Assert.False(There("data/record.json"));
        Assert.Equal(0, Run("update", Bundle(), "--no-reboot").Code);
        Assert.DoesNotContain("not taken", Run("update", "status").Out, StringComparison.Ordinal);
        Assert.Contains("cannot be read", Run("update", "/no/such/file").Error, StringComparison.Ordinal);
        Assert.Contains("no address that a bundle can be fetched from", Run("update", "ftp://example.net/x").Error, StringComparison.Ordinal);
    }

    [RootFact]
    public void What_is_refused_stands_in_the_machines_journal_in_one_message()
    {
        using var journal = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 60_000 };
        journal.Bind(new UnixDomainSocketEndPoint(_paths.Journal));
        Assert.Equal(1, Run("update", Bundle([.. "GIF89a and more of it"u8])).Code);
        byte[] message = new byte[8192];
        string said = Encoding.UTF8.GetString(message, 0, journal.Receive(message));
        Assert.Equal("PRIORITY=4\nSYSLOG_IDENTIFIER=nfr-update\nMESSAGE=an update was not taken: this is no update bundle; one is made by nfr update make and begins with NFRUPD1\n", said.Replace("\\n", "", StringComparison.Ordinal));
        // A field that a bundle would like to add stays a part of the sentence.
        UpdateJournal.Write(_paths.Journal, "one\nPRIORITY=0\n" + new string('x', 9000));
        said = Encoding.UTF8.GetString(message, 0, journal.Receive(message));
        Assert.Equal(3, said.Count(c => c == '\n'));
        Assert.InRange(said.Length, 1000, 2100);
    }

    [RootFact]
    public void The_scripts_own_reason_is_told_and_the_record_has_it()
    {
        _bundles.Save("broken", []);
        (int code, _, string error) = Run("update", Bundle());
        Assert.Equal(1, code);
        Assert.EndsWith("try failed with 1: the FAT partition is read-only\n", error, StringComparison.Ordinal);
        Assert.Contains("The update to 2.1.0 (12) was not finished; what runs is as before. Why: ", Run("update", "status").Out, StringComparison.Ordinal);
        // The machine starts anew, and what was said in /run is gone.
        Directory.Delete(Path.Combine(_bundles.Folder, "run"), recursive: true);
        PanelUpdate told = BoxNotes.Read(new BoxNotePlaces(_bundles.Folder, _paths.Progress, _paths.Record), TimeProvider.System).Update;
        Assert.Equal(PanelUpdatePhase.Failed, told.Phase);
        Assert.EndsWith("the FAT partition is read-only", told.Reason, StringComparison.Ordinal);
        Assert.False(There("armed") || There("rebooted"));
    }

    [RootFact]
    public void Status_tells_an_update_that_was_cut_off_from_one_that_is_under_way()
    {
        Directory.CreateDirectory(Path.Combine(_bundles.Folder, "data"));
        File.WriteAllBytes(_paths.Record, new UpdateRecord(UpdatePhase.Writing, 'b', "2.1.0", 12, "another boot").Write());
        Assert.Contains("The update to 2.1.0 (12) was cut off while slot b was written; begin it again.", Run("update", "status").Out, StringComparison.Ordinal);
        Assert.Contains("\"underWay\":false", Run("update", "status", "--json").Out, StringComparison.Ordinal);
        using var progress = new UpdateProgress(_paths.Progress, _ => { }, TimeProvider.System);
        progress.Tell(new UpdateMoment("writing", "2.1.0", 41, "writing root to the idle slot"));
        Assert.Contains("The update to 2.1.0 (12) is being written to slot b.", Run("update", "status").Out, StringComparison.Ordinal);
        Assert.Contains("\"underWay\":true", Run("update", "status", "--json").Out, StringComparison.Ordinal);
    }

    [RootFact]
    public void A_script_that_hangs_is_ended()
    {
        File.WriteAllText(_paths.Script, "#!/bin/sh\nexec sleep 60\n");
        string why = Assert.Throws<UpdateException>(() => SlotScript.Call(_paths.Script, TimeSpan.FromMilliseconds(200), "booted")).Message;
        Assert.EndsWith("did not end within 0 s and was ended", why, StringComparison.Ordinal);
    }

    [RootFact]
    public void A_second_update_at_once_is_refused()
    {
        using UpdateLock first = UpdateLock.Take(_paths.Lock);
        Assert.Contains("is under way", Run("update", Bundle()).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_machine_that_is_no_appliance_says_so()
    {
        File.Delete(_paths.Image);
        foreach (string[] line in (string[][])[["update", "x"], ["update", "status"], ["update", "check"], ["update", "confirm"]])
            Assert.Contains("this machine is no NFR appliance", Run(line).Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"version":"2.0.0","counter":11,"hardware":"x","slots":{"a":{"boot":"/x","root":"/x"},"b":{"boot":"/y","root":"/z"}}}""")]
    public void An_image_file_that_makes_no_sense_is_refused(string text)
    {
        File.WriteAllText(_paths.Image, text);
        Assert.Contains("does not say version, counter, hardware", Run("update", "status").Error, StringComparison.Ordinal);
    }

    [RootFact]
    public void A_box_without_a_key_or_with_rubbish_for_one_believes_nothing()
    {
        File.WriteAllText(Path.Combine(_paths.Keys, "next.pem"), "hello");
        Assert.Contains("next.pem is no public key", Run("update", Bundle()).Error, StringComparison.Ordinal);
        Directory.Delete(_paths.Keys, recursive: true);
        Assert.Contains("so no update can be believed", Run("update", Bundle()).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_whole_file_is_read_by_all_and_takes_the_place_of_a_link()
    {
        string victim = Path.Combine(_bundles.Folder, "victim"), path = Path.Combine(_bundles.Folder, "whole.json");
        File.WriteAllText(victim, "stays");
        File.SetUnixFileMode(victim, UnixFileMode.UserRead);
        File.CreateSymbolicLink(path, victim);
        WholeFile.Write(path, "{}"u8, lasting: true);
        Assert.Null(new FileInfo(path).LinkTarget);
        Assert.Equal("{}", File.ReadAllText(path));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead, File.GetUnixFileMode(path));
        Assert.Equal(("stays", UnixFileMode.UserRead), (File.ReadAllText(victim), File.GetUnixFileMode(victim)));
    }

    [RootFact]
    public void A_private_key_among_those_to_believe_is_refused_in_words()
    {
        File.WriteAllText(Path.Combine(_paths.Keys, "next.pem"), _bundles.Key.ExportECPrivateKeyPem());
        Assert.Contains("next.pem has a private key", Run("update", Bundle()).Error, StringComparison.Ordinal);
        Assert.False(There("armed"));
    }

    [RootFact]
    public void A_partition_that_is_not_there_is_named()
    {
        File.Delete(Path.Combine(_bundles.Folder, "broot"));
        Assert.Contains("the root partition of the idle slot", Run("update", Bundle()).Error, StringComparison.Ordinal);
        Assert.False(There("armed"));
    }

    [RootFact]
    public void On_trial_without_a_sensor_it_goes_back()
    {
        Run("update", Bundle());
        File.WriteAllText(Path.Combine(_bundles.Folder, "booted"), "b");
        Configure("status:\n  socket: " + Path.Combine(_bundles.Folder, "none.sock") + "\n");
        File.Delete(Path.Combine(_bundles.Folder, "rebooted"));
        (int code, _, string error) = Run("update", "confirm", "--or-back", "--within", "0");
        Assert.Equal(ExitCode.Unwell, code);
        Assert.Contains("no sensor is running; rebooting into the system before", error, StringComparison.Ordinal);
        Assert.True(There("rebooted"));
        Assert.Equal("a", File.ReadAllText(Path.Combine(_bundles.Folder, "lasting")));
    }

    /// <summary>On trial in slot b, with a sensor that says this of itself.</summary>
    StatusSocket Trial(System.Text.Json.Nodes.JsonNode status)
    {
        Assert.Equal(0, Run("update", Bundle()).Code);
        File.Delete(Path.Combine(_bundles.Folder, "rebooted"));
        File.WriteAllText(Path.Combine(_bundles.Folder, "booted"), "b");
        string socket = Path.Combine(_bundles.Folder, "status.sock");
        Configure($"status:\n  socket: {socket}\n");
        byte[] said = Encoding.UTF8.GetBytes(status.ToJsonString());
        return StatusSocket.Open(NfrConfig.Default(Path.Combine(_bundles.Folder, "config.yml")) with { Status = new StatusConfig { Socket = socket } }, () => said, Serilog.Core.Logger.None)!;
    }

    static System.Text.Json.Nodes.JsonNode WellStatus()
    {
        System.Text.Json.Nodes.JsonNode status = SensorHealthTests.WithSpool(SensorHealthTests.Status());
        status["capture"]![0]!["packets"] = 1;
        return status;
    }

    [RootFact]
    public async Task A_trial_whose_sensor_is_well_is_confirmed_though_another_has_the_lock_for_a_moment()
    {
        using StatusSocket sensor = Trial(WellStatus());
        using var heard = new Heard("waiting for it to end");
        Task<(int Code, string Out, string Error)> confirm;
        using (UpdateLock.Take(_paths.Lock))
        {
            confirm = Task.Run(() => Run(heard, ["update", "confirm", "--or-back"]));
            Assert.Same(heard.Said, await Task.WhenAny(confirm, heard.Said).WaitAsync(TimeSpan.FromSeconds(120)));
        }
        (int code, string output, string error) = await confirm.WaitAsync(TimeSpan.FromSeconds(120));
        Assert.Equal((0, "b", false), (code, File.ReadAllText(Path.Combine(_bundles.Folder, "lasting")), There("rebooted")));
        Assert.Contains("is well and stays", output, StringComparison.Ordinal);
        Assert.Equal("another update, or the confirmation of one, is under way; waiting for it to end\n", error);
        // Whoever comes second finds it done.
        Assert.Equal((0, ""), (Run("update", "confirm", "--or-back").Code, Run("update", "confirm").Error));
    }

    /// <summary>Tells when a line with these words is written.</summary>
    sealed class Heard(string words) : StringWriter(System.Globalization.CultureInfo.InvariantCulture)
    {
        readonly TaskCompletionSource _said = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Said => _said.Task;

        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (value?.Contains(words, StringComparison.Ordinal) == true) _said.TrySetResult();
        }
    }

    [RootFact]
    public async Task Two_who_confirm_at_once_both_succeed()
    {
        using StatusSocket sensor = Trial(WellStatus());
        Task<(int Code, string Out, string Error)>[] both = [.. Enumerable.Range(0, 2).Select(_ => Task.Run(() => Run("update", "confirm", "--or-back")))];
        Assert.All(await Task.WhenAll(both).WaitAsync(TimeSpan.FromSeconds(120)), r => Assert.Equal(0, r.Code));
        Assert.Equal(("b", false), (File.ReadAllText(Path.Combine(_bundles.Folder, "lasting")), There("rebooted")));
    }

    [RootFact]
    public void An_update_on_trial_is_refused_before_it_asks_for_the_lock_or_the_bundle()
    {
        Assert.Equal(0, Run("update", Bundle()).Code);
        File.WriteAllText(Path.Combine(_bundles.Folder, "booted"), "b");
        using UpdateLock confirming = UpdateLock.Take(_paths.Lock);
        (int code, string output, string error) = Run("update", "/no/such/file");
        Assert.Equal((1, ""), (code, output));
        Assert.Contains("the running system is on trial", error, StringComparison.Ordinal);
    }

    [RootFact]
    public void A_config_with_mistakes_hinders_no_bundle_that_lies_here_and_may_mend_it()
    {
        Configure("no_such_section: 1\n");
        (int code, _, string error) = Run("update", Bundle());
        Assert.Equal(0, code);
        Assert.Contains("no_such_section", error, StringComparison.Ordinal);
        Assert.EndsWith("the config has mistakes, of which this update needs nothing: it goes on\n", error, StringComparison.Ordinal);
        Assert.Equal(_bundles.NewRoot, Content("broot")[..Bundles.RootBytes]);
        Assert.True(There("armed") && There("rebooted"));
    }

    [RootFact]
    public void A_config_with_mistakes_keeps_a_bundle_from_a_server_away_and_that_is_told_and_noted()
    {
        Configure("no_such_section: 1\n");
        (int code, _, string error) = Run("update", "https://updates.example.net/nfr.nfru");
        Assert.Equal(ExitCode.Usage, code);
        Assert.Contains("no_such_section", error, StringComparison.Ordinal);
        Assert.EndsWith("or bring the bundle as a file, which works as it is: nfr update FILE\n", error, StringComparison.Ordinal);
        Assert.False(There("armed"));
        Assert.Contains("An update was not taken after that: the config has mistakes", Run("update", "status").Out, StringComparison.Ordinal);
        PanelUpdate told = BoxNotes.Read(new BoxNotePlaces(_bundles.Folder, _paths.Progress, _paths.Record), TimeProvider.System).Update;
        Assert.Equal(PanelUpdatePhase.Refused, told.Phase);
    }

    [RootFact]
    public void A_config_with_mistakes_keeps_no_record_from_being_settled()
    {
        Run("update", Bundle());
        // The trial ended by itself: the box is back, in another boot.
        string record = File.ReadAllText(Path.Combine(_bundles.Folder, "data/record.json"));
        File.WriteAllText(Path.Combine(_bundles.Folder, "data/record.json"), System.Text.RegularExpressions.Regex.Replace(record, "\"boot\":\"[^\"]*\"", "\"boot\":\"another\""));
        File.WriteAllText(Path.Combine(_bundles.Folder, "run/update.json"), """{"phase":"writing","version":"2.1.0","percent":41,"text":"x","at":1}""");
        Configure("no_such_section: 1\n");
        (int code, string output, string error) = Run("update", "confirm", "--or-back");
        Assert.Equal(0, code);
        Assert.Contains("the update to 2.1.0 (12) failed", output, StringComparison.Ordinal);
        Assert.Contains("no_such_section", error, StringComparison.Ordinal);
        Assert.Contains("\"phase\":\"failed\"", File.ReadAllText(Path.Combine(_bundles.Folder, "data/record.json")), StringComparison.Ordinal);
        // Nobody has the lock: what says that it writes does not.
        Assert.False(There("run/update.json"));
    }

    [RootFact]
    public void On_trial_with_a_config_that_has_mistakes_and_no_sensor_it_goes_back_and_says_both()
    {
        Run("update", Bundle());
        File.WriteAllText(Path.Combine(_bundles.Folder, "booted"), "b");
        Configure("no_such_section: 1\n");
        (int code, _, string error) = Run("update", "confirm", "--within", "0");
        Assert.Equal(ExitCode.Unwell, code);
        Assert.Contains(", and the config has mistakes (nfr config check)", error, StringComparison.Ordinal);
    }

    [RootFact]
    public async Task A_bundle_comes_from_a_server_that_breaks_off_again_and_again()
    {
        byte[] bundle = _bundles.Make();
        await using var server = new RawServer((socket, stop) => Breaking(socket, bundle, 20_000, "\"one\"", stop));
        (int code, _, string error) = await Task.Run(() => Run("update", server.Host + "/nfr.nfru"));
        Assert.Equal((0, ""), (code, error));
        Assert.Equal(_bundles.NewRoot, Content("broot")[..Bundles.RootBytes]);
        Assert.True(server.Connections > 2);
    }

    [RootFact]
    public async Task A_file_that_is_another_one_in_the_middle_is_refused()
    {
        byte[] bundle = _bundles.Make();
        int asked = 0;
        await using var server = new RawServer((socket, stop) => Breaking(socket, bundle, 20_000, Interlocked.Increment(ref asked) == 1 ? "\"one\"" : "\"two\"", stop));
        (int code, _, string error) = await Task.Run(() => Run("update", server.Host + "/nfr.nfru"));
        Assert.Equal(1, code);
        Assert.Contains("has another file there now", error, StringComparison.Ordinal);
        Assert.False(There("armed"));
    }

    [Fact]
    public async Task Check_says_what_is_new_and_how_to_get_it()
    {
        byte[] bundle = _bundles.Make();
        await using var server = new RawServer((socket, stop) => Breaking(socket, bundle, int.MaxValue, "\"one\"", stop));
        Configure($"update:\n  url: {server.Host}/x/latest.head\n");
        (int code, string output, string error) = await Task.Run(() => Run("update", "check"));
        Assert.Equal((0, "", $"2.1.0 (12) is there; 2.0.0 (11) runs. Install it with: nfr update {server.Host}/x/nfr.nfru\n  Faster.\n  Smaller.\n"), (code, error, output));
    }

    [Fact]
    public async Task Check_tells_when_nothing_is_new_and_when_nobody_is_there()
    {
        Assert.Contains("update.url is not set", Run("update", "check").Error, StringComparison.Ordinal);
        byte[] bundle = _bundles.Make(Bundles.Manifest(counter: 11));
        await using var server = new RawServer((socket, stop) => Breaking(socket, bundle, int.MaxValue, "\"one\"", stop));
        Configure($"update:\n  url: {server.Host}/latest.head\n");
        Assert.Contains("nothing newer is offered", (await Task.Run(() => Run("update", "check"))).Out, StringComparison.Ordinal);
        await using var missing = new RawServer(async (socket, stop) =>
        {
            await RawServer.ReadHeaderAsync(socket, stop);
            await socket.SendAsync("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"u8.ToArray(), stop);
        });
        Configure($"update:\n  url: {missing.Host}/latest.head\n");
        Assert.Contains("answered 404 NotFound", (await Task.Run(() => Run("update", "check"))).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Make_makes_a_bundle_that_the_box_takes_and_refuses_keys_that_are_none()
    {
        string key = Path.Combine(_bundles.Folder, "key.pem"), output = Path.Combine(_bundles.Folder, "made.nfru");
        File.WriteAllText(key, _bundles.Key.ExportECPrivateKeyPem());
        string[] line = ["update", "make", "--version", "2.2.0", "--counter", "13", "--root", _bundles.Save("r", _bundles.NewRoot), "--boot", _bundles.Save("b", _bundles.NewBoot), "--key", key, "--out", output];
        (int code, string said, string error) = Run(line);
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("2.2.0 (13) for rpi-arm64", said, StringComparison.Ordinal);
        using (FileStream made = File.OpenRead(output)) Assert.Equal("made.nfru", BundleHead.Read(made, _bundles.Keys).Manifest.File);
        Assert.Equal(File.ReadAllBytes(output + ".head"), File.ReadAllBytes(output)[..(int)new FileInfo(output + ".head").Length]);
        Assert.Empty(Directory.GetFiles(_bundles.Folder, "*.part"));
        File.WriteAllText(key, _bundles.Key.ExportSubjectPublicKeyInfoPem());
        Assert.Contains("is no private key", Run(line).Error, StringComparison.Ordinal);
    }

    /// <summary>Serves ranges of a file and breaks off after so many bytes.</summary>
    static async Task Breaking(Socket socket, byte[] file, int most, string tag, CancellationToken stop)
    {
        byte[] buffer = new byte[8192];
        int length = 0;
        while (buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) < 0)
        {
            int read = await socket.ReceiveAsync(buffer.AsMemory(length), stop);
            if (read == 0) return;
            length += read;
        }
        string request = Encoding.ASCII.GetString(buffer, 0, length);
        string? range = request.Split("\r\n").FirstOrDefault(l => l.StartsWith("Range: bytes=", StringComparison.OrdinalIgnoreCase));
        bool same = request.Contains("If-Range: " + tag, StringComparison.OrdinalIgnoreCase);
        int from = range is not null && same ? int.Parse(range["Range: bytes=".Length..].TrimEnd('-'), System.Globalization.CultureInfo.InvariantCulture) : 0;
        string head = from > 0 ? $"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {from}-{file.Length - 1}/{file.Length}\r\n" : "HTTP/1.1 200 OK\r\n";
        await socket.SendAsync(Encoding.ASCII.GetBytes($"{head}ETag: {tag}\r\nContent-Length: {file.Length - from}\r\n\r\n"), stop);
        await socket.SendAsync(file.AsMemory(from, Math.Min(most, file.Length - from)), stop);
        socket.Shutdown(SocketShutdown.Send);
    }
}
