using System.Text.Json;
using Nfr.Config;

namespace Nfr.Update;

/// <summary>A slot's partitions, by names that do not change from boot to boot.</summary>
sealed record SlotLayout(string Boot, string Root);

/// <summary>What /usr/share/nfr/image.json says of the running system.</summary>
sealed record ApplianceImage(string Version, long Counter, string Hardware, SlotLayout A, SlotLayout B)
{
    public const string DefaultPath = "/usr/share/nfr/image.json";
    const long MostBytes = 64 << 10;

    public string Title => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Version} ({Counter})");

    /// <summary>The device of a slot's "root" or "boot".</summary>
    public string Device(char slot, string partition)
    {
        SlotLayout layout = slot == 'a' ? A : B;
        return partition == "boot" ? layout.Boot : layout.Root;
    }

    /// <exception cref="UpdateException">This machine is no appliance, or its file is damaged.</exception>
    public static ApplianceImage Load(string path)
    {
        byte[] bytes;
        try
        {
            if (!File.Exists(path)) throw new UpdateException($"this machine is no NFR appliance (there is no {path}), so it has no slots to update; where nfr came as a package, update that: apt-get install nfr");
            if (new FileInfo(path).Length > MostBytes) throw new UpdateException($"{path} is larger than it can be; the image is damaged, flash it anew");
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UpdateException($"{path} cannot be read: {Reason.Of(e)}");
        }
        return Read(bytes) ?? throw new UpdateException($"{path} does not say version, counter, hardware and the devices of slots a and b; the image is damaged, flash it anew");
    }

    public static ApplianceImage? Read(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 8 });
            JsonElement root = document.RootElement, slots = root.GetProperty("slots");
            var image = new ApplianceImage(root.GetProperty("version").GetString()!, root.GetProperty("counter").GetInt64(), root.GetProperty("hardware").GetString()!, Slot(slots, "a"), Slot(slots, "b"));
            string[] devices = [image.A.Boot, image.A.Root, image.B.Boot, image.B.Root];
            // A device that stands for two would let an update overwrite what runs.
            return UpdateManifest.IsWord(image.Version) && UpdateManifest.IsWord(image.Hardware) && image.Counter >= 0
                && devices.All(d => d.StartsWith('/') && !d.Contains('\0', StringComparison.Ordinal)) && devices.Distinct().Count() == devices.Length ? image : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            return null;
        }
    }

    static SlotLayout Slot(JsonElement slots, string name)
    {
        JsonElement slot = slots.GetProperty(name);
        return new SlotLayout(slot.GetProperty("boot").GetString() ?? "", slot.GetProperty("root").GetString() ?? "");
    }
}
