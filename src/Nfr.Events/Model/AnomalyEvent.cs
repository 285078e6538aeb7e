using Nfr.Wire;

namespace Nfr.Events;

/// <summary>
/// Traffic that is built to be read in two ways, such as segments or fragments that overlap and differ: what somebody does who wants a sensor to
/// see something else than the host does. Once per flow and fault; every occurrence is in the fault's counter.
/// </summary>
public ref struct AnomalyEvent
{
    public EventContext Context;
    public DecodeFault Fault;
}
