using Nfr.Native;

namespace Nfr.Uplink;

/// <summary>
/// Which MQTT is spoken: 5 first, since only there a broker can say that it does not take an alert, and 3.1.1 where the broker knows no other. What worked is kept for the life of
/// the process. One thread.
/// </summary>
/// <param name="forced">By the configuration; null = it is found out.</param>
sealed class FleetVersion(MqttVersion? forced)
{
    /// <summary>A broker that closes the connection before CONNACK may mean the version; so many times in a row, and the other one is tried.</summary>
    const int MostClosed = 3;

    int _closed;
    bool _worked;

    public MqttVersion Current { get; private set; } = forced ?? MqttVersion.V5;

    public static string Name(MqttVersion version) => version == MqttVersion.V5 ? "5" : "3.1.1";

    /// <summary>3.1.1 was not asked for, and is spoken all the same.</summary>
    public bool FellBack => forced is null && Current == MqttVersion.V311 && _worked;

    /// <summary>CONNACK said yes.</summary>
    public void Worked() => (_worked, _closed) = (true, 0);

    /// <summary>A connection ended before CONNACK.</summary>
    /// <returns>True = another version is to be tried at once.</returns>
    public bool Ended(in MqttEnd end)
    {
        if (forced is not null) return false;
        if (end.Kind == MqttEndKind.Refused && IsVersion(end.Code))
        {
            // It refuses what it took before, or both: five again, with the wait of any failure.
            bool other = Current == MqttVersion.V5;
            (Current, _closed, _worked) = (other ? MqttVersion.V311 : MqttVersion.V5, 0, false);
            return other;
        }
        if (_worked || end.Kind is not (MqttEndKind.Lost or MqttEndKind.Protocol) || ++_closed < MostClosed) return false;
        (Current, _closed) = (Current == MqttVersion.V5 ? MqttVersion.V311 : MqttVersion.V5, 0);
        return true;
    }

    /// <summary>CONNACK's code for "unacceptable protocol version", of 3.1.1 and 5.</summary>
    public static bool IsVersion(int code) => code is 1 or 0x84;
}
