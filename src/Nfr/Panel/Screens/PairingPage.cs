namespace Nfr.Panel.Screens;

/// <summary>
/// What an owner holds against what the network says, so that no other machine passes for this one: what "nfr fleet" calls the box, the key that "ssh" asks about at the first
/// connection, and whose commands the box obeys. There is no secret on it: everybody who stands before the box may read it (decision 009).
/// </summary>
static class PairingPage
{
    /// <summary>Before the address in the code, so that a reader shows what it is.</summary>
    internal const string Scheme = "nfr:";

    /// <summary>The greatest that still has two dots a module: one dot is too fine for many cameras.</summary>
    const int MostVersionAtTwoDots = 3;

    /// <summary>The last one made, since the same one is drawn each second. Immutable, so a race only makes it twice.</summary>
    static (string Text, QrCode? Code) s_last = ("", null);

    public static int Turns(PanelState state) => (state.Address.Length > 0 ? 1 : 0) + (state.SshKey.Length > 0 ? 1 : 0) + 1;

    public static void Draw(Canvas canvas, PanelState state, int seconds)
    {
        int turn = seconds / PageParts.Turn % Turns(state);
        if (state.Address.Length > 0 && turn-- == 0) Box(canvas, state.Address);
        else if (state.SshKey.Length > 0 && turn-- == 0) Ssh(canvas, state.SshKey);
        else Commands(canvas, state);
    }

    static void Box(Canvas canvas, string address)
    {
        if (CodeOf(Scheme + address) is not { } code)
        {
            PageParts.Title(canvas, "lock", "This box is");
            canvas.Paragraph(address, 0, PageParts.At(1), Canvas.Width, 4);
            return;
        }
        const int Left = ScreenBuffer.Height + 3;
        canvas.Code(code, 0, 0, ScreenBuffer.Height);
        canvas.Text("This box is", Left, 2);
        canvas.Rectangle(Left, 12, Canvas.Width - Left, 1);
        canvas.Paragraph(address, Left, 16, Canvas.Width - Left, 5);
    }

    static void Ssh(Canvas canvas, string key)
    {
        PageParts.Title(canvas, "lock", "SSH host key");
        canvas.Paragraph(key, 0, PageParts.At(0), Canvas.Width, 3);
        canvas.Paragraph("Say yes to ssh if it shows the same.", 0, PageParts.At(3) + 2, Canvas.Width, 2);
    }

    static void Commands(Canvas canvas, PanelState state)
    {
        PageParts.Title(canvas, "lock", "Obeys commands of");
        int line = 0;
        foreach (string key in state.CommandKeys.Take(PanelState.MostCommandKeys)) canvas.Text(key, 0, PageParts.At(line++));
        if (line == 0) canvas.Paragraph("Nobody: it has no key of an owner's.", 0, PageParts.At(0), Canvas.Width, 3);
        else canvas.Paragraph("nfr fleet key shows yours.", 0, PageParts.At(4) + 2, Canvas.Width, 1);
    }

    /// <summary>Rather larger dots than more of them for repair; null where it is too long for any.</summary>
    internal static QrCode? CodeOf(string text)
    {
        (string Text, QrCode? Code) last = s_last;
        if (last.Text == text) return last.Code;
        QrCode? code = QrCode.Of(text, QrLevel.Medium);
        if (code is null || code.Version > MostVersionAtTwoDots) code = QrCode.Of(text, QrLevel.Low);
        s_last = (text, code);
        return code;
    }
}
