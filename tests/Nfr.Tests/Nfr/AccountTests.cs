using Nfr.Commands;
using Nfr.Config;
using Nfr.Uplink;

namespace Nfr.Tests.Nfr;

public sealed class AccountTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-account-").FullName;
    readonly List<string> _calls = [];
    AccountAnswer<string> _key = "NEWKEY123";
    AccountAnswer<AccountStatus> _status = new AccountStatus();
    AccountAnswer<AccountDone> _done = new AccountDone();
    string _host = "";

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    string ConfigPath => Path.Combine(_folder, "etc", "nfr", "config.yml");

    (int Code, string Out, string Error) Run(string answers, params string[] arguments)
    {
        var terminal = new Terminal(new StringReader(answers), new StringWriter(), new StringWriter());
        int code = CommandLine.Run(["account", .. arguments], terminal, new Wiring
        {
            Read = (_, _, _) => 1,
            Start = (_, _, _) => 1,
            DefaultConfig = ConfigPath,
            Account = (host, _) =>
            {
                _host = host;
                return new AccountApi
                {
                    RequestKey = _ =>
                    {
                        _calls.Add("key/request");
                        return _key;
                    },
                    Register = (key, details, _) =>
                    {
                        _calls.Add($"account/register {key} {details.Name} <{details.Email}>");
                        return _done;
                    },
                    Reset = (email, _) =>
                    {
                        _calls.Add("key/reset " + email);
                        return _done;
                    },
                    Status = (key, _) =>
                    {
                        _calls.Add("account/status " + key);
                        return _status;
                    },
                };
            },
        });
        return (code, terminal.Out.ToString()!, terminal.Error.ToString()!);
    }

    void WriteConfig(string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(ConfigPath)!);
        File.WriteAllText(ConfigPath, text);
    }

    [Fact]
    public void Registering_on_a_fresh_machine_writes_the_shipped_config_with_the_key()
    {
        (int code, string output, string error) = Run("Ada Lovelace\nada@example.com\n", "register");
        Assert.Equal("", error);
        Assert.Equal(0, code);
        Assert.Equal(["key/request", "account/register NEWKEY123 Ada Lovelace <ada@example.com>"], _calls);
        Assert.Equal("https://api.alphasoc.net", _host);
        Assert.Contains("Full Name: Email: \nSuccess! The configuration has been written to " + ConfigPath + "\nNext, check your email and click the verification link to activate your API key.\n", output, StringComparison.Ordinal);
        Assert.Equal(ShippedFiles.Config.Replace("\n  api_key:\n\n", "\n  api_key: NEWKEY123\n\n", StringComparison.Ordinal), File.ReadAllText(ConfigPath));
        Assert.Equal(ShippedFiles.Scope, File.ReadAllText(Path.Combine(_folder, "etc", "nfr", "scope.yml")));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(ConfigPath));
            Assert.True(File.GetUnixFileMode(Path.GetDirectoryName(ConfigPath)!).HasFlag(UnixFileMode.UserExecute | UnixFileMode.OtherExecute));
        }
        NfrConfig config = ConfigFile.Load(ConfigPath, out _)!;
        Assert.Equal(("NEWKEY123", "https://api.alphasoc.net"), (config.Engine.ApiKey, config.Engine.Host));
        Assert.Equal(2, Directory.GetFiles(Path.GetDirectoryName(ConfigPath)!).Length);
    }

    [Fact]
    public void A_config_that_is_named_and_missing_is_made()
    {
        string path = Path.Combine(_folder, "mine", "nfr.yml");
        (int code, string _, string error) = Run("Ada\nada@example.com\n", "register", "-c", path);
        Assert.Equal((0, ""), (code, error));
        Assert.Equal("NEWKEY123", ConfigFile.Load(path, out _)!.Engine.ApiKey);
        Assert.Equal(2, Run("", "status", "-c", Path.Combine(_folder, "none.yml")).Code);
    }

    [Fact]
    public void An_existing_config_keeps_everything_but_the_key()
    {
        WriteConfig("# mine\nengine:\n  api_key: old # from Joe\n  analyze: {dns: false}\nlog: {level: warn}\n");
        Assert.Equal(0, Run("Ada\nada@example.com\n", "register", "--key", "other").Code);
        Assert.Equal("# mine\nengine:\n  api_key: other  # from Joe\n  analyze: {dns: false}\nlog: {level: warn}\n", File.ReadAllText(ConfigPath));
        Assert.Equal(["account/status other", "account/register other Ada <ada@example.com>"], _calls);
        Assert.False(File.Exists(Path.Combine(Path.GetDirectoryName(ConfigPath)!, "scope.yml")));
    }

    [Fact]
    public void The_host_is_asked_and_written_when_it_is_given()
    {
        WriteConfig("engine:\n  host: embedded\n");
        Assert.Equal(0, Run("Ada\nada@example.com\n", "register", "--host", "https://engine.example/").Code);
        Assert.Equal("https://engine.example", _host);
        Assert.Equal("engine:\n  host: https://engine.example\n  api_key: NEWKEY123\n".Split('\n').Order(), File.ReadAllText(ConfigPath).Split('\n').Order());

        WriteConfig("engine:\n  host: embedded\n");
        Assert.Contains("Nothing is uploaded while engine.host is embedded", Run("Ada\nada@example.com\n", "register").Out, StringComparison.Ordinal);
        Assert.Equal("https://api.alphasoc.net", _host);
    }

    [Fact]
    public void Whoever_is_registered_is_told_so()
    {
        WriteConfig("engine: {api_key: mine}\n");
        _status = new AccountStatus { Registered = true };
        Assert.Equal((1, "", "nfr: Account is already registered\n"), Run("", "register"));
        Assert.Equal(["account/status mine"], _calls);
    }

    [Fact]
    public void Each_answer_has_three_tries()
    {
        (int code, string output, string error) = Run("\n\nAda\nnobody\na@b\nada@example.com\n", "register");
        Assert.Equal((0, ""), (code, error));
        Assert.EndsWith("""
            Full Name: Full Name is needed.
            Full Name: Full Name is needed.
            Full Name: Email: That is not a valid Email.
            Email: That is not a valid Email.
            Email: 
            Success! The configuration has been written to 
            """, output[..(output.IndexOf(" to /", StringComparison.Ordinal) + 4)], StringComparison.Ordinal);
        Directory.Delete(Path.Combine(_folder, "etc"), true);
        _calls.Clear();
        (code, _, error) = Run("Ada\nx\ny\nz\n", "register");
        Assert.Equal((1, "nfr: no valid Email in 3 tries; run 'nfr account register' again\n"), (code, error));
        (code, _, error) = Run("Ada\n", "register");
        Assert.Equal((1, "nfr: the input ended before Email was given; run 'nfr account register' again\n"), (code, error));
        Assert.Empty(_calls);
        Assert.False(File.Exists(ConfigPath));
    }

    [Fact]
    public void A_failure_says_how_to_go_on()
    {
        _done = new(null, "too many requests; wait a minute");
        (int code, string output, string error) = Run("Ada\nada@example.com\n", "register");
        Assert.Equal((1, "nfr: https://api.alphasoc.net did not register you: too many requests; wait a minute; then run 'nfr account register --key NEWKEY123'\n"), (code, error));
        Assert.DoesNotContain("Success", output, StringComparison.Ordinal);

        _key = new(null, "no route");
        Directory.Delete(Path.Combine(_folder, "etc"), true);
        (code, _, error) = Run("Ada\nada@example.com\n", "register");
        Assert.Equal((1, "nfr: no API key from https://api.alphasoc.net: no route; run 'nfr account register' again\n"), (code, error));
        Assert.False(File.Exists(ConfigPath));
    }

    [Fact]
    public void No_success_is_claimed_when_saving_failed_and_the_key_is_not_lost()
    {
        File.WriteAllText(Path.Combine(_folder, "etc"), "a file where a folder should be");
        (int code, string output, string error) = Run("Ada\nada@example.com\n", "register");
        Assert.Equal(1, code);
        Assert.DoesNotContain("Success", output, StringComparison.Ordinal);
        Assert.EndsWith("; your key is not lost: run 'nfr account register --key NEWKEY123'\n", error, StringComparison.Ordinal);
        Assert.Equal(["key/request"], _calls);
    }

    [Fact]
    public void A_key_that_cannot_be_one_is_refused_before_anything_is_asked()
    {
        Assert.Equal(2, Run("", "register", "--key", "a b").Code);
        Assert.Equal(2, Run("", "register", "--key", "a:b").Code);
        Assert.Equal(2, Run("", "register", "--key", "").Code);
        Assert.Empty(_calls);
    }

    [Fact]
    public void Status_shows_all_that_the_engine_says()
    {
        WriteConfig("engine: {api_key: mine, host: 'https://e.example'}\n");
        _status = new AccountStatus
        {
            Registered = true, ExpirationDate = "2027-01-01T00:00:00Z", EndpointsSeenToday = 42,
            Messages = [new(1, "hello"), new(2, "licence ends\nsoon"), new(3, "\u001b[31mover")],
        };
        Assert.Equal((0, """
            Account registered: true
            Account expired: false
            Expiration date: 2027-01-01T00:00:00Z
            Endpoints seen today: 42
            Message: hello
            Warning: licence ends soon
            Error:  [31mover

            """, ""), Run("", "status"));
        Assert.Equal("https://e.example", _host);
        _status = new AccountStatus { Expired = true };
        Assert.Equal((0, "Account registered: false\nAccount expired: true\n", ""), Run("", "status"));
        _status = new(null, "the key is not known there; check engine.api_key");
        Assert.Equal((1, "", "nfr: no status from https://e.example: the key is not known there; check engine.api_key\n"), Run("", "status"));
        WriteConfig("log: {level: info}\n");
        Assert.Equal((1, "", $"nfr: {ConfigPath} has no engine.api_key; run 'nfr account register' to get one\n"), Run("", "status"));
    }

    [Fact]
    public void Reset_says_what_comes_next()
    {
        Assert.Equal((0, "Check your email and click the reset link to get new API key\n", ""), Run("", "reset", "ada@example.com"));
        Assert.Equal(["key/reset ada@example.com"], _calls);
        _done = new(null, "no such address");
        Assert.Equal((1, "", "nfr: https://api.alphasoc.net did not reset the key: no such address\n"), Run("", "reset", "ada@example.com"));
    }

    [Theory]
    [InlineData("ada@example.com", true)]
    [InlineData("a.b+c@mail.example.co.uk", true)]
    [InlineData("o'brien@example.ie", true)]
    [InlineData("ada", false)]
    [InlineData("ada@", false)]
    [InlineData("@example.com", false)]
    [InlineData("ada@example", false)]
    [InlineData("ada@exa mple.com", false)]
    [InlineData("a@b@example.com", false)]
    [InlineData("ada@example.com.", false)]
    [InlineData("ada@*.example.com", false)]
    [InlineData(".ada@example.com", false)]
    [InlineData("Ada <ada@example.com>", false)]
    public void An_address_is_checked_for_what_can_be_checked(string text, bool good) => Assert.Equal(good, AccountDialogue.IsEmail(text));
}
