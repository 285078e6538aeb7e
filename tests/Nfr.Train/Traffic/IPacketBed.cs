namespace Nfr.Train.Traffic;

/// <summary>What takes IP packets one by one, as a line does: a decoder alone, or one whose events are scored.</summary>
interface IPacketBed
{
    void Ip(byte[] packet);
}
