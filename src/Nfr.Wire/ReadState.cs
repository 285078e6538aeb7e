namespace Nfr.Wire;

/// <summary>What a reader says of the front of a stream that may still be growing.</summary>
public enum ReadState
{
    /// <summary>The whole thing is there, and its view may be used.</summary>
    Complete,
    /// <summary>Good so far; call again, from the same place, when more bytes have come.</summary>
    NeedMore,
    /// <summary>Nothing more of this kind follows: the stream goes on with something else.</summary>
    End,
    /// <summary>Refused; the fault says why, and more bytes will not help.</summary>
    Invalid,
}
