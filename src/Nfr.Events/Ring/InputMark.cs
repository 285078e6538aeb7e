namespace Nfr.Events;

/// <summary>
/// How far an input is read by the events that came before it: what makes an event and the place behind it one thing, from the line to the commit.
/// </summary>
/// <param name="Input">Number of the input within the sensor; <see cref="None"/> for one that keeps no place, such as a socket.</param>
/// <param name="Part">The input's own number of a file, a search or a page.</param>
/// <param name="Offset">Everything before it is read: bytes of the file, or what the input counts by.</param>
/// <param name="Held">Where reading has to begin again for what is still held back, such as queries that wait for their answers; not above
/// <paramref name="Offset"/>.</param>
public readonly record struct InputMark(int Input, int Part, long Offset, long Held)
{
    /// <summary>The number of an input that keeps no place.</summary>
    public const int None = -1;

    /// <summary>Behind it another file of those begins that are read once; what it tells may be older.</summary>
    public static InputMark Anew => new(None, -1, 0, 0);

    public bool IsAnew => Input == None && Part == -1;
}
