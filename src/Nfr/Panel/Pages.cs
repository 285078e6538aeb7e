namespace Nfr.Panel;

/// <summary>Draws the pages.</summary>
static class Pages
{
    /// <summary>Draws over all of <paramref name="screen"/>. Never fails: what does not fit is cut, what is not known is left out.</summary>
    /// <param name="state">What there is to say.</param>
    /// <param name="view">The page.</param>
    /// <param name="screen">The picture.</param>
    public static void Draw(PanelState state, PanelView view, ScreenBuffer screen)
    {
        screen.Clear();
        // A frame, and a mark for the page, until the pages are drawn.
        for (int x = 0; x < ScreenBuffer.Width; x++) screen[x, 0] = screen[x, ScreenBuffer.Height - 1] = true;
        for (int y = 0; y < 8; y++) screen[4 + (4 * (int)view.Page), 4 + y] = true;
    }
}
