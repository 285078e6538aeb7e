using System.Runtime.CompilerServices;

// Everything that crosses into C is blittable and says so: no marshalling is made up behind a declaration.
[assembly: DisableRuntimeMarshalling]
