using Nfr.Uplink;
namespace Nfr.Config;

/// <summary>config.yml on disk: where it is, reading it, and whether the files it names can be used.</summary>
public static class ConfigFile
{
    /// <summary>Where the config is looked for when -c does not say.</summary>
    public static string DefaultPath { get; } = OperatingSystem.IsWindows()
        ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData), "nfr", "config.yml")
        : "/etc/nfr/config.yml";

    /// <summary>The config of a file; null when it cannot be read or has faults, and then all of them.</summary>
    public static NfrConfig? Load(string path, out IReadOnlyList<ConfigFault> faults)
    {
        byte[]? bytes = ReadBytes(path, out string reason);
        if (bytes is not null) return NfrConfig.Parse(path, bytes, out faults);
        faults = [new ConfigFault(path, 0, reason)];
        return null;
    }

    /// <summary>The file's bytes, at most one more than <see cref="YamlReader.MaxBytes"/>; null and the reason when it cannot be read.</summary>
    internal static byte[]? ReadBytes(string path, out string reason)
    {
        try
        {
            if (Directory.Exists(path))
            {
                reason = "is a folder; name the file in it";
                return null;
            }
            // Not by its length: /dev/stdin, pipes and /proc have none.
            using FileStream file = File.OpenRead(path);
            var bytes = new MemoryStream();
            byte[] buffer = new byte[64 * 1024];
            while (bytes.Length <= YamlReader.MaxBytes)
            {
                int n = file.Read(buffer, 0, (int)Math.Min(buffer.Length, YamlReader.MaxBytes + 1 - bytes.Length));
                if (n == 0) break;
                bytes.Write(buffer, 0, n);
            }
            reason = "";
            return bytes.ToArray();
        }
        catch (Exception fault)
        {
            reason = "cannot be read: " + Reason.Of(fault);
            return null;
        }
    }

    /// <summary>
    /// Holds the paths of a config against the file system, without creating or changing anything: the parent of every file must be a folder,
    /// and what exists under a file's name a regular file.
    /// </summary>
    /// <param name="config">A checked config.</param>
    /// <param name="notes">What hinders only whom runs this, or will be made at start.</param>
    /// <param name="now">Certificates that expired before are faults; null = they are not looked at, as at start: the sensor serves without the engine too.</param>
    public static IReadOnlyList<ConfigFault> CheckFiles(NfrConfig config, out IReadOnlyList<ConfigFault> notes, DateTimeOffset? now = null)
    {
        List<ConfigFault> faults = [], remarks = [];
        if (config.Outputs.Enabled && config.Outputs.File is not (null or OutputsConfig.Stdout or OutputsConfig.Stderr))
            CheckFile(config, "outputs.file", config.Outputs.File, faults);
        for (int i = 0; config.Outputs.Enabled && i < config.Outputs.Targets.Count; i++)
        {
            if (config.Outputs.Targets[i].Sink is FileSinkOptions file) CheckFile(config, $"outputs.targets[{i}].file.path", file.Path, faults);
        }
        // At start one output that cannot be reached stops nobody: it tells its trouble itself, and the file may come yet.
        CheckOutputTls(config, now, now is null ? remarks : faults);
        if (config.Log.File is not (OutputsConfig.Stdout or OutputsConfig.Stderr)) CheckFile(config, "log.file", config.Log.File, faults);
        CheckShared(config, faults);
        if (config.Lines.ContainsKey("data.file")) CheckFile(config, "data.file", config.Data.LegacyFollowFile, faults);
        if (config.Scope.File is not null) CheckFile(config, "scope.file", config.Scope.File, faults);
        foreach (EngineConfig engine in config.Uplinks) TlsSection.Check(config, engine.Key + ".tls", engine.Tls, now, faults);
        // At start a broker that cannot be reached stops nobody: the link tells its trouble itself.
        FleetConfig.Check(config, now, now is null ? remarks : faults);
        if (config.Update.Url is not null) TlsSection.Check(config, "update.tls", config.Update.Tls, now, remarks);
        if (config.Inputs.Elastic.Cluster is { } searched) TlsSection.Check(config, "inputs.elastic.tls", searched.Tls, now, faults);
        foreach (MonitorConfig monitor in config.Inputs.Monitor)
        {
            if (MonitorFault(monitor.Path, out bool hinders) is { } reason) (hinders ? faults : remarks).Add(new ConfigFault(config.File, monitor.Line, $"inputs.monitor: {reason}"));
        }
        int before = faults.Count;
        CheckFolder(config, "data.dir", config.Data.Dir, faults, remarks);
        // What is wrong with data.dir is said once.
        if (faults.Count == before || config.Lines.ContainsKey("spool.dir")) CheckFolder(config, "spool.dir", config.Spool.Dir, faults, remarks);
        foreach (string folder in config.Scoring.Enabled ? config.Scoring.FeedFolders : [])
        {
            if (!Directory.Exists(folder))
                remarks.Add(config.At("scoring.feeds", $"scoring.feeds: {folder} does not exist; no indicator lists are {(config.Scoring.FeedUrls.Count + config.Scoring.FeedFolders.Count > 1 ? "read from it" : "used")} until it does"));
        }
        notes = remarks;
        return faults;
    }

    static void CheckOutputTls(NfrConfig config, DateTimeOffset? now, List<ConfigFault> to)
    {
        if (!config.Outputs.Enabled) return;
        if (config.Outputs.Elastic.Cluster is { } cluster) TlsSection.Check(config, "outputs.elastic.tls", cluster.Tls, now, to);
        for (int i = 0; i < config.Outputs.Targets.Count; i++)
        {
            (string kind, TlsSettings tls) = config.Outputs.Targets[i].Sink switch
            {
                SyslogSinkOptions syslog => ("syslog", syslog.Link.Tls),
                GelfSinkOptions gelf => ("gelf", gelf.Link.Tls),
                MailSinkOptions mail => ("mail", mail.Server.Tls),
                WebhookSinkOptions webhook => ("webhook", webhook.Tls),
                ElasticSinkOptions elastic => ("elastic", elastic.Cluster.Tls),
                _ => ("", TlsSettings.Default),
            };
            TlsSection.Check(config, $"outputs.targets[{i}].{kind}.tls", tls, now, to);
        }
    }

    /// <summary>Two that write to one file, or one that writes where another puts its older ones (PATH.1, PATH.2), overwrite each other's lines.</summary>
    static void CheckShared(NfrConfig config, List<ConfigFault> faults)
    {
        List<(string Key, string Path)> files = [];
        void Add(string key, string? path)
        {
            if (path is not (null or OutputsConfig.Stdout or OutputsConfig.Stderr)) files.Add((key, Path.GetFullPath(path)));
        }
        Add("log.file", config.Log.File);
        if (config.Outputs.Enabled)
        {
            Add("outputs.file", config.Outputs.File);
            for (int i = 0; i < config.Outputs.Targets.Count; i++)
            {
                if (config.Outputs.Targets[i].Sink is FileSinkOptions file) Add($"outputs.targets[{i}].file.path", file.Path);
            }
        }
        for (int i = 1; i < files.Count; i++)
        {
            foreach ((string key, string path) in files.Take(i))
            {
                if (files[i].Path == path) faults.Add(config.At(files[i].Key, $"{files[i].Key}: {path} is written by {key} too; name another file"));
                else if (IsOlder(path, files[i].Path) || IsOlder(files[i].Path, path)) faults.Add(config.At(files[i].Key, $"{files[i].Key}: {files[i].Path} and {path} of {key} get in each other's way, since older files are kept as PATH.1, PATH.2 and so on; name another file"));
            }
        }
    }

    static bool IsOlder(string path, string of) =>
        path.Length > of.Length + 1 && path.StartsWith(of + ".", StringComparison.Ordinal) && path.AsSpan(of.Length + 1).IndexOfAnyExceptInRange('0', '9') < 0;

    static void CheckFile(NfrConfig config, string key, string path, List<ConfigFault> faults)
    {
        if (FileFault(path) is { } reason) faults.Add(config.At(key, $"{key}: {reason}"));
    }

    static string? FileFault(string path)
    {
        string folder = Path.GetDirectoryName(path) ?? "/";
        if (File.Exists(folder)) return $"{folder} is no folder";
        if (!Directory.Exists(folder)) return $"the folder {folder} does not exist; create it, or name another file";
        if (Directory.Exists(path)) return $"{path} is a folder; name a file in it";
        // Written to, a device does what nobody expects of an alert file. .NET cannot tell sockets and pipes from files by name.
        return path.StartsWith("/dev/", StringComparison.Ordinal) || path.StartsWith("/proc/", StringComparison.Ordinal)
            ? $"{path} is not a regular file; for the terminal write stdout or stderr" : null;
    }

    /// <summary>What is not there yet may come: Zeek's folder "current" is gone while Zeek is.</summary>
    static string? MonitorFault(string path, out bool hinders)
    {
        hinders = true;
        if (path.StartsWith("/dev/", StringComparison.Ordinal) || path.StartsWith("/proc/", StringComparison.Ordinal)) return $"{path} is no log file; \"nfr read -\" reads from a pipe";
        string folder = Path.GetDirectoryName(path) ?? "/";
        while (folder.AsSpan().ContainsAny('*', '?')) folder = Path.GetDirectoryName(folder) ?? "/";
        if (Directory.Exists(folder)) return null;
        for (string? up = folder; up is not null; up = Path.GetDirectoryName(up))
        {
            if (File.Exists(up)) return $"{up} is no folder";
        }
        hinders = false;
        return $"the folder {folder} does not exist; {path} is read as soon as it does";
    }

    static void CheckFolder(NfrConfig config, string key, string path, List<ConfigFault> faults, List<ConfigFault> remarks)
    {
        for (string? up = path; up is not null; up = Path.GetDirectoryName(up))
        {
            if (File.Exists(up))
            {
                faults.Add(config.At(key, $"{key}: {up} is a file; a folder is needed"));
                return;
            }
            if (Directory.Exists(up)) break;
        }
        bool told = remarks.Count > 0 && path.StartsWith(config.Data.Dir + "/", StringComparison.Ordinal);
        if (told) return;
        if (!Directory.Exists(path)) remarks.Add(config.At(key, $"{key}: {path} does not exist; start creates it"));
        else if (!MayWrite(path)) remarks.Add(config.At(key, $"{key}: {path} cannot be written by you; start must run as a user who can"));
    }

    static bool MayWrite(string folder)
    {
        try
        {
            using FileStream probe = new(
                Path.Combine(folder, $".nfr-permission-test-{Guid.NewGuid():N}"), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
            return true;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>
    /// Makes data.dir and spool.dir (0755) where they are missing and proves that they can be written; the reason in one line when not, else null.
    /// </summary>
    public static string? PrepareFolders(NfrConfig config)
    {
        foreach ((string key, string path) in new[] { ("data.dir", config.Data.Dir), ("spool.dir", config.Spool.Dir) })
        {
            try
            {
                Directory.CreateDirectory(path);
            }
            catch (Exception fault)
            {
                return $"{key}: cannot create {path}: {Reason.Of(fault)}; set {key} in {config.File}, or run as a user who may";
            }
            if (!MayWrite(path)) return $"{key}: cannot write to {path}; set {key} in {config.File}, or run as a user who may";
        }
        return null;
    }
}
