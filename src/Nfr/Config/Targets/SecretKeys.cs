using Nfr.Uplink;

namespace Nfr.Config;

/// <summary>Reads a password or key: NAME holds it, or NAME_file a path to it.</summary>
static class SecretKeys
{
    internal static SecretText? Read(Section s, string name)
    {
        string fileKey = name + "_file";
        string? text = s.Text(name, expected: "text"), file = s.FilePath(fileKey, null);
        if (text is not null && file is not null) s.Fault(fileKey, $"{name} is set too; keep one of them");
        if (text is null && file is null) return null;
        var secret = new SecretText { Text = file is null ? text : null, File = file };
        if (file is not null && !secret.TryRead(out _, out string fault)) s.Note(fileKey, fault);
        return secret;
    }
}
