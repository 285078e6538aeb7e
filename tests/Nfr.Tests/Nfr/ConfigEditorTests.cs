using System.Text;
using Nfr.Config;

namespace Nfr.Tests.Nfr;

public sealed class ConfigEditorTests
{
    [Theory]
    [InlineData("", "engine:\n  api_key: K1\n")]
    [InlineData("log: {level: info}", "log: {level: info}\nengine:\n  api_key: K1\n")]
    [InlineData("# only words\n", "# only words\nengine:\n  api_key: K1\n")]
    [InlineData("engine:\nlog:\n", "engine:\n  api_key: K1\nlog:\n")]
    [InlineData("engine:\n    host: x\n", "engine:\n    api_key: K1\n    host: x\n")]
    [InlineData("engine: # mine\n  # a\n  host: x\n", "engine: # mine\n  api_key: K1\n  # a\n  host: x\n")]
    [InlineData("engine:\n  api_key:\n", "engine:\n  api_key: K1\n")]
    [InlineData("engine:\n  api_key:   # none yet\n  host: x\n", "engine:\n  api_key: K1  # none yet\n  host: x\n")]
    [InlineData("engine:\n  api_key: old\n", "engine:\n  api_key: K1\n")]
    [InlineData("engine:\n  api_key: \"old\" # c\n", "engine:\n  api_key: K1  # c\n")]
    [InlineData("engine:\n  \"api_key\": 'o''ld'\n", "engine:\n  \"api_key\": K1\n")]
    [InlineData("engine:\n  api_key: ~\n", "engine:\n  api_key: K1\n")]
    [InlineData("engine:\n  api_key: null # c\n", "engine:\n  api_key: K1  # c\n")]
    [InlineData("engine:\r\n  api_key: old\r\nlog:\r\n", "engine:\r\n  api_key: K1\r\nlog:\r\n")]
    [InlineData("engine:\r\n  host: x\r\n", "engine:\r\n  api_key: K1\r\n  host: x\r\n")]
    public void One_key_is_set_and_the_rest_stays(string text, string edited) => Assert.Equal(edited, ConfigEditor.SetEngine(text, "api_key", "K1"));

    [Theory]
    [InlineData("engine: {host: x}\n")]
    [InlineData("{engine: {host: x}}\n")]
    [InlineData("a: &a {host: x}\nengine: *a\n")]
    [InlineData("engine:\n  api_key: >\n    folded\n    text\n")]
    [InlineData("engine: [\n")]
    [InlineData("engine: text\n")]
    public void What_cannot_be_edited_by_the_line_is_left_alone(string text) => Assert.Null(ConfigEditor.SetEngine(text, "api_key", "K1"));

    [Theory]
    [InlineData("true")]
    [InlineData("12345")]
    [InlineData("0x1F")]
    [InlineData("a#b\"c\\d")]
    [InlineData("- x")]
    [InlineData("null")]
    public void Any_value_reads_back_as_itself(string value)
    {
        string? edited = ConfigEditor.SetEngine("engine:\n  api_key: old\n", "api_key", value);
        var faults = new FaultList("");
        YamlMap root = YamlReader.Read(edited!, faults)!;
        Assert.Equal(value, Assert.IsType<YamlText>(((YamlMap)root.Find("engine", out _)!).Find("api_key", out _)).Text);
        Assert.Equal(0, faults.Count);
    }

    [Fact]
    public void An_edited_file_is_right_or_not_written_whatever_it_was()
    {
        string shipped = ShippedFiles.Config;
        var random = new Random(7);
        for (int run = 0; run < 500; run++)
        {
            var text = new StringBuilder(shipped[..random.Next(shipped.Length / 8)]);
            for (int edits = random.Next(4); edits > 0 && text.Length > 0; edits--) text.Insert(random.Next(text.Length), "{}[]:#&*\n\r\t'\" -"[random.Next(15)]);
            ConfigEditor.SetEngine(text.ToString(), "api_key", "K1");
        }
    }

    [Fact]
    public void A_link_is_followed_and_the_old_text_stays_when_writing_fails()
    {
        string folder = Directory.CreateTempSubdirectory("nfr-save-").FullName;
        try
        {
            string real = Path.Combine(folder, "real.yml"), link = Path.Combine(folder, "link.yml");
            File.WriteAllText(real, "old");
            File.CreateSymbolicLink(link, "real.yml");
            Assert.Null(ConfigEditor.Save(link, "new", secret: true));
            Assert.Equal("new", File.ReadAllText(real));
            Assert.NotNull(new FileInfo(link).LinkTarget);
            Assert.Equal(2, Directory.GetFileSystemEntries(folder).Length);

            Directory.CreateDirectory(Path.Combine(folder, "taken", "x"));
            Assert.NotNull(ConfigEditor.Save(Path.Combine(folder, "taken"), "new", secret: true));
            Assert.Equal(3, Directory.GetFileSystemEntries(folder).Length);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
