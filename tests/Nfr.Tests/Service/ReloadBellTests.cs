using Nfr.Service;

namespace Nfr.Tests.Service;

public class ReloadBellTests
{
    [Fact]
    public void Who_waits_hears_it_once()
    {
        using var bell = new ReloadBell();
        Assert.True(bell.Ring());
        Assert.True(bell.Rung.WaitOne(0));
        Assert.False(bell.Rung.WaitOne(0));
    }

    [Fact]
    public void A_ring_after_the_end_is_heard_by_nobody_and_is_no_mistake()
    {
        var bell = new ReloadBell();
        bell.Dispose();
        Assert.False(bell.Ring());
        bell.Dispose();
    }

    [Fact]
    public async Task Signals_may_come_while_it_ends()
    {
        for (int i = 0; i < 200; i++)
        {
            var bell = new ReloadBell();
            using var ready = new SemaphoreSlim(0);
            Task ringing = Task.Run(() =>
            {
                ready.Release();
                // As long as somebody waits, and then a few times more.
                for (int after = 0; after < 3;) if (!bell.Ring()) after++;
            });
            await ready.WaitAsync();
            bell.Dispose();
            await ringing;
        }
    }
}
