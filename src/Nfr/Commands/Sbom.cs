using System.Buffers;
using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Nfr.Commands;

/// <summary>
/// What is in this program, as SPDX 2.3 JSON (spdx.github.io/spdx-spec/v2.3): the packages of the lock file that it was built by, the runtime, and the libraries
/// of the system that it loads. One build says the same always: there is no clock in it.
/// </summary>
static class Sbom
{
    /// <summary>In the lock file for the build alone: nothing of it is in the program.</summary>
    const string Trimmer = "Microsoft.NET.ILLink.Tasks";

    const string Licence = "MIT";

    /// <summary>As each package's own .nuspec says.</summary>
    internal static IReadOnlyDictionary<string, string> Licences { get; } = new Dictionary<string, string>
    {
        ["Serilog"] = "Apache-2.0",
        ["Serilog.Sinks.Console"] = "Apache-2.0",
        ["Serilog.Sinks.File"] = "Apache-2.0",
        ["Spectre.Console"] = "MIT",
        ["System.CommandLine"] = "MIT",
        ["YamlDotNet"] = "MIT",
        [Trimmer] = "MIT",
    };

    /// <summary>By their names in Debian; loaded at run time, not contained.</summary>
    static readonly (string Package, string Licence)[] s_libraries =
    [
        ("libpcap0.8", "BSD-3-Clause"), ("libsqlite3-0", "blessing"), ("libmosquitto1", "EPL-2.0 OR BSD-3-Clause"), ("libssl3", "Apache-2.0"),
    ];

    /// <param name="Id">Unique in the document: letters, digits, dot and dash.</param>
    /// <param name="Name">Of the package.</param>
    /// <param name="Version">Empty = whichever the system has.</param>
    /// <param name="Licence">An SPDX expression.</param>
    /// <param name="Url">The package URL (purl).</param>
    /// <param name="Sha512">Of the package file, in hex; null = not known.</param>
    /// <param name="Relation">Of nfr to it; empty for nfr.</param>
    sealed record Part(string Id, string Name, string Version, string Licence, string Url, string? Sha512, string Relation);

    static string? Mark(string name) => typeof(Sbom).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(m => m.Key == name)?.Value is { Length: > 0 } value ? value : null;

    /// <summary>The commit's time; where a build was not told one, the time before which this version was not written.</summary>
    static string Created => Mark("CommitTime") is { } seconds && long.TryParse(seconds, NumberStyles.None, CultureInfo.InvariantCulture, out long epoch)
        ? DateTimeOffset.FromUnixTimeSeconds(epoch).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture)
        : Events.ClockFloor.Earliest.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    /// <param name="target">The runtime identifier of the program that is told of; null = this one's.</param>
    public static byte[] Write(string? target = null)
    {
        using Stream stream = typeof(Sbom).Assembly.GetManifestResourceStream("packages.lock.json")!;
        using JsonDocument locked = JsonDocument.Parse(stream);
        string rid = target ?? Mark("RuntimeIdentifier") ?? "any";
        List<Part> parts = [Self(), .. Packages(locked.RootElement), .. Runtime(rid), .. Libraries()];
        var buffer = new ArrayBufferWriter<byte>(16384);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping })) Document(json, rid, parts);
        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }

    static Part Self() => new("SPDXRef-nfr", "nfr", VersionText.Version, Licence, $"pkg:generic/nfr@{VersionText.Version}", null, "");

    static IEnumerable<Part> Packages(JsonElement locked)
    {
        foreach (JsonProperty package in locked.GetProperty("dependencies").EnumerateObject().First().Value.EnumerateObject())
        {
            // The rooms of this house are nfr itself.
            if (package.Value.GetProperty("type").GetString() == "Project") continue;
            string version = package.Value.GetProperty("resolved").GetString()!;
            yield return new(IdOf(package.Name), package.Name, version, Licences.GetValueOrDefault(package.Name, "NOASSERTION"), $"pkg:nuget/{package.Name}@{version}",
                Convert.ToHexStringLower(Convert.FromBase64String(package.Value.GetProperty("contentHash").GetString()!)), package.Name == Trimmer ? "BUILD_TOOL_OF" : "CONTAINS");
        }
    }

    /// <summary>Contained in a published program; of one that was only built, needed.</summary>
    static IEnumerable<Part> Runtime(string rid)
    {
        string version = Mark("RuntimeVersion") ?? Environment.Version.ToString();
        bool contained = rid != "any";
        foreach (string framework in new[] { "Microsoft.NETCore.App", "Microsoft.AspNetCore.App" })
        {
            string name = contained ? $"{framework}.Runtime.{rid}" : framework;
            yield return new(IdOf(name), name, version, "MIT", $"pkg:nuget/{name}@{version}", null, contained ? "CONTAINS" : "DEPENDS_ON");
        }
    }

    static IEnumerable<Part> Libraries() => s_libraries.Select(l => new Part(IdOf(l.Package), l.Package, "", l.Licence, $"pkg:deb/debian/{l.Package}", null, "DYNAMIC_LINK"));

    static string IdOf(string name) => "SPDXRef-" + name.Replace('_', '-');

    static void Document(Utf8JsonWriter json, string rid, List<Part> parts)
    {
        // A name of its own for each content, as the standard wants.
        string digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', parts) + Created + rid)))[..16];
        json.WriteStartObject();
        json.WriteString("spdxVersion", "SPDX-2.3");
        json.WriteString("dataLicense", "CC0-1.0");
        json.WriteString("SPDXID", "SPDXRef-DOCUMENT");
        json.WriteString("name", $"nfr-{VersionText.Version}-{rid}");
        json.WriteString("documentNamespace", $"https://spdx.org/spdxdocs/nfr-{VersionText.Version}-{rid}-{digest}");
        json.WriteStartObject("creationInfo");
        json.WriteString("created", Created);
        json.WriteStartArray("creators");
        json.WriteStringValue($"Tool: nfr-{VersionText.Version}");
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteStartArray("packages");
        foreach (Part part in parts) Package(json, part);
        json.WriteEndArray();
        json.WriteStartArray("relationships");
        Relation(json, "SPDXRef-DOCUMENT", "DESCRIBES", parts[0].Id);
        foreach (Part part in parts.Skip(1))
        {
            if (part.Relation == "BUILD_TOOL_OF") Relation(json, part.Id, part.Relation, parts[0].Id);
            else Relation(json, parts[0].Id, part.Relation, part.Id);
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    static void Package(Utf8JsonWriter json, Part part)
    {
        json.WriteStartObject();
        json.WriteString("SPDXID", part.Id);
        json.WriteString("name", part.Name);
        if (part.Version.Length > 0) json.WriteString("versionInfo", part.Version);
        // Where the bytes came from is the business of who built it; the purl below says which they are.
        json.WriteString("downloadLocation", "NOASSERTION");
        json.WriteBoolean("filesAnalyzed", false);
        if (part.Sha512 is { } sha512)
        {
            json.WriteStartArray("checksums");
            json.WriteStartObject();
            json.WriteString("algorithm", "SHA512");
            json.WriteString("checksumValue", sha512);
            json.WriteEndObject();
            json.WriteEndArray();
        }
        json.WriteString("licenseConcluded", "NOASSERTION");
        json.WriteString("licenseDeclared", part.Licence);
        json.WriteString("copyrightText", "NOASSERTION");
        json.WriteStartArray("externalRefs");
        json.WriteStartObject();
        json.WriteString("referenceCategory", "PACKAGE-MANAGER");
        json.WriteString("referenceType", "purl");
        json.WriteString("referenceLocator", part.Url);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    static void Relation(Utf8JsonWriter json, string from, string relation, string to)
    {
        json.WriteStartObject();
        json.WriteString("spdxElementId", from);
        json.WriteString("relationshipType", relation);
        json.WriteString("relatedSpdxElement", to);
        json.WriteEndObject();
    }
}
