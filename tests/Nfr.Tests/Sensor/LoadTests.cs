using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Nfr.Capture;
using Nfr.Events;
using Nfr.Pipeline;
using Nfr.Storage;
using Nfr.Tests.Capture;
using Nfr.Tests.Nfr;
using Serilog;
using Xunit.Abstractions;
using Ledger = Nfr.Pipeline.Ledger;

namespace Nfr.Tests.Sensor;

/// <summary>A counted load up to the drop point and past it: what was sent is parsed or in a named loss, to the packet.</summary>
[Collection(AloneCollection.Name)]
public sealed class LoadTests(ITestOutputHelper output)
{
    /// <summary>Seconds of the long form, which wants a quiet machine; the usual form takes a few.</summary>
    static int LongSeconds => int.TryParse(Environment.GetEnvironmentVariable("NFR_LOAD_SECONDS"), NumberStyles.None, CultureInfo.InvariantCulture, out int s) ? s : 0;

    static int LongRate => int.TryParse(Environment.GetEnvironmentVariable("NFR_LOAD_RATE"), NumberStyles.None, CultureInfo.InvariantCulture, out int s) ? s : 200_000;

    [CableFact]
    public void Past_the_drop_point_what_was_sent_is_parsed_or_a_named_loss()
    {
        using var bed = new LoadBed(new LiveCaptureOptions { Interface = "near", BlockSize = 1 << 16, BlockCount = 64 }, flows: 4096);
        bed.Send(2, 10_000);
        bed.Settle();
        Ledger calm = bed.Balance();
        bed.Turn(calm);
        Assert.Empty(calm.Gaps);
        Assert.Equal((bed.Sent, 0), (calm.Frames + bed.Nic.Dropped, calm.KernelDropped));

        // Each new flow now takes longer to decode than the sender takes to send one.
        bed.Slow = true;
        bed.Send(4, 100_000, balance: true);
        Ledger flooded = bed.Balance();
        bed.Turn(flooded);
        Assert.Empty(flooded.Gaps);
        Assert.True(flooded.KernelDropped > 0, "the ring was never full");
        Ledger moved = flooded.Since(calm);
        Assert.Empty(moved.Gaps);
        Assert.Equal(flooded.KernelDropped, moved.KernelDropped);

        bed.Slow = false;
        long start = Stopwatch.GetTimestamp();
        bed.Empty();
        TimeSpan recovery = Stopwatch.GetElapsedTime(start);
        bed.Settle();
        long dropped = bed.Balance().KernelDropped;
        bed.Send(1, 5_000);
        bed.Settle();
        Assert.Equal(dropped, bed.Balance().KernelDropped);
        Assert.True(recovery < TimeSpan.FromSeconds(1), $"recovery took {recovery.TotalSeconds:0.00} s");

        Ledger end = bed.End();
        output.WriteLine($"recovery {recovery.TotalMilliseconds:0} ms\n" + LedgerText.Write(end));
        Assert.Empty(end.Gaps);
        Assert.True(end.FlowsEvicted > 0);
        bed.Turn(end);
        LedgerSpanTests.AssertAddUp(bed.Intervals, end.Since(bed.Start));
        // The card's side, by its own namespace and by what the ledger says of it; then the kernel's, then ours.
        Assert.Equal(bed.Nic, (end.Captures[0].Nic!.Value.Packets, end.Captures[0].Nic!.Value.Lost));
        Assert.Equal(bed.Sent, bed.Nic.Packets + bed.Nic.Dropped);
        Assert.Equal(bed.Nic.Packets, end.KernelReceived);
        Assert.Equal(bed.Sent, end.Parsed + end.NonIp + end.Fragments + end.PacketFaults + end.MistakenFrames + end.KernelDropped + end.Captures[0].Kernel!.Value.Abandoned + bed.Nic.Dropped);
        Assert.Equal(end.Frames, end.Parsed);
    }

    [CableFact]
    public void A_steady_load_is_taken_without_a_drop_or_an_allocation()
    {
        int seconds = LongSeconds > 0 ? LongSeconds : 5, rate = LongSeconds > 0 ? LongRate : 20_000;
        using var bed = new LoadBed(new LiveCaptureOptions { Interface = "near" }, flows: 65_536) { FewFlows = true };
        bed.Send(2, rate);
        bed.Settle();
        long before = bed.Allocated, sent = bed.Sent;
        var clock = Stopwatch.StartNew();
        bed.Send(seconds, rate);
        double reached = (bed.Sent - sent) / clock.Elapsed.TotalSeconds;
        bed.Settle();
        long allocated = bed.Allocated - before;
        Ledger end = bed.End();
        output.WriteLine($"{reached:N0} packets/s for {clock.Elapsed.TotalSeconds:0.0} s, {end.KernelDropped} dropped by the kernel, {bed.Nic.Dropped} before it, {allocated} bytes allocated");
        Assert.Empty(end.Gaps);
        Assert.Equal(0, end.KernelDropped);
        Assert.Equal(bed.Sent, end.Parsed + bed.Nic.Dropped);
        Assert.Equal(0, allocated / (bed.Sent - sent));
        // None a packet; what the runtime may keep on this thread in a run is a few arrays (see Allocation).
        Assert.InRange(allocated, 0, 32_768);
    }

    /// <summary>A capture worker and a pipeline as the sensor has them, at the near end; a sender at the far one.</summary>
    sealed class LoadBed : IDisposable
    {
        readonly string _folder = Directory.CreateTempSubdirectory("nfr-load-").FullName;
        readonly NetworkNamespace _network = new();
        readonly Socket _sender;
        readonly CaptureWorker _worker;
        readonly EventStage _stage;
        readonly PipelineThread _pipeline;
        readonly Spool _spool;
        readonly SpoolCounters _spoolAtStart;
        readonly LedgerClock _clock;
        const int Batch = 64;

        readonly byte[] _frame = Frames.Udp("10.0.0.1", 1, "192.0.2.1", 9, "some load"u8);
        readonly byte[] _frames;
        readonly IoVector[] _vectors = GC.AllocateArray<IoVector>(Batch, pinned: true);
        readonly Message[] _messages = GC.AllocateArray<Message>(Batch, pinned: true);
        uint _flow;

        public LoadBed(LiveCaptureOptions options, int flows)
        {
            _sender = _network.Sender("far");
            _frames = GC.AllocateArray<byte>(Batch * _frame.Length, pinned: true);
            for (int i = 0; i < Batch; i++)
            {
                _frame.CopyTo(_frames, i * _frame.Length);
                _vectors[i] = new IoVector { Base = Marshal.UnsafeAddrOfPinnedArrayElement(_frames, i * _frame.Length), Length = _frame.Length };
                _messages[i] = new Message { Vectors = Marshal.UnsafeAddrOfPinnedArrayElement(_vectors, i), VectorCount = 1 };
            }
            _spool = Spool.Open(new SpoolOptions { Directory = _folder }, TimeProvider.System);
            _spoolAtStart = _spool.Counters;
            LiveCapture? capture = _network.Inside(() => LiveCapture.Open(options, out _));
            Assert.NotNull(capture);
            // Asked once for each flow, on the capture thread: the place where decoding can be made slow from outside.
            var decoding = new DecoderOptions { MaximumFlows = flows, IsHome = _ => Dawdle() };
            _worker = new CaptureWorker(capture, options, decoding, Log.Logger);
            _stage = new EventStage(null, null, _spool);
            _pipeline = new PipelineThread([_worker.Ring], _stage, _spool, Log.Logger);
            _pipeline.Start();
            _worker.Start();
            Start = Balance();
            _clock = new LedgerClock(Start, TimeProvider.System);
        }

        public Ledger Start { get; }

        public List<LedgerInterval> Intervals { get; } = [];

        public void Turn(Ledger now) => Intervals.Add(_clock.Turn(now));

        public volatile bool Slow;
        public bool FewFlows { get; init; }
        public long Sent { get; private set; }
        public long Allocated => _worker.AllocatedBytes;

        /// <summary>What the cable's near end counts, from its own namespace.</summary>
        public (long Packets, long Dropped) Nic => _network.Inside(() =>
        {
            string line = File.ReadLines("/proc/thread-self/net/dev").Single(l => l.TrimStart().StartsWith("near:", StringComparison.Ordinal));
            string[] fields = line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return (long.Parse(fields[1], CultureInfo.InvariantCulture), long.Parse(fields[3], CultureInfo.InvariantCulture));
        });

        bool Dawdle()
        {
            if (!Slow) return true;
            long start = Stopwatch.GetTimestamp();
            while (Stopwatch.GetElapsedTime(start) < TimeSpan.FromMicroseconds(200)) Thread.SpinWait(20);
            return true;
        }

        /// <param name="seconds">For so long.</param>
        /// <param name="rate">At most so many a second.</param>
        /// <param name="balance">Looks at the ledger meanwhile: its sums must come out in the midst of it.</param>
        public void Send(int seconds, int rate, bool balance = false)
        {
            var clock = Stopwatch.StartNew();
            long done = 0, looks = 1;
            while (clock.Elapsed.TotalSeconds < seconds)
            {
                long due = (long)(clock.Elapsed.TotalSeconds * rate);
                while (done < due) done += SendSome(due - done);
                if (balance && clock.Elapsed.TotalSeconds > looks)
                {
                    looks++;
                    Ledger now = Balance();
                    Assert.Empty(now.Gaps);
                    Turn(now);
                }
                if (done >= due) Thread.Sleep(1);
            }
        }

        /// <summary>Up to so many frames by one call of the kernel; gives how many went.</summary>
        int SendSome(long most)
        {
            int count = (int)Math.Min(most, Batch);
            for (int i = 0; i < count; i++)
            {
                uint flow = FewFlows ? _flow++ % 1000 : _flow++;
                // The source's last three bytes: a flow for each. Nobody looks at the checksums of a mirrored frame.
                Span<byte> frame = _frames.AsSpan(i * _frame.Length, _frame.Length);
                frame[27] = (byte)(flow >> 16);
                frame[28] = (byte)(flow >> 8);
                frame[29] = (byte)flow;
            }
            for (int done = 0; done < count;)
            {
                int went = sendmmsg(_sender.SafeHandle, Marshal.UnsafeAddrOfPinnedArrayElement(_messages, done), (uint)(count - done), 0);
                // One that the cable has no room for is dropped there, and counted there.
                if (went < 0) Assert.Equal(105, Marshal.GetLastPInvokeError());
                done += Math.Max(went, 1);
            }
            Sent += count;
            return count;
        }

        [DllImport("libc", SetLastError = true)]
        static extern int sendmmsg(SafeSocketHandle socket, nint messages, uint count, int flags);

        struct IoVector
        {
            public nint Base;
            public nint Length;
        }

        /// <summary>struct mmsghdr: of its 64 bytes the two that are not zero.</summary>
        [StructLayout(LayoutKind.Explicit, Size = 64)]
        struct Message
        {
            [FieldOffset(16)] public nint Vectors;
            [FieldOffset(24)] public nint VectorCount;
        }

        public Ledger Balance()
        {
            var pipeline = new PipelineShot();
            _pipeline.Ask(pipeline);
            Assert.True(SpinWait.SpinUntil(() => pipeline.IsFilled, 20_000));
            return new Ledger
            {
                Captures = [Capture()],
                Stage = pipeline.Stage, SpoolAtStart = _spoolAtStart, Spool = pipeline.Spool, PipelineMistakes = pipeline.Mistakes, IsExact = true,
            };
        }

        CaptureEntry Capture()
        {
            var shot = new CaptureShot();
            _worker.Ask(shot);
            Assert.True(SpinWait.SpinUntil(() => shot.IsFilled, 20_000));
            return new CaptureEntry("near", shot.Kernel, _worker.Nic, shot.Decoded, shot.Events, shot.Dropped, shot.ActiveFlows, shot.Mistakes) { MistakenFrames = shot.MistakenFrames };
        }

        /// <summary>Until the kernel's ring is empty, whatever the disk does behind it.</summary>
        public void Empty()
        {
            long start = Stopwatch.GetTimestamp();
            while (Capture().Waiting > 0) Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(20));
        }

        /// <summary>Until the kernel's ring is empty and the pipeline has answered.</summary>
        public void Settle()
        {
            long start = Stopwatch.GetTimestamp();
            while (Balance().Captures[0].Waiting > 0) Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(20));
        }

        public Ledger End()
        {
            _worker.RequestStop();
            Assert.True(_worker.Join(TimeSpan.FromSeconds(20)));
            Assert.True(_pipeline.Finish(TimeSpan.FromSeconds(20)));
            return new Ledger
            {
                Captures =
                [
                    new CaptureEntry("near", _worker.Statistics, _worker.Nic, _worker.Counters, _worker.Events, _worker.DroppedEvents, _worker.ActiveFlows, _worker.Mistakes) { MistakenFrames = _worker.MistakenFrames },
                ],
                Stage = _stage.Counters, SpoolAtStart = _spoolAtStart, Spool = _spool.CountRows(), PipelineMistakes = _pipeline.Mistakes, IsClosing = true,
            };
        }

        public void Dispose()
        {
            Slow = false;
            _worker.RequestStop();
            _worker.Join(TimeSpan.FromSeconds(20));
            _pipeline.Finish(TimeSpan.FromSeconds(20));
            _spool.Dispose();
            _sender.Dispose();
            _network.Dispose();
            Directory.Delete(_folder, recursive: true);
        }
    }
}
