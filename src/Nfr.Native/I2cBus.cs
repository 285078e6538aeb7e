using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Nfr.Native;

/// <summary>
/// One device on an I2C bus, /dev/i2c-*, spoken to by SMBus transactions (linux/i2c-dev.h): a byte that says where, then up to 32 bytes. On the wire that is what a device
/// wants which takes a control byte and then data; and every adapter can do it, also the kernel's i2c-stub, which refuses raw writes. No method throws for what the bus does:
/// an errno is a value, 0 = done. One thread.
/// </summary>
public sealed partial class I2cBus : IDisposable
{
    /// <summary>I2C_SMBUS_BLOCK_MAX.</summary>
    public const int MostBytes = 32;

    const nuint I2C_SLAVE = 0x0703;
    const nuint I2C_SMBUS = 0x0720;
    const byte I2C_SMBUS_WRITE = 0;
    const byte I2C_SMBUS_READ = 1;
    const uint I2C_SMBUS_BYTE = 1;
    const uint I2C_SMBUS_BYTE_DATA = 2;
    const uint I2C_SMBUS_I2C_BLOCK_DATA = 8;
    const int EIO = 5;

    readonly SafeFileHandle _file;

    I2cBus(SafeFileHandle file) => _file = file;

    /// <summary>Null and an errno when there is no such bus, it may not be opened (13), or a driver of the kernel has the device (16).</summary>
    /// <param name="path">Such as /dev/i2c-1.</param>
    /// <param name="address">Of seven bits.</param>
    /// <param name="errno">Why not.</param>
    public static unsafe I2cBus? Open(string path, int address, out int errno)
    {
        errno = 0;
        SafeFileHandle? file = DeviceFile.Open(path, write: true, out errno);
        if (file is null) return null;
        // SAFETY: I2C_SLAVE takes its argument by value; nothing is pointed at.
        if (Libc.ioctl(file, I2C_SLAVE, (void*)(nuint)(uint)address) >= 0) return new I2cBus(file);
        errno = Marshal.GetLastPInvokeError();
        file.Dispose();
        return null;
    }

    /// <summary>Whether anything acknowledges the address: reads one byte, which no display or sensor of ours minds.</summary>
    public unsafe int Probe()
    {
        Block block = default;
        return Transfer(I2C_SMBUS_READ, 0, I2C_SMBUS_BYTE, &block);
    }

    /// <summary>The command byte, then <paramref name="data"/>: one byte as byte data, more as a block.</summary>
    /// <param name="command">Where.</param>
    /// <param name="data">1 to <see cref="MostBytes"/> bytes.</param>
    /// <returns>0, or the errno: 121 (EREMOTEIO) or 6 (ENXIO) = nobody answered.</returns>
    public unsafe int Write(byte command, ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty || data.Length > MostBytes) throw new ArgumentOutOfRangeException(nameof(data));
        Block block = default;
        if (data.Length == 1)
        {
            block.Bytes[0] = data[0];
            return Transfer(I2C_SMBUS_WRITE, command, I2C_SMBUS_BYTE_DATA, &block);
        }
        block.Bytes[0] = (byte)data.Length;
        // SAFETY: 32 bytes at most behind the length; the block has 34.
        data.CopyTo(new Span<byte>(block.Bytes + 1, MostBytes));
        return Transfer(I2C_SMBUS_WRITE, command, I2C_SMBUS_I2C_BLOCK_DATA, &block);
    }

    unsafe int Transfer(byte direction, byte command, uint size, Block* block)
    {
        var request = new Request { ReadWrite = direction, Command = command, Size = size, Data = block };
        // SAFETY: the kernel copies sizeof(union i2c_smbus_data) = 34 bytes from and to the block, which lives until the call returns.
        if (Libc.ioctl(_file, I2C_SMBUS, &request) >= 0) return 0;
        int errno = Marshal.GetLastPInvokeError();
        return errno == 0 ? EIO : errno;
    }

    public void Dispose() => _file.Dispose();

    /// <summary>union i2c_smbus_data: length and 32 bytes, and one more for a check sum.</summary>
    unsafe struct Block
    {
        internal fixed byte Bytes[MostBytes + 2];
    }

    /// <summary>struct i2c_smbus_ioctl_data.</summary>
    [StructLayout(LayoutKind.Sequential)]
    unsafe struct Request
    {
        internal byte ReadWrite;
        internal byte Command;
        internal uint Size;
        internal Block* Data;
    }
}
