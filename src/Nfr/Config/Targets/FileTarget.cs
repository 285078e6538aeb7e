using Nfr.Uplink;

namespace Nfr.Config;

/// <summary>outputs.targets[].file.</summary>
static class FileTarget
{
    public static SinkOptions? Read(Section s)
    {
        string? path = s.FilePath("path", null, OutputsConfig.Stdout, OutputsConfig.Stderr);
        long size = s.Size("max_size", 64L << 20, 64L << 10, 1L << 40);
        int keep = s.Integer("keep", 5, 0, 1000);
        s.End();
        if (path is null)
        {
            s.Fault("path", "missing; the file to append to, or stdout or stderr");
            return null;
        }
        return path is OutputsConfig.Stdout or OutputsConfig.Stderr
            ? new StreamSinkOptions { IsError = path == OutputsConfig.Stderr }
            : new FileSinkOptions { Path = path, MaxBytes = size, Keep = keep };
    }
}
