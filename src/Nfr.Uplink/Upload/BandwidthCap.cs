using System.Net;

namespace Nfr.Uplink;

/// <summary>
/// A cap on the bytes that go to one engine each second, of request bodies and about what heads and TLS add. With a cap the requests of an engine go one after the other: each has
/// the line for itself, so that its time-out is that of one body. Thread-safe.
/// </summary>
/// <param name="bytesPerSecond">At least <see cref="Least"/>.</param>
/// <param name="time">Of the waits.</param>
public sealed class BandwidthCap(long bytesPerSecond, TimeProvider time) : IDisposable
{
    /// <summary>The smallest body that requests shrink to takes 8 s then.</summary>
    public const long Least = 8 << 10;
    /// <summary>What a request sends besides its body, about.</summary>
    const int Overhead = 700;

    readonly SemaphoreSlim _line = new(1, 1);
    /// <summary>Bytes that may go at once, of one second's at most; below zero while a debt is waited for.</summary>
    double _stock = bytesPerSecond;
    long _at = time.GetTimestamp();

    /// <summary>A body that goes out within ten seconds.</summary>
    public int BodyBytes => (int)Math.Min(int.MaxValue, bytesPerSecond * 10);

    /// <summary>A piece of a body: small enough that the line is used evenly.</summary>
    int Piece => (int)Math.Clamp(bytesPerSecond / 4, 1 << 10, 64 << 10);

    /// <summary>Waits until no other request is under way; the caller's until disposed.</summary>
    internal async Task<Turn> EnterAsync(CancellationToken cancel)
    {
        await _line.WaitAsync(cancel);
        return new Turn(_line);
    }

    internal HttpContent Content(ReadOnlyMemory<byte> body) => new Paced(this, body);

    async Task TakeAsync(int bytes, CancellationToken cancel)
    {
        // One request at a time, so nobody else is here.
        long now = time.GetTimestamp();
        _stock = Math.Min(bytesPerSecond, _stock + (time.GetElapsedTime(_at, now).TotalSeconds * bytesPerSecond)) - bytes;
        _at = now;
        if (_stock < 0) await Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(-_stock / bytesPerSecond * 1000)), time, cancel);
    }

    public void Dispose() => _line.Dispose();

    internal readonly struct Turn(SemaphoreSlim line) : IDisposable
    {
        public void Dispose() => line.Release();
    }

    /// <summary>A body whose pieces go as the cap allows.</summary>
    sealed class Paced(BandwidthCap cap, ReadOnlyMemory<byte> body) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await cap.TakeAsync(Overhead, cancellationToken);
            for (int at = 0; at < body.Length;)
            {
                int piece = Math.Min(cap.Piece, body.Length - at);
                await cap.TakeAsync(piece, cancellationToken);
                await stream.WriteAsync(body.Slice(at, piece), cancellationToken);
                await stream.FlushAsync(cancellationToken);
                at += piece;
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = body.Length;
            return true;
        }
    }
}
