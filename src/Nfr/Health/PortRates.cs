namespace Nfr.Health;

/// <summary>What a port gets a second, over the last whole window.</summary>
/// <param name="Packets">A second, those that the kernel dropped left out.</param>
/// <param name="Bits">A second, as on the wire.</param>
/// <param name="Seconds">The window's length.</param>
readonly record struct PortRate(double Packets, double Bits, double Seconds);

/// <summary>Makes rates of counts that only grow. One caller looks, any thread reads.</summary>
sealed class PortRates(TimeProvider time)
{
    long _packets;
    long _bytes;
    long _mark = time.GetTimestamp();
    sealed record Window(PortRate Rate);
    Window? _window;

    /// <summary>Null before the first window's end.</summary>
    public PortRate? Rate => Volatile.Read(ref _window)?.Rate;

    public void Look(long packets, long bytes)
    {
        long mark = time.GetTimestamp();
        double seconds = time.GetElapsedTime(_mark, mark).TotalSeconds;
        if (seconds <= 0) return;
        Volatile.Write(ref _window, new Window(new PortRate((packets - _packets) / seconds, (bytes - _bytes) * 8 / seconds, seconds)));
        (_packets, _bytes, _mark) = (packets, bytes, mark);
    }
}
