using System.Text.Json;
using System.Text.Json.Serialization;

namespace Nfr.Panel.Screens;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, WriteIndented = true)]
[JsonSerializable(typeof(PanelState))]
sealed partial class PanelStateContext : JsonSerializerContext;

/// <summary>A state as JSON, for previews: the properties of <see cref="PanelState"/> in camel case, each may be left out; an unknown one is a fault.</summary>
static class PanelStateJson
{
    public static string Write(PanelState state) => JsonSerializer.Serialize(state, PanelStateContext.Default.PanelState);

    /// <summary>Null and what is wrong, with its line.</summary>
    public static PanelState? Read(string text, out string fault)
    {
        fault = "";
        try
        {
            if (JsonSerializer.Deserialize(text, PanelStateContext.Default.PanelState) is { } state) return Whole(state);
            fault = "it holds null, not a state";
        }
        catch (JsonException wrong)
        {
            fault = wrong.Message.ReplaceLineEndings(" ");
        }
        return null;
    }

    /// <summary>JSON's null is nothing here: texts are empty, lists too.</summary>
    static PanelState Whole(PanelState state) => state with
    {
        Name = state.Name ?? "",
        Site = state.Site ?? "",
        SensorId = state.SensorId ?? "",
        Version = state.Version ?? "",
        Addresses = [.. (state.Addresses ?? []).Select(a => a ?? "")],
        Ports = [.. (state.Ports ?? []).OfType<PanelPort>().Select(p => p with { Interface = p.Interface ?? "", Trouble = p.Trouble ?? "" })],
        Spool = state.Spool ?? PanelSpool.None,
        Uplinks = [.. (state.Uplinks ?? []).OfType<PanelUplink>().Select(u => u with { Name = u.Name ?? "", Trouble = u.Trouble ?? "" })],
        Fleet = state.Fleet is { } fleet ? new PanelFleet(fleet.Phase, fleet.Broker ?? "", fleet.Trouble ?? "") : PanelFleet.None,
        Alerts = [.. (state.Alerts ?? []).OfType<PanelAlert>().Select(a => a with { Threat = a.Threat ?? "", Host = a.Host ?? "" })],
        Troubles = [.. (state.Troubles ?? []).OfType<Health.Trouble>().Select(t => t with { What = t.What ?? "", Do = t.Do ?? "" })],
        Box = state.Box ?? PanelBox.Unknown,
        Update = state.Update is { } update ? update with { Version = update.Version ?? "", Reason = update.Reason ?? "" } : PanelUpdate.None,
        Address = state.Address ?? "",
        SshKey = state.SshKey ?? "",
        CommandKeys = [.. (state.CommandKeys ?? []).Select(k => k ?? "")],
        SetupFaults = [.. (state.SetupFaults ?? []).Select(f => f ?? "")],
        Rates = state.Rates ?? [],
    };
}
