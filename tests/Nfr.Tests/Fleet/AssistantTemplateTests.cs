using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Nfr.Pipeline;
using Nfr.Storage;
using Nfr.Tests.Nfr;
using Nfr.Uplink;
using Xunit.Abstractions;
using Ledger = Nfr.Pipeline.Ledger;

namespace Nfr.Tests.Fleet;

/// <summary>
/// The templates that Home Assistant is given, rendered by the language that they are in: Jinja, sandboxed as there, and stricter, so that what is not there is an error and no empty word.
/// </summary>
public sealed class AssistantTemplateTests(ITestOutputHelper output)
{
    // {"templates": {name: template}, "payload": text} comes in, {name: text} goes out.
    const string Render = """
        import json, sys
        from jinja2 import StrictUndefined
        from jinja2.sandbox import ImmutableSandboxedEnvironment
        asked = json.load(sys.stdin)
        language = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
        value = json.loads(asked["payload"])
        json.dump({name: language.from_string(text).render(value=asked["payload"], value_json=value) for name, text in asked["templates"].items()}, sys.stdout)
        """;

    static (int Code, string Out, string Error) Python(string program, string input)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("/usr/bin/python3", ["-c", program]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
            Task<string> error = process.StandardError.ReadToEndAsync();
            process.StandardInput.Write(input);
            process.StandardInput.Close();
            string said = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, said, error.Result);
        }
        catch (System.ComponentModel.Win32Exception none)
        {
            return (-1, "", none.Message);
        }
    }

    bool IsThere()
    {
        if (Python("import jinja2", "").Code == 0) return true;
        output.WriteLine("left out: /usr/bin/python3 with jinja2 (python3-jinja2) is not here");
        return false;
    }

    /// <summary>Each component's templates over one payload; "name" for its value, "name attributes" beside it.</summary>
    static Dictionary<string, string> Values(string payload, Func<string, bool> component)
    {
        var options = new FleetOptions { Host = "127.0.0.1", Port = 1883, Topics = FleetBench.Topics, Folder = "/nowhere", HomeAssistant = "homeassistant" };
        JsonNode device = JsonNode.Parse(FleetAssistant.Describe(options, new FleetInfo { Name = "box", Site = "test", Id = "box1" }))!;
        var templates = new JsonObject();
        foreach ((string name, JsonNode? described) in device["components"]!.AsObject().Where(c => component(c.Key)))
        {
            templates[name] = described!["value_template"]!.GetValue<string>();
            if (described["json_attributes_template"] is { } attributes) templates[name + " attributes"] = attributes.GetValue<string>();
        }
        (int code, string said, string error) = Python(Render, new JsonObject { ["templates"] = templates, ["payload"] = payload }.ToJsonString());
        Assert.True(code == 0, $"a template does not render: {error}");
        return JsonSerializer.Deserialize<Dictionary<string, string>>(said)!;
    }

    static Dictionary<string, string> Of(FleetHealth health) => Values(Encoding.UTF8.GetString(health.ToJson()), c => c != "alert");

    [Fact]
    public void A_heartbeat_gives_each_of_them_a_value()
    {
        if (!IsThere()) return;
        StatusReport report = StatusBed.Well() with
        {
            Run = new Ledger { Captures = [StatusBed.Port("eth1")], Spool = new SpoolCounters(new SpoolTally[Lane.Count], new SpoolTally(3, 3, 3, 0, 0, 0, 0, Bytes: 2048)), SpoolAtStart = new SpoolCounters(new SpoolTally[Lane.Count], default) },
        };
        Dictionary<string, string> values = Of(FleetReport.Health(report, 7, TimeSpan.FromSeconds(30), firmware: new FleetFirmware("2.0.0", "2.1.0")));
        Assert.Equal("1234.5", values["packets"]);
        Assert.Equal("9876543", values["traffic"]);
        Assert.Equal("3", values["alerts"]);
        Assert.Equal("52.3", values["temperature"]);
        Assert.Equal((20L << 30).ToString(CultureInfo.InvariantCulture), values["disk"]);
        Assert.Equal("259200", values["uptime"]);
        Assert.Equal("OFF", values["problem"]);
        Assert.Equal("""{"do": [], "troubles": []}""", values["problem attributes"]);
        Assert.Equal("""{"installed_version": "2.0.0", "latest_version": "2.1.0"}""", values["update"]);
        foreach (string number in (string[])["packets", "traffic", "events", "alerts", "lost", "spool", "disk", "temperature", "uptime"])
            Assert.True(double.TryParse(values[number], CultureInfo.InvariantCulture, out _), $"{number} is \"{values[number]}\"");
    }

    [Fact]
    public void A_heartbeat_of_the_first_second_of_a_machine_that_measures_nothing_is_understood_too()
    {
        if (!IsThere()) return;
        Dictionary<string, string> values = Of(new FleetHealth { IsWell = false, Troubles = [new FleetTrouble("fault", "spool", "it's <full> & \"rotten\"", "make room")] });
        Assert.Equal("ON", values["problem"]);
        using JsonDocument attributes = JsonDocument.Parse(values["problem attributes"]);
        Assert.Equal("it's <full> & \"rotten\"", attributes.RootElement.GetProperty("troubles")[0].GetString());
        Assert.Equal("make room", attributes.RootElement.GetProperty("do")[0].GetString());
        // Home Assistant's word for what is not known.
        Assert.Equal(("None", "None"), (values["temperature"], values["disk"]));
        Assert.Equal(("0", "0", "0"), (values["packets"], values["spool"], values["lost"]));
        Assert.Equal("{}", values["update"]);
    }

    [Fact]
    public void Without_a_newer_system_the_one_that_runs_is_shown()
    {
        if (!IsThere()) return;
        Assert.Equal("""{"installed_version": "2.0.0"}""", Of(new FleetHealth { Firmware = new FleetFirmware("2.0.0", null) })["update"]);
    }

    [Fact]
    public void An_alert_is_an_event_of_its_type_with_all_that_it_says()
    {
        if (!IsThere()) return;
        const string alert = """{"number":7,"severity":"high","title":"it's <b>bold</b> & \"quoted\" {{ 7 * 7 }}","reasons":[{"what":"periodic"}]}""";
        using JsonDocument shown = JsonDocument.Parse(Values(alert, c => c == "alert")["alert"]);
        Assert.Equal("alert", shown.RootElement.GetProperty("event_type").GetString());
        Assert.Equal(7, shown.RootElement.GetProperty("number").GetInt32());
        // What an attacker wrote is text, and no template.
        Assert.Equal("it's <b>bold</b> & \"quoted\" {{ 7 * 7 }}", shown.RootElement.GetProperty("title").GetString());
        Assert.Equal("periodic", shown.RootElement.GetProperty("reasons")[0].GetProperty("what").GetString());
    }
}
