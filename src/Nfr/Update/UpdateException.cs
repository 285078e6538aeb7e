namespace Nfr.Update;

/// <summary>Why a bundle is not taken or a slot not written, in words for a person: what, where, what to do. Its only catchers are the commands.</summary>
sealed class UpdateException(string message) : Exception(message);
