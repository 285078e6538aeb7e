using Nfr.Health;
using Nfr.Panel;

namespace Nfr.Tests.Panel;

public sealed class BoxNotesTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-notes-").FullName;
    readonly BoxNotePlaces _places;

    public BoxNotesTests()
    {
        _places = new BoxNotePlaces(In("notes"), In("boot"), In("update.json"), In("record.json"));
        Directory.CreateDirectory(_places.Notes);
        Directory.CreateDirectory(_places.Boot);
    }

    string In(string name) => Path.Combine(_folder, name);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    BoxNotes Read() => BoxNotes.Read(_places, DateTimeOffset.UtcNow);

    [Fact]
    public void On_a_machine_that_is_no_appliance_there_is_nothing()
    {
        Directory.Delete(_places.Notes);
        Directory.Delete(_places.Boot);
        Assert.Equal(BoxNotes.None.Update, Read().Update);
        Assert.Empty(Read().Setup);
    }

    [Theory]
    [InlineData("""{"phase":"reading","version":"2.2.0","percent":1,"text":"x"}""", PanelUpdatePhase.Writing, 1)]
    [InlineData("""{"phase":"writing","version":"2.2.0","percent":41,"text":"x"}""", PanelUpdatePhase.Writing, 41)]
    [InlineData("""{"phase":"rebooting","version":"2.2.0","percent":900,"text":"x"}""", PanelUpdatePhase.Writing, 100)]
    [InlineData("""{"phase":"failed","version":"2.2.0","percent":0,"text":"x"}""", PanelUpdatePhase.Failed, 0)]
    [InlineData("""{"phase":17}""", PanelUpdatePhase.Idle, 0)]
    [InlineData("""[1,2""", PanelUpdatePhase.Idle, 0)]
    [InlineData("""[1,2]""", PanelUpdatePhase.Idle, 0)]
    [InlineData("", PanelUpdatePhase.Idle, 0)]
    public void An_update_that_runs_is_told_and_rubbish_is_none(string text, object phase, int percent)
    {
        File.WriteAllText(_places.Progress, text);
        Assert.Equal((phase, percent), (Read().Update.Phase, Read().Update.Percent));
    }

    [Theory]
    [InlineData("trying", PanelUpdatePhase.Trial)]
    [InlineData("good", PanelUpdatePhase.Confirmed)]
    [InlineData("failed", PanelUpdatePhase.RolledBack)]
    [InlineData("writing", PanelUpdatePhase.Idle)]
    public void The_last_update_is_told_by_its_record(string word, object phase)
    {
        File.WriteAllText(_places.Record, $$"""{"phase":"{{word}}","slot":"b","version":"2.2.0","counter":4,"why":"no packets came"}""");
        Assert.Equal(phase, Read().Update.Phase);
        if (word == "failed") Assert.Equal("no packets came", Read().Update.Reason);
    }

    [Fact]
    public void That_an_update_stayed_is_no_news_for_ever()
    {
        File.WriteAllText(_places.Record, """{"phase":"good","version":"2.2.0","counter":4}""");
        File.SetLastWriteTimeUtc(_places.Record, DateTime.UtcNow.AddDays(-2));
        Assert.Equal(PanelUpdatePhase.Idle, Read().Update.Phase);
    }

    [Fact]
    public void Set_up_and_boot_are_told_line_by_line_fit_for_a_screen()
    {
        File.WriteAllText(Path.Combine(_places.Boot, "notes"), "the data partition was mended\n\n");
        File.WriteAllText(Path.Combine(_places.Boot, "data-lost"), "the card is read-only\nmore");
        File.WriteAllText(Path.Combine(_places.Notes, "setup"), "line 3: \e[31mnmae\r\n");
        Assert.Equal(["nothing of this run is kept: the card is read-only", "the data partition was mended", "line 3: \\u001B[31mnmae"], Read().Setup);
    }

    [Fact]
    public void A_file_without_an_end_is_read_up_to_its_bound()
    {
        File.WriteAllText(Path.Combine(_places.Notes, "setup"), new string('x', 1 << 20));
        Assert.Equal(BoxNotes.MostBytes, Assert.Single(Read().Setup).Length);
        File.WriteAllText(Path.Combine(_places.Notes, "setup"), string.Concat(Enumerable.Repeat("a\n", 5000)));
        Assert.Equal(16, Read().Setup.Count);
    }

    [Fact]
    public void A_folder_where_a_file_should_be_is_nothing()
    {
        Directory.CreateDirectory(_places.Progress);
        Directory.CreateDirectory(Path.Combine(_places.Notes, "pairing"));
        Assert.Equal((PanelUpdatePhase.Idle, ""), (Read().Update.Phase, Read().PairingCode));
    }

    [Fact]
    public void Pairing_has_a_code_and_an_address()
    {
        File.WriteAllText(Path.Combine(_places.Notes, "pairing"), "ABCD-1234\nhttps://nfr.local/pair\n");
        Assert.Equal(("ABCD-1234", "https://nfr.local/pair"), (Read().PairingCode, Read().PairingUrl));
    }

    [Fact]
    public void Identify_counts_from_the_files_own_time_and_never_for_hours()
    {
        string file = Path.Combine(_places.Notes, "identify");
        File.WriteAllText(file, "60\n");
        Assert.InRange(Read().IdentifyFor.TotalSeconds, 30, 60);
        File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddMinutes(-2));
        Assert.Equal(TimeSpan.Zero, Read().IdentifyFor);
        // The clock was set back since.
        File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddYears(3));
        Assert.Equal(TimeSpan.Zero, Read().IdentifyFor);
        File.WriteAllText(file, "999999");
        Assert.Equal(TimeSpan.Zero, Read().IdentifyFor);
    }
}
