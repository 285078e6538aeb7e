using System.Runtime.Versioning;
using System.Text;
using Nfr.Uplink;

namespace Nfr.Tests.Fleet;

/// <summary>Commands that come too many at once, and answers on a bad way.</summary>
[SupportedOSPlatform("linux")]
public sealed class FleetAnswerTests
{
    static readonly string s_answer = FleetBench.Topics.Of(FleetTopic.Answer), s_command = FleetBench.Topics.Of(FleetTopic.Command);

    static FleetAnswer Answer(string why) => new() { Why = why };

    [Fact]
    public void An_answer_is_kept_until_it_is_acknowledged()
    {
        var answers = new FleetAnswers();
        answers.Add(Answer("a"));
        answers.Add(Answer("b"));
        FleetAnswer first = answers.Next()!;
        answers.Given(first, 11);
        Assert.Equal("b", answers.Next()!.Why);
        Assert.False(answers.Settled(12, taken: true));
        answers.Begin();
        Assert.Equal("a", answers.Next()!.Why);
        answers.Given(first, 12);
        Assert.True(answers.Settled(12, taken: true));
        Assert.Equal("b", answers.Next()!.Why);
        Assert.Equal((1, 0), (answers.Waiting, answers.Lost));
    }

    [Fact]
    public void The_oldest_answer_is_let_go_and_counted_when_there_are_too_many_and_so_is_one_that_breaks_connections()
    {
        var answers = new FleetAnswers();
        for (int i = 0; i <= FleetAnswers.Most; i++) answers.Add(Answer($"{i}"));
        Assert.Equal((FleetAnswers.Most, 1), (answers.Waiting, answers.Lost));
        Assert.Equal("1", answers.Next()!.Why);
        for (int i = 0; i < 3; i++)
        {
            answers.Begin();
            answers.Given(answers.Next()!, 1 + i);
        }
        answers.Begin();
        Assert.Equal(("2", 2), (answers.Next()!.Why, answers.Lost));
    }

    [BrokerFact]
    public void An_answer_at_which_the_connection_breaks_goes_again_with_the_next_one()
    {
        int answers = 0;
        using var broker = new PaperBroker { Reply = (topic, _) => topic == s_answer && Interlocked.Increment(ref answers) == 1 ? PaperReply.Close : PaperReply.Taken };
        using var bench = new FleetBench(broker.Port);
        MqttEar.Until(() => bench.Link.State.IsConnected, "connected", 60);
        broker.Send(s_command, [bench.Command("ping", 1).Sign(bench.Key)]);
        MqttEar.Until(() => broker.Of(s_answer).Count() == 2, $"the answer again: {bench.Link.State}", 60);
        Assert.Single(broker.Of(s_answer).Distinct());
        Assert.Single(bench.Done);
        Assert.Equal(0, bench.Link.State.AnswersLost);
    }

    /// <summary>libmosquitto has acknowledged it, so the broker never sends it again.</summary>
    [BrokerFact]
    public void A_command_behind_which_the_connection_ends_is_obeyed_and_answered_with_the_next_one()
    {
        using var broker = new PaperBroker { Reply = (topic, _) => topic == FleetBench.Topics.Of(FleetTopic.Alert) ? PaperReply.Nothing : PaperReply.Taken };
        using var bench = new FleetBench(broker.Port, o => o with { Patience = TimeSpan.FromSeconds(90) });
        // While some wait for their PUBACK, several packets are read in one go: the command, and the end behind it.
        bench.Append(5);
        MqttEar.Until(() => broker.Of(FleetBench.Topics.Of(FleetTopic.Alert)).Any(), "alerts", 60);
        broker.Send(s_command, [bench.Command("ping", 1).Sign(bench.Key)], last: true);
        MqttEar.Until(() => broker.Of(s_answer).Any(), $"the answer: {bench.Link.State}", 60);
        Assert.Single(bench.Done);
    }

    /// <summary>libmosquitto reads as many packets in one go as it waits for PUBACKs: a hundred alerts on their way are a hundred commands in one round.</summary>
    [BrokerFact]
    public void Of_a_hundred_commands_at_once_each_is_obeyed_answered_or_counted()
    {
        const int commands = 100;
        using var stored = new ManualResetEventSlim();
        using var broker = new PaperBroker { Reply = (topic, _) => topic == FleetBench.Topics.Of(FleetTopic.Alert) ? PaperReply.Nothing : PaperReply.Taken };
        // All of them on one page.
        broker.Connack = _ => stored.Wait(10_000) ? [0x20, 3, 0, 0, 0] : null;
        using var bench = new FleetBench(broker.Port, o => o with { Patience = TimeSpan.FromSeconds(90) });
        bench.Append(100);
        stored.Set();
        MqttEar.Until(() => broker.Of(FleetBench.Topics.Of(FleetTopic.Alert)).Count() == 100, $"a page of alerts: {bench.Link.State}", 60);
        broker.Send(s_command, [.. Enumerable.Range(1, commands).Select(i => bench.Command("ping", i).Sign(bench.Key))]);
        long Busy() => bench.Link.State.Refused[(int)FleetRefusal.Busy];
        MqttEar.Until(() => bench.Link.State.CommandsTaken + Busy() == commands, $"all commands: {bench.Link.State}", 60);
        Assert.True(Busy() > 0, "the hundred came one by one: nothing was tested");
        FleetAnswer[] Heard() => [.. broker.Of(s_answer).Select(t => FleetAnswer.TryRead(Encoding.UTF8.GetBytes(t))!)];
        MqttEar.Until(() => Heard().Count(a => a.Ok) == bench.Link.State.CommandsTaken, "an answer to each that was obeyed", 60);
        MqttEar.Until(() => Heard().Any(a => !a.Ok && a.Sequence is not null && a.Why.Contains("too many commands came at once", StringComparison.Ordinal)), "an answer to one that was not", 60);
        Assert.Equal(bench.Link.State.CommandsTaken, bench.Done.Count);
        Assert.Equal(0, bench.Link.State.AnswersLost);
        Assert.Contains(bench.Notices, n => n.Contains("too many commands came at once", StringComparison.Ordinal) || n.Contains("more came at once than can be looked at", StringComparison.Ordinal));
    }
}
