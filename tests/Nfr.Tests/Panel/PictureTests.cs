using FsCheck;
using FsCheck.Fluent;
using Nfr.Health;
using Nfr.Panel;
using Nfr.Panel.Screens;
using Xunit.Abstractions;

namespace Nfr.Tests.Panel;

/// <summary>Every page against the picture of it that somebody has looked at, and every page under states that nobody thought of.</summary>
public sealed class PictureTests(ITestOutputHelper output)
{
    /// <summary>Set to 1, the pictures are written as they are drawn now. Look at them before they are committed.</summary>
    const string Accept = "NFR_ACCEPT_PICTURES";

    static string Folder
    {
        get
        {
            for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            {
                if (File.Exists(Path.Combine(folder.FullName, "Nfr.slnx"))) return Path.Combine(folder.FullName, "tests", "Nfr.Tests", "Panel", "golden");
            }
            throw new DirectoryNotFoundException("the checkout is not above " + AppContext.BaseDirectory);
        }
    }

    static ScreenBuffer Draw(PanelState state, PanelView view)
    {
        var screen = new ScreenBuffer();
        Pages.Draw(state, view, screen);
        return screen;
    }

    [Fact]
    public void Every_page_looks_as_it_was_when_somebody_last_looked_at_it()
    {
        bool accepts = Environment.GetEnvironmentVariable(Accept) == "1";
        if (accepts) Directory.CreateDirectory(Folder);
        List<string> wrong = [];
        foreach ((string name, PanelState state, PanelView view) in Pictures.All)
        {
            string file = Path.Combine(Folder, name + ".txt"), now = PictureText.Of(Draw(state, view));
            if (accepts) File.WriteAllText(file, now);
            string kept = File.Exists(file) ? File.ReadAllText(file) : "";
            if (kept == now) continue;
            wrong.Add(name);
            output.WriteLine($"{name} is now:\n{now}");
        }
        string[] left = [.. Directory.EnumerateFiles(Folder, "*.txt").Select(f => Path.GetFileNameWithoutExtension(f)).Except(Pictures.All.Select(p => p.Name))];
        Assert.True(wrong.Count == 0, $"these pictures differ from those in {Folder}: {string.Join(", ", wrong)}. Look at them (below, or nfr panel --preview); if they are right, run this test with {Accept}=1 and commit them.");
        Assert.True(left.Length == 0, $"no page draws these pictures any more: {string.Join(", ", left)}");
    }

    [Fact]
    public void There_is_a_picture_of_every_page() => Assert.Empty(Enum.GetValues<PanelPage>().Except(Pictures.All.Select(p => p.View.Page)));

    [Fact]
    public void All_pictures_fit_on_a_sheet_to_be_looked_at()
    {
        byte[] sheet = PreviewPng.Sheet([.. Pictures.All.Select(p => (p.Name, Draw(p.State, p.View)))], 4);
        Assert.Equal(sheet, PreviewPng.Sheet([.. Pictures.All.Select(p => (p.Name, Draw(p.State, p.View)))], 4));
        // Where somebody wants to see them.
        if (Environment.GetEnvironmentVariable("NFR_PICTURE_SHEET") is { Length: > 0 } file) File.WriteAllBytes(file, sheet);
    }

    [Fact]
    public void Whatever_the_state_every_page_is_drawn_and_keeps_the_edge_free()
    {
        Prop.ForAll(ArbMap.Default.GeneratorFor<int>().ToArbitrary(), seed =>
        {
            var chance = new Random(seed);
            PanelState state = AnyState(chance);
            foreach (PanelPage page in Enum.GetValues<PanelPage>())
            {
                ScreenBuffer screen = Draw(state, new PanelView(page, chance.Next(-5, 500), chance.Next(-3, 200)));
                Assert.True(Pages.SecondsFor(state, page) > 0);
                // The code alone is as high as the display.
                if (page == PanelPage.Pairing) continue;
                for (int x = 0; x < ScreenBuffer.Width; x++) Assert.False(screen[x, ScreenBuffer.Height - 1], $"{page}: row 63 is used, which is lost when the picture moves");
                for (int y = 0; y < ScreenBuffer.Height; y++) Assert.False(screen[ScreenBuffer.Width - 1, y], $"{page}: column 127 is used, which is lost when the picture moves");
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Drawing_a_page_allocates_little()
    {
        PanelState state = ExampleStates.Of("trouble")!;
        var screen = new ScreenBuffer();
        foreach (PanelPage page in Enum.GetValues<PanelPage>()) Pages.Draw(state, new PanelView(page, 1), screen);
        long before = GC.GetAllocatedBytesForCurrentThread();
        foreach (PanelPage page in Enum.GetValues<PanelPage>()) Pages.Draw(state, new PanelView(page, 2), screen);
        long each = (GC.GetAllocatedBytesForCurrentThread() - before) / Enum.GetValues<PanelPage>().Length;
        Assert.True(each < 8 * 1024, $"{each} bytes a page");
    }

    static PanelState AnyState(Random chance)
    {
        string Text()
        {
            var text = new char[chance.Next(4) == 0 ? 0 : chance.Next(1, chance.Next(2) == 0 ? 12 : 200)];
            for (int i = 0; i < text.Length; i++) text[i] = chance.Next(6) switch { 0 => ' ', 1 => (char)chance.Next(0x10000), 2 => (char)chance.Next(0x20, 0x250), _ => (char)chance.Next('0', 'z') };
            return new string(text);
        }
        double Number() => chance.Next(8) switch { 0 => 0, 1 => double.NaN, 2 => double.PositiveInfinity, 3 => -chance.NextDouble(), 4 => double.MaxValue, 5 => chance.NextDouble(), _ => chance.NextDouble() * 1e10 };
        long Long() => chance.Next(5) switch { 0 => 0, 1 => long.MaxValue, 2 => long.MinValue, _ => chance.NextInt64(1L << 40) };
        TimeSpan Span() => chance.Next(5) switch { 0 => TimeSpan.Zero, 1 => TimeSpan.MaxValue, 2 => TimeSpan.MinValue, _ => TimeSpan.FromSeconds(chance.Next()) };
        DateTimeOffset Time() => chance.Next(4) switch { 0 => DateTimeOffset.MinValue, 1 => DateTimeOffset.MaxValue, _ => DateTimeOffset.FromUnixTimeSeconds(chance.Next()) };
        bool Maybe() => chance.Next(2) == 0;
        T Any<T>() where T : struct, Enum => (T)Enum.ToObject(typeof(T), chance.Next(0, 8));
        List<T> Some<T>(Func<T> one) => [.. Enumerable.Range(0, chance.Next(8)).Select(_ => one())];
        return new PanelState
        {
            HasSensor = Maybe(),
            Name = Text(),
            Site = Text(),
            SensorId = Text(),
            Version = Text(),
            Addresses = Some(Text),
            Now = Time(),
            Uptime = Span(),
            Clock = Any<PanelClock>(),
            Ports = Some(() => new PanelPort(Text(), Any<PanelLink>(), Maybe()) { MegabitsPerSecond = (int)Long(), PacketsPerSecond = Number(), BitsPerSecond = Number(), Lost = Long(), LossShare = Number(), Trouble = Text() }),
            Inputs = (int)Long(),
            Spool = new PanelSpool(Long(), Long(), Long()) { OldestAge = Maybe() ? Span() : null, IsFailing = Maybe(), IsDiskFull = Maybe(), Evicted = Long() },
            Uplinks = Some(() => new PanelUplink(Text(), Any<PanelUplinkPhase>()) { Waiting = Long(), SinceDelivery = Maybe() ? Span() : null, Trouble = Text() }),
            Fleet = new PanelFleet(Any<PanelFleetPhase>(), Text(), Text()),
            Alerts = Some(() => new PanelAlert(Long(), (int)Long(), Text(), Text(), Time(), Maybe())),
            Unacknowledged = Long(),
            Health = Any<PanelHealth>(),
            Troubles = Some(() => new Trouble(Any<Gravity>(), Text(), Text(), Text())),
            TroubleCount = (int)Long(),
            Box = new PanelBox { Celsius = Maybe() ? Number() : null, CardYears = Maybe() ? Number() : null, DiskFree = Long(), DiskSize = Long(), IsDiskReadOnly = Maybe(), IsUnderVoltage = Maybe(), IsThrottled = Maybe() },
            Update = new PanelUpdate(Any<PanelUpdatePhase>(), (int)Long(), Text(), Text()),
            Address = Text(),
            SshKey = Text(),
            CommandKeys = Some(Text),
            SetupFaults = Some(Text),
            Rates = Some(Number),
        };
    }
}
