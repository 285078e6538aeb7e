using System.Text;
using Nfr.Panel;

namespace Nfr.Tests.Panel;

/// <summary>A picture as text: a character is two dots, one above the other, so that it looks in a diff as it looks on the display.</summary>
static class PictureText
{
    public static string Of(ScreenBuffer screen)
    {
        var text = new StringBuilder();
        for (int y = 0; y < ScreenBuffer.Height; y += 2)
        {
            int end = text.Length;
            for (int x = 0; x < ScreenBuffer.Width; x++)
            {
                char c = (screen[x, y], screen[x, y + 1]) switch { (false, false) => '.', (true, false) => '▀', (false, true) => '▄', _ => '█' };
                text.Append(c);
                if (c != '.') end = text.Length;
            }
            // What is dark up to the edge says nothing.
            text.Length = end;
            text.Append('\n');
        }
        return text.ToString();
    }
}
