using System.Net.Sockets;
using Serilog;

namespace Nfr.Pipeline;

/// <summary>
/// A listening socket whose connections carry one question and one answer. On the thread pool; a connection lives for at most
/// <see cref="Patience"/>, and beyond <see cref="MostConnections"/> at a time further ones are closed at once.
/// </summary>
sealed class ShortTalk : IDisposable
{
    public const int MostConnections = 8;
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    readonly Socket _listener;
    readonly Func<NetworkStream, CancellationToken, Task> _answer;
    readonly ILogger _log;
    readonly CancellationTokenSource _stop = new();
    readonly SemaphoreSlim _places = new(MostConnections);
    readonly Task _loop;
    long _refused;

    /// <param name="listener">Bound and listening; owned from here on.</param>
    /// <param name="answer">Reads the question and writes the answer; the stream is closed behind it.</param>
    /// <param name="log">For a mistake of ours.</param>
    public ShortTalk(Socket listener, Func<NetworkStream, CancellationToken, Task> answer, ILogger log)
    {
        _listener = listener;
        _answer = answer;
        _log = log;
        _loop = Task.Run(AcceptAsync);
    }

    /// <summary>Connections closed because all places were taken.</summary>
    public long Refused => Volatile.Read(ref _refused);

    async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                Socket peer = await _listener.AcceptAsync(_stop.Token).ConfigureAwait(false);
                if (_places.Wait(0)) _ = Task.Run(() => TalkAsync(peer));
                else
                {
                    Interlocked.Increment(ref _refused);
                    peer.Dispose();
                }
            }
            catch (Exception end) when (end is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                // A peer that left while it was let in, or no descriptors: the next one after a moment.
                await Task.Delay(100).ConfigureAwait(false);
            }
        }
    }

    async Task TalkAsync(Socket peer)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        limit.CancelAfter(Patience);
        try
        {
            using var stream = new NetworkStream(peer, ownsSocket: true);
            await _answer(stream, limit.Token).ConfigureAwait(false);
        }
        catch (Exception end) when (end is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            // The peer's business.
        }
        catch (Exception mistake)
        {
            _log.Error(mistake, "status: a mistake in nfr itself; the sensor goes on");
        }
        finally
        {
            _places.Release();
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        _loop.Wait(TimeSpan.FromSeconds(1));
    }
}
