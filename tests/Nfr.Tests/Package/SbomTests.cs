using System.Text.Json;
using System.Text.RegularExpressions;
using Nfr.Commands;

namespace Nfr.Tests.Package;

/// <summary>nfr version --sbom against SPDX 2.3 and against the lock file beside the sources.</summary>
public sealed class SbomTests
{
    static JsonElement Document(string? target = null) => JsonDocument.Parse(Sbom.Write(target)).RootElement;

    static JsonElement Locked => JsonDocument.Parse(File.ReadAllText(Path.Combine(global::Nfr.Tests.Nfr.ConfigTests.Shipped("src"), "Nfr", "packages.lock.json"))).RootElement.GetProperty("dependencies").EnumerateObject().First().Value;

    static JsonElement? Package(JsonElement document, string name) => document.GetProperty("packages").EnumerateArray().Where(p => p.GetProperty("name").GetString() == name).Cast<JsonElement?>().SingleOrDefault();

    [Fact]
    public void Every_package_of_the_lock_file_is_in_it_with_version_hash_and_licence()
    {
        JsonElement document = Document();
        Assert.All(Locked.EnumerateObject().Where(p => p.Value.GetProperty("type").GetString() != "Project"), locked =>
        {
            JsonElement package = Package(document, locked.Name) ?? throw new InvalidOperationException($"{locked.Name} is missing");
            Assert.Equal(locked.Value.GetProperty("resolved").GetString(), package.GetProperty("versionInfo").GetString());
            Assert.Equal(128, package.GetProperty("checksums")[0].GetProperty("checksumValue").GetString()!.Length);
            Assert.True(package.GetProperty("licenseDeclared").GetString() != "NOASSERTION", $"say the licence of {locked.Name} in Sbom.Licences");
        });
        // And nothing is told of that is no longer there.
        Assert.All(Sbom.Licences.Keys, name => Assert.Contains(Locked.EnumerateObject(), p => p.Name == name));
    }

    [Fact]
    public void It_says_the_same_each_time_and_another_thing_for_another_machine()
    {
        Assert.Equal(Sbom.Write(), Sbom.Write());
        string Space(string? target) => Document(target).GetProperty("documentNamespace").GetString()!;
        Assert.NotEqual(Space("linux-x64"), Space("linux-arm64"));
        Assert.NotNull(Package(Document("linux-arm64"), "Microsoft.NETCore.App.Runtime.linux-arm64"));
    }

    [Fact]
    public void It_has_what_the_standard_demands()
    {
        JsonElement document = Document("linux-x64");
        Assert.Equal(["SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT"], new[] { "spdxVersion", "dataLicense", "SPDXID" }.Select(n => document.GetProperty(n).GetString()));
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", document.GetProperty("creationInfo").GetProperty("created").GetString());
        List<string> ids = [.. document.GetProperty("packages").EnumerateArray().Select(p => p.GetProperty("SPDXID").GetString()!)];
        Assert.Equal(ids.Count, ids.Distinct().Count());
        Assert.All(ids, id => Assert.Matches(new Regex(@"^SPDXRef-[A-Za-z0-9.\-]+$"), id));
        Assert.All(document.GetProperty("relationships").EnumerateArray(), r =>
        {
            Assert.Contains(r.GetProperty("spdxElementId").GetString()!, ids.Append("SPDXRef-DOCUMENT"));
            Assert.Contains(r.GetProperty("relatedSpdxElement").GetString()!, ids);
        });
        // Each package but nfr stands in a relation, and nfr is what the document is about.
        Assert.Equal(ids.Count, document.GetProperty("relationships").GetArrayLength());
        Assert.Equal("DESCRIBES", document.GetProperty("relationships")[0].GetProperty("relationshipType").GetString());
    }
}
