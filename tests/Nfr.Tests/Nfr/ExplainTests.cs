using System.Text;
using Nfr.Commands;
using Nfr.Events;
using Nfr.Storage;

namespace Nfr.Tests.Nfr;

public sealed class ExplainTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-explain").FullName;

    static readonly Wiring s_wiring = new()
    {
        Read = (_, _, _) => throw new InvalidOperationException("not asked for"),
        Start = (_, _, _) => throw new InvalidOperationException("not asked for"),
        Account = (_, _) => throw new InvalidOperationException("not asked for"),
    };

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    static Alert Alert(string id, double value = 14, double? score = null, string key = "10.0.0.1")
    {
        EvidenceFeature[] features = [new("names", value, 10, 0.4), new("bitsPerCharacter", 4.4 / 3, 5.1, 0.6)];
        return new Alert
        {
            Threats = [new AlertThreat("dga_volume", "Multiple requests for DGA domains indicating infection", 4)],
            Flags = ["perplexing_domain"],
            Groups = [new AlertGroup("boston", "Boston office")],
            Event = new AlertEvent { Type = EventType.Dns, Ts = "2026-11-21T09:00:00.5Z", SrcIP = "10.0.0.1", SrcHost = "desk-7", Query = "qx7.biz", QType = "A" },
            Evidence = new AlertEvidence
            {
                Id = id, Detector = "dga_volume", Key = key, Summary = "10.0.0.1 asked for 14 names that do not exist.", Features = features,
                Facts = [new("windowSeconds", 300), new("last", 0, "qx7.biz")], Score = score ?? EvidenceScore.Of(features), ScoreLimit = 0.5,
                Samples = ["{\"type\":\"dns\",\"query\":\"qx7.biz\"}"], CommunityIds = ["1:LQU9qZlK+B5F3KDmev6m5PMibrg="], Count = 14,
            },
        };
    }

    (int Code, string Out, string Error) Run(string input, params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int code = CommandLine.Run(["explain", .. args], new Terminal(new StringReader(input), output, error), s_wiring);
        return (code, output.ToString(), error.ToString());
    }

    static string Json(params Alert[] alerts) => string.Join('\n', alerts.Select(a => Encoding.UTF8.GetString(AlertJson.ToBytes(a))));

    [Fact]
    public void An_alert_is_said_in_words_and_its_score_comes_out_to_the_bit()
    {
        (int code, string text, string error) = Run(Json(Alert("3f9a12c4d5e6f708")), "--file", "-");
        Assert.Equal("", error);
        Assert.Equal(0, code);
        Assert.Contains("Alert 3f9a12c4d5e6f708, severity 4 (high)", text, StringComparison.Ordinal);
        Assert.Contains("10.0.0.1 (desk-7)", text, StringComparison.Ordinal);
        Assert.Contains("2026-11-21 09:00:00 UTC", text, StringComparison.Ordinal);
        Assert.Contains("bits per character", text, StringComparison.Ordinal);
        Assert.Contains("equal to the stored score to the bit. Raised from 0.5 on.", text, StringComparison.Ordinal);
        Assert.Contains("1:LQU9qZlK+B5F3KDmev6m5PMibrg=", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_score_that_was_changed_by_one_bit_is_told_and_the_exit_code_says_so()
    {
        Alert good = Alert("3f9a12c4d5e6f708");
        Alert changed = Alert("3f9a12c4d5e6f708", score: Math.BitIncrement(good.Evidence!.Score));
        (int code, string text, string error) = Run(Json(changed), "--file", "-");
        Assert.Equal(1, code);
        Assert.Contains("NOT the stored score", text, StringComparison.Ordinal);
        Assert.Contains("does not follow from the features", error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_beginning_of_an_id_is_enough_unless_two_alerts_share_it()
    {
        string both = Json(Alert("3f9a12c4d5e6f708"), Alert("3f0012c4d5e6f708", key: "10.0.0.2"));
        Assert.Contains("3f0012c4d5e6f708", Run(both, "--file", "-", "3F00").Out, StringComparison.Ordinal);
        (int code, _, string error) = Run(both, "--file", "-", "3f");
        Assert.Equal(1, code);
        Assert.Contains("2 alerts' ids begin with 3f", error, StringComparison.Ordinal);
        Assert.Contains("no alert's id begins with ffff", Run(both, "--file", "-", "ffff").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Lines_that_are_no_alerts_are_named_by_file_and_line()
    {
        string path = Path.Combine(_folder, "alerts.json");
        File.WriteAllText(path, "rubbish\n" + Json(Alert("3f9a12c4d5e6f708")) + "\n");
        (int code, _, string error) = Run("", "--file", path);
        Assert.Equal(0, code);
        Assert.StartsWith($"{path}:1: not an alert of ours", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_from_the_network_cannot_steer_the_terminal()
    {
        (_, string text, _) = Run(Json(Alert("3f9a12c4d5e6f708", key: "a\u001b[2Jb\u202Ec")), "--file", "-");
        Assert.DoesNotContain('\u001b', text);
        Assert.DoesNotContain('\u202E', text);
        Assert.Contains("a\\u001B[2Jb\\u202Ec", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_spool_is_read_from_beside_while_it_is_open()
    {
        string spool = Path.Combine(_folder, "spool");
        string config = Path.Combine(_folder, "config.yml");
        File.WriteAllText(config, $"data:\n  dir: {_folder}\nspool:\n  dir: {spool}\n");
        Assert.Contains("there is no spool", Run("", "-c", config).Error, StringComparison.Ordinal);
        using Spool open = Spool.Open(new SpoolOptions { Directory = spool }, TimeProvider.System);
        Assert.Contains("No alerts have been raised", Run("", "-c", config, "--list").Out, StringComparison.Ordinal);
        open.AppendAlert(Alert("3f9a12c4d5e6f708"));
        open.AppendAlert(Alert("4f9a12c4d5e6f708", key: "10.0.0.2"));
        Assert.Null(open.Flush());
        (int code, string text, string error) = Run("", "-c", config);
        Assert.Equal("", error);
        Assert.Equal(0, code);
        Assert.Contains("Alert 4f9a12c4d5e6f708", text, StringComparison.Ordinal);
        string list = Run("", "-c", config, "--list").Out;
        Assert.Contains("3f9a12c4d5e6f708  2026-11-21 09:00:00    4  ", list, StringComparison.Ordinal);
    }
}
