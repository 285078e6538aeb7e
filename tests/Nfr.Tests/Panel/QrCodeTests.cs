using System.Diagnostics;
using System.Globalization;
using System.Text;
using Nfr.Panel;
using Nfr.Panel.Screens;
using Xunit.Abstractions;

namespace Nfr.Tests.Panel;

/// <summary>ISO/IEC 18004, against codes that another encoder made and a reader that knows nothing of ours.</summary>
public sealed class QrCodeTests(ITestOutputHelper output)
{
    /// <summary>Level, text and modules by qrencode 4.1 (-8 -m 0), four modules a hexadecimal digit.</summary>
    static IEnumerable<(QrLevel Level, string Text, string[] Rows)> Known()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (!File.Exists(Path.Combine(folder.FullName, "Nfr.slnx"))) continue;
            foreach (string block in File.ReadAllText(Path.Combine(folder.FullName, "tests", "Nfr.Tests", "Panel", "qr-codes.txt")).Split("\n\n"))
            {
                string[] lines = block.TrimEnd('\n').Split('\n');
                yield return (lines[0][0] == 'L' ? QrLevel.Low : QrLevel.Medium, lines[0][2..], lines[1..]);
            }
        }
    }

    static string[] Rows(QrCode code) => [.. Enumerable.Range(0, code.Size).Select(y =>
    {
        var row = new StringBuilder();
        for (int x = 0; x < code.Size; x += 4)
        {
            int digit = 0;
            for (int i = 0; i < 4; i++) digit = (digit << 1) | (x + i < code.Size && code[x + i, y] ? 1 : 0);
            row.Append(digit.ToString("x", CultureInfo.InvariantCulture));
        }
        return row.ToString();
    })];

    [Fact]
    public void Codes_are_those_of_another_encoder_module_for_module()
    {
        int same = 0, codes = 0;
        foreach ((QrLevel level, string text, string[] rows) in Known())
        {
            codes++;
            // Which mask is best is a matter of how the penalties are read; what a mask gives is not.
            int mask = Enumerable.Range(0, 8).FirstOrDefault(m => Rows(QrCode.Of(text, level, m)!).SequenceEqual(rows), -1);
            Assert.True(mask >= 0, $"no mask of ours gives the code of \"{text}\"");
            if (QrCode.Of(text, level)!.Mask == mask) same++;
        }
        output.WriteLine($"{codes} codes, {same} with the same mask");
        Assert.Equal(8, codes);
    }

    [Theory]
    // ISO/IEC 18004 table 7, bytes.
    [InlineData(1, 17, 14)]
    [InlineData(2, 32, 26)]
    [InlineData(3, 53, 42)]
    [InlineData(4, 78, 62)]
    [InlineData(7, 154, 122)]
    [InlineData(10, 271, 213)]
    public void A_version_holds_as_many_bytes_as_the_table_says(int version, int low, int medium)
    {
        Assert.Equal((low, medium), (QrCode.Capacity(version, QrLevel.Low), QrCode.Capacity(version, QrLevel.Medium)));
        Assert.Equal(version, QrCode.Of(new string('x', low), QrLevel.Low)!.Version);
        Assert.NotEqual(version, QrCode.Of(new string('x', low + 1), QrLevel.Low)?.Version);
    }

    [Fact]
    public void A_text_that_no_code_holds_is_refused() => Assert.Null(QrCode.Of(new string('x', 272), QrLevel.Low));

    [Fact]
    public void A_reader_reads_every_version_level_and_mask_and_the_pairing_page_itself()
    {
        if (!Tool("zbarimg", "--version", out _))
        {
            output.WriteLine("skipped: zbarimg is not installed (Debian package zbar-tools)");
            return;
        }
        string folder = Directory.CreateTempSubdirectory("nfr-qr").FullName;
        try
        {
            List<string> texts = [];
            for (int i = 0; i < 20; i++)
            {
                var level = (QrLevel)(i % 2);
                string text = $"https://nfr.example/{i}#".PadRight(QrCode.Capacity((i / 2) + 1, level), 'k')[..QrCode.Capacity((i / 2) + 1, level)];
                texts.Add(text);
                File.WriteAllBytes(Path.Combine(folder, $"{i:00}.pgm"), Pgm(QrCode.Of(text, level, i % 8)!));
            }
            var screen = new ScreenBuffer();
            Pages.Draw(ExampleStates.Of("example")!, new PanelView(PanelPage.Pairing), screen);
            texts.Add(PairingPage.Scheme + ExampleStates.Of("example")!.Address);
            File.WriteAllBytes(Path.Combine(folder, "99.pgm"), Pgm((x, y) => !screen[x, y], ScreenBuffer.Width, ScreenBuffer.Height, 4));
            Assert.True(Tool("zbarimg", $"--quiet --raw -Sdisable -Sqrcode.enable {string.Join(' ', Directory.GetFiles(folder).Order(StringComparer.Ordinal))}", out string read), read);
            Assert.Equal(texts, read.TrimEnd('\n').Split('\n'));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    static byte[] Pgm(QrCode code) => Pgm((x, y) => x >= 4 && y >= 4 && x < code.Size + 4 && y < code.Size + 4 && code[x - 4, y - 4], code.Size + 8, code.Size + 8, 4);

    static byte[] Pgm(Func<int, int, bool> dark, int width, int height, int scale)
    {
        byte[] head = Encoding.ASCII.GetBytes($"P5 {width * scale} {height * scale} 255\n");
        var pixels = new byte[width * height * scale * scale];
        for (int i = 0; i < pixels.Length; i++) pixels[i] = dark(i % (width * scale) / scale, i / (width * scale) / scale) ? (byte)0 : (byte)255;
        return [.. head, .. pixels];
    }

    /// <summary>False when it is not there, or failed.</summary>
    static bool Tool(string name, string arguments, out string said)
    {
        said = "";
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(name, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            Task<string> errors = process.StandardError.ReadToEndAsync();
            Task<string> lines = process.StandardOutput.ReadToEndAsync();
            if (!process.WaitForExit(TimeSpan.FromSeconds(30)))
            {
                process.Kill();
                return false;
            }
            said = lines.Result + (process.ExitCode == 0 ? "" : errors.Result);
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
