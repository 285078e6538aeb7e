using System.Globalization;
using System.Text;
using System.Text.Json;
using Nfr.Health;
using Nfr.Update;

namespace Nfr.Commands;

/// <summary>What a person sees of an update: a bar on a terminal, a line each tenth where it is piped; and "nfr update status".</summary>
sealed class UpdateScreen(Terminal terminal)
{
    const int Width = 24;

    readonly bool _bar = ScreenLine.IsOnScreen(terminal);
    readonly long _began = TimeProvider.System.GetTimestamp();
    bool _open;
    string _phase = "";
    int _tenth = -1;

    public void Show(UpdateMoment moment)
    {
        // What went wrong is told once, by the command.
        if (moment.Phase == "failed") return;
        if (_bar && moment.Total > 0)
        {
            if (moment.Phase != _phase) End();
            terminal.Out.Write("\r" + Bar(moment) + "\x1b[K");
            _open = true;
        }
        else if (moment.Phase != _phase || moment.Percent / 10 > _tenth)
        {
            End();
            terminal.Out.WriteLine(moment.Total > 0 ? string.Create(CultureInfo.InvariantCulture, $"{moment.Phase} {moment.Percent} %") : moment.Text);
        }
        (_phase, _tenth) = (moment.Phase, moment.Percent / 10);
        terminal.Out.Flush();
    }

    /// <summary>Leaves the line of the bar.</summary>
    public void End()
    {
        if (_open) terminal.Out.WriteLine();
        (_open, _tenth) = (false, -1);
    }

    string Bar(in UpdateMoment moment)
    {
        double seconds = TimeProvider.System.GetElapsedTime(_began).TotalSeconds;
        int full = Width * moment.Percent / 100;
        string rate = seconds >= 1 && moment.Phase == "writing" ? $", {Sizes.Of((long)(moment.Done / seconds))}/s" : "";
        return string.Create(CultureInfo.InvariantCulture, $"{moment.Phase,-8} [{new string('#', full)}{new string('.', Width - full)}] {moment.Percent,3} %  {Sizes.Of(moment.Done)} of {Sizes.Of(moment.Total)}{rate}");
    }

    /// <param name="box">Of which.</param>
    /// <param name="isUnderWay">An update works now.</param>
    internal static IEnumerable<ScreenLine> Lines(UpdateBox box, bool isUnderWay)
    {
        bool trial = box.OnTrial;
        yield return new ScreenLine($"{box.Image.Title} runs from slot {box.Booted}{(trial ? ", on trial" : "")}", trial ? ScreenMark.Notice : ScreenMark.Good);
        if (trial) yield return new ScreenLine($"  Slot {box.Lasting} is lasting: without a confirmation the next boot goes back to it.");
        yield return box.ReadRecord() switch
        {
            null => new ScreenLine("No update was made on this card."),
            { Phase: UpdatePhase.Writing } r when isUnderWay => new ScreenLine($"The update to {r.Title} is being written to slot {r.Slot}.", ScreenMark.Notice),
            { Phase: UpdatePhase.Writing, Why: "" } r => new ScreenLine($"The update to {r.Title} was cut off while slot {r.Slot} was written; begin it again. What runs is as before.", ScreenMark.Bad),
            { Phase: UpdatePhase.Writing } r => new ScreenLine($"The update to {r.Title} was not finished; what runs is as before. Why: {Printable.Of(r.Why)}", ScreenMark.Bad),
            { Phase: UpdatePhase.Trying } r when trial => new ScreenLine($"The update to {r.Title} waits to be confirmed: nfr update confirm"),
            { Phase: UpdatePhase.Trying } r when r.Boot == box.BootId => new ScreenLine($"The update to {r.Title} is written to slot {r.Slot}; the next reboot tries it.", ScreenMark.Notice),
            { Phase: UpdatePhase.Trying } r => new ScreenLine($"The update to {r.Title} was tried and did not confirm itself, so the box went back.", ScreenMark.Bad),
            { Phase: UpdatePhase.Good } r => new ScreenLine($"The last update, to {r.Title}, went well."),
            { } r => new ScreenLine($"The last update, to {r.Title}, failed: {Printable.Of(r.Why)}", ScreenMark.Bad),
        };
        if (box.ReadRefusal() is { } refused)
            yield return new ScreenLine($"{(refused.Version.Length > 0 ? $"An update to {refused.Title}" : "An update")} was not taken after that: {Printable.Of(refused.Why)}", ScreenMark.Notice);
    }

    /// <param name="box">Of which.</param>
    /// <param name="isUnderWay">An update works now.</param>
    internal static string Json(UpdateBox box, bool isUnderWay)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("version", box.Image.Version);
            json.WriteNumber("counter", box.Image.Counter);
            json.WriteString("hardware", box.Image.Hardware);
            json.WriteString("booted", box.Booted.ToString());
            json.WriteString("lasting", box.Lasting.ToString());
            json.WriteBoolean("onTrial", box.OnTrial);
            json.WriteBoolean("underWay", isUnderWay);
            if (box.ReadRecord() is { } record)
            {
                json.WritePropertyName("last");
                record.Write(json);
            }
            if (box.ReadRefusal() is { } refused)
            {
                json.WritePropertyName("notTaken");
                refused.Write(json);
            }
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
