using System.CommandLine;
using System.Security.Cryptography;
using Nfr.Config;
using Nfr.Update;

namespace Nfr.Commands;

/// <summary>"nfr update make": a bundle from the files of a release. Runs on the machine that builds, not on the box.</summary>
static class UpdateMakeCommand
{
    public static Command Build(CommandSetup setup)
    {
        static Option<string> Needed(string name, string what, string help) => new(name) { Description = what, HelpName = help, Required = true };
        Option<string> version = Needed("--version", "Of the release, such as 2.1.0.", "VERSION"), root = Needed("--root", "Content of a slot's root partition.", "FILE");
        Option<string> boot = Needed("--boot", "Content of the boot partition: of both slots, or of slot a when there is --boot-b.", "FILE"), output = Needed("--out", "The bundle; its head is written beside it as FILE.head.", "FILE");
        var counter = new Option<long>("--counter") { Description = "That of the image which the partitions are of (counter in its /usr/share/nfr/image.json); a box takes only a greater one than its own.", HelpName = "N", Required = true };
        var bootB = new Option<string?>("--boot-b") { Description = "Content of slot b's boot partition.", HelpName = "FILE" };
        var hardware = new Option<string>("--hardware") { Description = "The word of image.json on the boxes it is for. Default: rpi-arm64", HelpName = "WORD", DefaultValueFactory = _ => "rpi-arm64" };
        var notes = new Option<string?>("--notes") { Description = $"A text file of up to {UpdateManifest.MostNotes} characters: what is new.", HelpName = "FILE" };
        var key = new Option<string[]>("--key") { Description = "Private key (P-256, PEM) that signs; a second one while keys change.", HelpName = "PEM", Arity = ArgumentArity.OneOrMore, Required = true };
        var make = new NfrCommand("make", "Make and sign a bundle from the partitions of a release.")
        {
            Remarks = ["One input gives one output, byte for byte. A key is made with: openssl ecparam -genkey -name prime256v1 -noout -out key.pem; its public half for the image: openssl ec -in key.pem -pubout"],
            Examples = [("update make --version 2.1.0 --counter 1038 --root nfr-2.1.0-arm64.root.img --boot nfr-2.1.0-arm64.boot.img --key key.pem --out nfr-2.1.0.nfru", "A release.")],
        };
        foreach (Option option in (Option[])[version, counter, root, boot, bootB, hardware, notes, key, output]) make.Add(option);
        make.SetAction(parsed => UpdateCommand.Try(setup, () =>
        {
            string bundle = parsed.GetValue(output)!;
            string? second = parsed.GetValue(bootB);
            List<(string, string)> parts = second is null ? [("boot", parsed.GetValue(boot)!)] : [("boot-a", parsed.GetValue(boot)!), ("boot-b", second)];
            parts.Add(("root", parsed.GetValue(root)!));
            List<ECDsa> keys = [];
            try
            {
                foreach (string file in parsed.GetValue(key)!) keys.Add(Private(file));
                if (keys.Count > BundleHead.MostSignatures) throw new UpdateException($"a bundle carries {BundleHead.MostSignatures} signatures at most");
                var manifest = new UpdateManifest
                {
                    Version = parsed.GetValue(version)!, Counter = parsed.GetValue(counter), Hardware = parsed.GetValue(hardware)!, File = Path.GetFileName(bundle), Parts = [],
                    Notes = parsed.GetValue(notes) is { } text ? File.ReadAllText(text).ReplaceLineEndings("\n").Trim() : "",
                };
                manifest = BundleMaker.Make(manifest, parts, keys, bundle, name => setup.Terminal.Out.WriteLine($"packing {name}"));
                setup.Terminal.Out.WriteLine($"{bundle}: {manifest.Title} for {manifest.Hardware}, {Health.Sizes.Of(new FileInfo(bundle).Length)} of {Health.Sizes.Of(manifest.Parts.Sum(p => p.Bytes))}");
                return ExitCode.Good;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new UpdateException(Reason.Of(e));
            }
            finally
            {
                foreach (ECDsa one in keys) one.Dispose();
            }
        }));
        return make;
    }

    static ECDsa Private(string file)
    {
        ECDsa key = ECDsa.Create();
        try
        {
            key.ImportFromPem(File.ReadAllText(file));
            if (UpdateKeys.IsP256(key) && key.ExportParameters(true).D is not null) return key;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            // Below.
        }
        key.Dispose();
        throw new UpdateException($"{file} is no private key of the curve P-256 in PEM form");
    }
}
