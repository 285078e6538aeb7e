namespace Nfr.Panel.Screens;

/// <summary>A code to scan, and the same in letters.</summary>
static class PairingPage
{
    /// <summary>The greatest that still has two dots a module: one dot is too fine for many cameras.</summary>
    const int MostVersionAtTwoDots = 3;

    /// <summary>The last one made, since the same one is drawn each second. Immutable, so a race only makes it twice.</summary>
    static (string Url, QrCode? Code) s_last = ("", null);

    public static void Draw(Canvas canvas, PanelState state, int seconds)
    {
        QrCode? code = state.PairingUrl.Length > 0 ? CodeOf(state.PairingUrl) : null;
        if (code is null)
        {
            PageParts.Title(canvas, "lock", "Pairing code");
            if (state.PairingCode.Length == 0) canvas.Paragraph("There is nothing to pair now.", 0, PageParts.At(1), Canvas.Width, 3);
            else
            {
                canvas.Moving(state.PairingCode, 0, 18, Canvas.Width, seconds, BitmapFont.Big);
                canvas.Paragraph("Type this where you are asked for it.", 0, 40, Canvas.Width, 2);
            }
            return;
        }
        const int Left = ScreenBuffer.Height + 3;
        canvas.Code(code, 0, 0, ScreenBuffer.Height);
        canvas.Text("Scan this", Left, 2);
        if (state.PairingCode.Length == 0)
        {
            canvas.Paragraph("with your phone to pair it.", Left, 11, Canvas.Width - Left, 4);
            return;
        }
        canvas.Text("or type", Left, 11);
        canvas.Rectangle(Left, 21, Canvas.Width - Left, 1);
        canvas.Paragraph(state.PairingCode, Left, 25, Canvas.Width - Left, 4);
    }

    /// <summary>Rather larger dots than more of them for repair; null where it is too long for any.</summary>
    internal static QrCode? CodeOf(string url)
    {
        (string Url, QrCode? Code) last = s_last;
        if (last.Url == url) return last.Code;
        QrCode? code = QrCode.Of(url, QrLevel.Medium);
        if (code is null || code.Version > MostVersionAtTwoDots) code = QrCode.Of(url, QrLevel.Low);
        s_last = (url, code);
        return code;
    }
}
