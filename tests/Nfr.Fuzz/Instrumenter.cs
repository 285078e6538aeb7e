using Mono.Cecil;
using Mono.Cecil.Cil;
using Mono.Cecil.Rocks;

namespace Nfr.Fuzz;

/// <summary>Rewrites the libraries under test so that each basic block calls <see cref="Coverage.Hit"/>. Numbers are drawn from a fixed seed.</summary>
static class Instrumenter
{
    /// <summary>What is instrumented: where bytes from outside are read.</summary>
    public static readonly string[] Libraries = ["Nfr.Wire", "Nfr.Events", "Nfr.Capture", "nfr", "Nfr.Scoring", "Nfr.Logs"];

    /// <summary>Copies <paramref name="source"/>, a folder of built files, to <paramref name="destination"/> with its libraries rewritten; says how many blocks.</summary>
    public static int Run(string source, string destination)
    {
        foreach (string file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(destination, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy, overwrite: true);
        }
        var random = new Random(1);
        int blocks = 0;
        foreach (string library in Libraries)
        {
            string path = Path.Combine(source, library + ".dll");
            if (File.Exists(path)) blocks += Rewrite(path, Path.Combine(destination, library + ".dll"), random);
        }
        return blocks;
    }

    static int Rewrite(string from, string to, Random random)
    {
        using var resolver = new DefaultAssemblyResolver();
        resolver.AddSearchDirectory(Path.GetDirectoryName(from));
        resolver.AddSearchDirectory(Path.GetDirectoryName(typeof(object).Assembly.Location));
        using ModuleDefinition module = ModuleDefinition.ReadModule(from, new ReaderParameters { AssemblyResolver = resolver });
        MethodReference hit = module.ImportReference(typeof(Coverage).GetMethod(nameof(Coverage.Hit)));
        int blocks = 0;
        foreach (TypeDefinition type in module.GetTypes())
        {
            foreach (MethodDefinition method in type.Methods.Where(m => m.HasBody)) blocks += Rewrite(method.Body, hit, random);
        }
        module.Write(to);
        return blocks;
    }

    static int Rewrite(MethodBody body, MethodReference hit, Random random)
    {
        body.SimplifyMacros();
        var heads = new Dictionary<Instruction, Instruction>();
        ILProcessor il = body.GetILProcessor();
        foreach (Instruction head in Heads(body).ToList())
        {
            Instruction number = il.Create(OpCodes.Ldc_I4, random.Next(65_536));
            il.InsertBefore(head, number);
            il.InsertBefore(head, il.Create(OpCodes.Call, hit));
            heads[head] = number;
        }
        Instruction? Moved(Instruction? at) => at is not null && heads.TryGetValue(at, out Instruction? number) ? number : at;
        foreach (Instruction instruction in body.Instructions)
        {
            if (instruction.Operand is Instruction target) instruction.Operand = Moved(target);
            if (instruction.Operand is Instruction[] targets) instruction.Operand = targets.Select(t => Moved(t)!).ToArray();
        }
        foreach (ExceptionHandler handler in body.ExceptionHandlers)
        {
            handler.TryStart = Moved(handler.TryStart);
            handler.TryEnd = Moved(handler.TryEnd);
            handler.HandlerStart = Moved(handler.HandlerStart);
            handler.HandlerEnd = Moved(handler.HandlerEnd);
            handler.FilterStart = Moved(handler.FilterStart);
        }
        body.OptimizeMacros();
        return heads.Count;
    }

    /// <summary>The first instruction, every target of a branch, and what follows a conditional one.</summary>
    static HashSet<Instruction> Heads(MethodBody body)
    {
        HashSet<Instruction> heads = [body.Instructions[0]];
        foreach (Instruction instruction in body.Instructions)
        {
            if (instruction.Operand is Instruction target) heads.Add(target);
            if (instruction.Operand is Instruction[] targets) heads.UnionWith(targets);
            if (instruction.OpCode.FlowControl == FlowControl.Cond_Branch && instruction.Next is not null) heads.Add(instruction.Next);
        }
        return heads;
    }
}
