using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Nfr.Native;

/// <summary>libmosquitto 2.0, the calls that a client needs, by their C names (mosquitto.h).</summary>
static unsafe partial class MosquittoNative
{
    const string Library = "libmosquitto.so.1";

    // mosq_err_t
    public const int Success = 0, NoMemory = 1, Protocol = 2, Invalid = 3, NoConnection = 4, Refused = 5, Lost = 7, Tls = 8, PayloadSize = 9, Errno = 14, Resolve = 15,
        Keepalive = 19, MalformedPacket = 21, QosNotSupported = 24, Oversize = 25, RetainNotSupported = 28;

    // mosq_opt_t
    public const int OptionProtocolVersion = 1, OptionSendMaximum = 5, OptionNoDelay = 11;

    // mqtt5_property
    public const int PropertySessionExpiry = 17, PropertyMaximumPacketSize = 39;

    public const int SslVerifyPeer = 1;

    public const int LogWarning = 4, LogError = 8;

    /// <summary>
    /// Null when the library is here and ready, otherwise what is wrong. It is never cleaned up: nothing of it runs while nobody is connected.
    /// </summary>
    public static readonly string? Unusable = Initialise();

    static string? Initialise()
    {
        try
        {
            // Whoever comes first sets OpenSSL up for the whole process. The runtime does it without a handler at exit, which would pull the library away from under threads that still run.
            _ = SHA256.HashData(ReadOnlySpan<byte>.Empty);
            int code = mosquitto_lib_init();
            return code == Success ? null : $"{Library} does not start ({Words(code)})";
        }
        catch (DllNotFoundException)
        {
            return $"{Library} is missing: install the package libmosquitto1";
        }
        catch (EntryPointNotFoundException)
        {
            return $"{Library} is older than 1.6: install the package libmosquitto1 of this distribution's present version";
        }
    }

    /// <summary>What the library says of one of its codes.</summary>
    public static string Words(int code) => Marshal.PtrToStringUTF8(mosquitto_strerror(code))?.TrimEnd('.') ?? $"code {code}";

    /// <summary>What MQTT 5 says of a reason code (2.4).</summary>
    public static string Reason(int code) => Marshal.PtrToStringUTF8(mosquitto_reason_string(code)) ?? $"reason {code}";

    [LibraryImport(Library)]
    public static partial int mosquitto_lib_init();

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint mosquitto_new(string id, byte cleanSession, nint user);

    [LibraryImport(Library)]
    public static partial void mosquitto_destroy(nint mosq);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int mosquitto_will_set(MosquittoHandle mosq, string topic, int length, byte* payload, int qos, byte retain);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int mosquitto_username_pw_set(MosquittoHandle mosq, string name, string? password);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int mosquitto_tls_set(MosquittoHandle mosq, string? rootFile, string? rootFolder, string? certificateFile, string? keyFile, nint passwordCallback);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int mosquitto_tls_opts_set(MosquittoHandle mosq, int verify, string? version, string? ciphers);

    [LibraryImport(Library)]
    public static partial int mosquitto_int_option(MosquittoHandle mosq, int option, int value);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int mosquitto_connect_bind_v5(MosquittoHandle mosq, string host, int port, int keepalive, string? bind, nint properties);

    [LibraryImport(Library)]
    public static partial int mosquitto_disconnect_v5(MosquittoHandle mosq, int reason, nint properties);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int mosquitto_publish_v5(MosquittoHandle mosq, int* id, string topic, int length, byte* payload, int qos, byte retain, nint properties);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int mosquitto_subscribe_v5(MosquittoHandle mosq, int* id, string filter, int qos, int options, nint properties);

    [LibraryImport(Library)]
    public static partial int mosquitto_property_add_int32(nint* properties, int identifier, uint value);

    [LibraryImport(Library)]
    public static partial void mosquitto_property_free_all(nint* properties);

    [LibraryImport(Library)]
    public static partial int mosquitto_socket(MosquittoHandle mosq);

    [LibraryImport(Library)]
    public static partial byte mosquitto_want_write(MosquittoHandle mosq);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int mosquitto_loop_read(MosquittoHandle mosq, int most);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int mosquitto_loop_write(MosquittoHandle mosq, int most);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int mosquitto_loop_misc(MosquittoHandle mosq);

    [LibraryImport(Library)]
    public static partial void mosquitto_connect_v5_callback_set(MosquittoHandle mosq, delegate* unmanaged<nint, nint, int, int, nint, void> callback);

    [LibraryImport(Library)]
    public static partial void mosquitto_disconnect_v5_callback_set(MosquittoHandle mosq, delegate* unmanaged<nint, nint, int, nint, void> callback);

    [LibraryImport(Library)]
    public static partial void mosquitto_publish_v5_callback_set(MosquittoHandle mosq, delegate* unmanaged<nint, nint, int, int, nint, void> callback);

    [LibraryImport(Library)]
    public static partial void mosquitto_message_v5_callback_set(MosquittoHandle mosq, delegate* unmanaged<nint, nint, mosquitto_message*, nint, void> callback);

    [LibraryImport(Library)]
    public static partial void mosquitto_subscribe_v5_callback_set(MosquittoHandle mosq, delegate* unmanaged<nint, nint, int, int, int*, nint, void> callback);

    [LibraryImport(Library)]
    public static partial void mosquitto_log_callback_set(MosquittoHandle mosq, delegate* unmanaged<nint, nint, int, byte*, void> callback);

    [LibraryImport(Library)]
    public static partial nint mosquitto_strerror(int code);

    [LibraryImport(Library)]
    public static partial nint mosquitto_reason_string(int code);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int getsockopt(int socket, int level, int option, byte* value, int* length);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int shutdown(int socket, int how);
}

#pragma warning disable CS8981, IDE1006, CS0649 // C's own names; the library fills them.
/// <summary>struct mosquitto_message; all of it is the library's and ends with the callback.</summary>
unsafe struct mosquitto_message
{
    internal int mid;
    internal byte* topic;
    internal byte* payload;
    internal int payloadlen;
    internal int qos;
    internal byte retain;
}
#pragma warning restore CS8981, IDE1006, CS0649

/// <summary>A client of the library's, and the handle by which its callbacks find ours: that goes after the client is destroyed and not before.</summary>
sealed class MosquittoHandle : SafeHandle
{
    GCHandle _user;

    /// <param name="id">Client id.</param>
    /// <param name="cleanSession">Of CONNECT.</param>
    /// <param name="owner">Told by callbacks; kept weakly, so that one who is forgotten takes this along.</param>
    public MosquittoHandle(string id, bool cleanSession, object owner) : base(0, ownsHandle: true)
    {
        _user = GCHandle.Alloc(owner, GCHandleType.Weak);
        SetHandle(MosquittoNative.mosquitto_new(id, cleanSession ? (byte)1 : (byte)0, GCHandle.ToIntPtr(_user)));
    }

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        MosquittoNative.mosquitto_destroy(handle);
        _user.Free();
        return true;
    }
}
