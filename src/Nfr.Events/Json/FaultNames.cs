using System.Text;
using System.Text.Json;
using Nfr.Wire;

namespace Nfr.Events;

/// <summary>Faults as JSON and metrics name them: "streamOverlapDiffers".</summary>
public static class FaultNames
{
    static readonly byte[][] s_names =
        [.. Enumerable.Range(0, (int)DecodeFault.Count).Select(i => Encoding.ASCII.GetBytes(JsonNamingPolicy.CamelCase.ConvertName(((DecodeFault)i).ToString())))];

    public static ReadOnlySpan<byte> Of(DecodeFault fault) => s_names[(int)fault];
}
