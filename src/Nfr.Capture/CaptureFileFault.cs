namespace Nfr.Capture;

/// <summary>What is wrong with a capture file.</summary>
public enum CaptureFileFaultKind
{
    None = 0,
    /// <summary>The file ends inside a packet or block.</summary>
    CutOff,
    /// <summary>A packet claims more than <see cref="CaptureFile.MaximumFrameLength"/> bytes.</summary>
    FrameTooLong,
    /// <summary>A pcapng block's length is below its header, no multiple of 4, or beyond what the reader holds.</summary>
    BlockLengthInvalid,
    /// <summary>A pcapng block's second length is not its first.</summary>
    BlockLengthsDiffer,
    /// <summary>A pcapng packet is longer than its block.</summary>
    PacketBeyondBlock,
    /// <summary>A pcapng section has neither byte order, or a version that is not 1.</summary>
    SectionInvalid,
    /// <summary>A pcapng packet names an interface that its section does not describe.</summary>
    InterfaceUnknown,
    /// <summary>A pcapng section describes more than <see cref="CaptureFile.MaximumInterfaces"/> interfaces.</summary>
    InterfacesTooMany,
    /// <summary>The disk or the decompressor failed.</summary>
    ReadFailed,
}

/// <summary>Why reading ended before the end of the file.</summary>
/// <param name="Kind">The kind of damage.</param>
/// <param name="ByteOffset">Where: the end of a file that is cut off, else the first byte of the packet or block. In a gzip file, of what it unpacks to.</param>
/// <param name="Message">A sentence for a person.</param>
public sealed record CaptureFileFault(CaptureFileFaultKind Kind, long ByteOffset, string Message);

/// <summary>What a walk over the window came to.</summary>
/// <param name="Consumed">Bytes of whole records.</param>
/// <param name="Skip">Bytes after them that hold nothing for us and need not be in the window.</param>
/// <param name="Fault">What stopped it, at the first byte that was not consumed.</param>
/// <param name="Detail">The number that is wrong, for the sentence.</param>
readonly record struct CaptureStep(int Consumed, long Skip = 0, CaptureFileFaultKind Fault = CaptureFileFaultKind.None, long Detail = 0);
