using System.Text.Json;
using Nfr.Update;

namespace Nfr.Health;

/// <summary>The machine that the sensor runs on, at one moment. What it does not have is null or empty. A few small files are read: well below a millisecond.</summary>
sealed record BoxFacts
{
    public ClockFacts Clock { get; init; }
    /// <summary>Where the spool lies.</summary>
    public DiskFacts? Disk { get; init; }
    public IReadOnlyList<Temperature> Temperatures { get; init; } = [];
    public Throttling? Throttling { get; init; }
    public ProcessFacts Process { get; init; }
    /// <summary>This system is the image: what it says to do must be possible there.</summary>
    public bool IsAppliance { get; init; }
    /// <summary>What the start of the box and updates have to say; nothing on a machine that is no appliance.</summary>
    public BoxNotes Notes { get; init; } = BoxNotes.None;

    /// <summary>It does not become one while we run.</summary>
    static readonly bool s_isAppliance = File.Exists(ApplianceImage.DefaultPath);

    /// <param name="folder">The spool's.</param>
    /// <param name="clock">Of this sensor.</param>
    /// <param name="time">Of what other programs of the box have to say.</param>
    public static BoxFacts Read(string folder, ClockWatch clock, TimeProvider time) => new()
    {
        Clock = clock.Look(),
        Disk = DiskFacts.Read(folder),
        Temperatures = Temperature.Read(),
        Throttling = ThrottlingFile.Read(),
        Process = ProcessFacts.Read(),
        IsAppliance = s_isAppliance,
        Notes = BoxNotes.Read(BoxNotePlaces.Default, time),
    };

    /// <summary>Properties of the clock's object.</summary>
    public void WriteClock(Utf8JsonWriter json)
    {
        if (Clock.Kernel is { } kernel)
        {
            json.WriteBoolean("synchronised", kernel.IsSynchronised);
            if (kernel.IsSynchronised)
            {
                if (kernel.EstimatedError is { } estimated) json.WriteNumber("estimatedErrorSeconds", estimated.TotalSeconds);
                if (kernel.MaximumError is { } maximum) json.WriteNumber("maximumErrorSeconds", maximum.TotalSeconds);
            }
            if (kernel.Offset is { } offset) json.WriteNumber("offsetSeconds", offset.TotalSeconds);
        }
        json.WriteNumber("jumps", Clock.Jumps);
        if (Clock.LastJumpAt is not { } at) return;
        json.WriteNumber("lastJumpSeconds", Math.Round(Clock.LastJump.TotalSeconds, 3));
        json.WriteString("lastJumpAt", at.UtcDateTime);
    }

    /// <summary>The "box" property.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject("box");
        if (Disk is { } disk)
        {
            json.WriteStartObject("disk");
            json.WriteString("mountPoint", disk.MountPoint);
            json.WriteString("fileSystem", disk.FileSystem);
            json.WriteBoolean("readOnly", disk.IsReadOnly);
            json.WriteNumber("freeBytes", disk.Free);
            json.WriteNumber("sizeBytes", disk.Size);
            json.WriteEndObject();
        }
        json.WriteStartArray("temperatures");
        foreach (Temperature t in Temperatures)
        {
            json.WriteStartObject();
            json.WriteString("sensor", t.Sensor);
            json.WriteNumber("celsius", t.Celsius);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        if (Throttling is { } throttling)
        {
            json.WriteStartArray("throttling");
            foreach (Throttling bit in Enum.GetValues<Throttling>())
            {
                if (bit != Health.Throttling.None && throttling.HasFlag(bit)) json.WriteStringValue(JsonNamingPolicy.CamelCase.ConvertName(bit.ToString()));
            }
            json.WriteEndArray();
        }
        json.WriteStartObject("process");
        json.WriteNumber("residentBytes", Process.Resident);
        json.WriteNumber("mostResidentBytes", ProcessFacts.MostResident);
        json.WriteNumber("heapBytes", Process.Heap);
        json.WriteNumber("cpuSeconds", Math.Round(Process.Cpu.TotalSeconds, 3));
        json.WriteNumber("uptimeSeconds", Math.Round(Process.Age.TotalSeconds, 1));
        if (Process.OpenFiles is { } files) json.WriteNumber("openFiles", files);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
