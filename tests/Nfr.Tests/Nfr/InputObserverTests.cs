using Nfr.Health;
using Nfr.Logs;
using Nfr.Pipeline;

namespace Nfr.Tests.Nfr;

/// <summary>Promise 12 for logs: a source that gives nothing says so within a minute, once, in plain words.</summary>
public sealed class InputObserverTests
{
    readonly ManualTime _time = new();
    readonly LogCounters _counters = new("/var/log/dns.log");
    readonly List<(bool Holds, string Sentence)> _told = [];
    readonly InputObserver _observer;
    long? _behind = 0;
    string? _trouble;

    public InputObserverTests() => _observer = new InputObserver("/var/log/dns.log", (holds, sentence) => _told.Add((holds, sentence)), _time);

    void Pass(int seconds, Action<LogCounters>? lines = null)
    {
        for (int at = 0; at < seconds; at += 10)
        {
            lines?.Invoke(_counters);
            _time.Advance(Observer.Interval);
            _observer.Look(_counters, new InputReport("/var/log/dns.log", "/var/log/dns.log", _trouble, _behind, null));
        }
    }

    void Good(LogCounters c)
    {
        c.Verdicts[(int)LineVerdict.Event] += 100;
        c.Verdicts[(int)LineVerdict.Header] += 3;
        c.Verdicts[(int)LineVerdict.Timestamp] += 1;
        c.Events[0] += 100;
    }

    void AssertLife(string begins, Gravity gravity, Action<LogCounters>? lines)
    {
        Pass(60, lines);
        (bool holds, string sentence) = Assert.Single(_told);
        Assert.True(holds);
        Assert.Contains(begins, sentence, StringComparison.Ordinal);
        Assert.Contains("; ", sentence, StringComparison.Ordinal);
        Trouble trouble = Assert.Single(_observer.Troubles);
        Assert.Equal((gravity, "input"), (trouble.Gravity, trouble.Place));
        Pass(1800, lines);
        Assert.Single(_told);
        Pass(2400, lines);
        Assert.Equal(2, _told.Count);
        _behind = 0;
        Pass(60, Good);
        Assert.Equal((3, false), (_told.Count, _told[2].Holds));
        Assert.Empty(_observer.Troubles);
        Pass(7200, Good);
        Assert.Equal(3, _told.Count);
    }

    [Fact]
    public void A_log_that_gives_events_is_left_in_peace()
    {
        Pass(7200, Good);
        // And one that rests at night, too.
        Pass(36_000);
        Assert.Empty(_told);
        Assert.Empty(_observer.Troubles);
    }

    [Fact]
    public void A_log_without_a_line() => AssertLife("/var/log/dns.log has given no line since the start; see that what should write it does", Gravity.Notice, null);

    [Fact]
    public void A_log_of_another_format() => AssertLife("none of the last 30 lines of /var/log/dns.log could be read: it is no JSON object; ", Gravity.Fault, c => c.Verdicts[(int)LineVerdict.NotJson] += 30);

    [Fact]
    public void A_log_of_another_kind() => AssertLife("/var/log/dns.log gives no events: 30 lines came, of kinds that are none; ", Gravity.Notice, c => c.Verdicts[(int)LineVerdict.Other] += 30);

    [Fact]
    public void A_log_of_another_type() => AssertLife("/var/log/dns.log gives no events of the wanted type: 40 lines came; ", Gravity.Notice, c =>
    {
        c.Verdicts[(int)LineVerdict.Unwanted] += 30;
        c.Verdicts[(int)LineVerdict.Syntax] += 10;
    });

    [Fact]
    public void Queries_that_are_held_are_no_silence()
    {
        Pass(600, c => c.Verdicts[(int)LineVerdict.Held] += 30);
        Assert.Empty(_told);
    }

    [Fact]
    public void A_file_that_grows_and_is_not_read()
    {
        Pass(30, Good);
        _behind = 5_000;
        AssertLife("/var/log/dns.log is not read though 5,000 more of it wait; ", Gravity.Fault, null);
    }

    [Fact]
    public void What_the_input_says_itself_is_shown_and_not_said_twice()
    {
        _trouble = "permission denied; let the sensor's user read it (chmod, or the group adm)";
        Pass(600);
        Assert.Empty(_told);
        Assert.Equal(new Trouble(Gravity.Fault, "input", "/var/log/dns.log: permission denied", "let the sensor's user read it (chmod, or the group adm)"), Assert.Single(_observer.Troubles));
        _trouble = null;
        Pass(60, Good);
        Assert.Empty(_observer.Troubles);
    }
}
