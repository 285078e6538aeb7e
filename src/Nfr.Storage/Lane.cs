using Nfr.Events;

namespace Nfr.Storage;

/// <summary>A lane is one type and one class of event; lanes count from 0, unscored before scored within a type.</summary>
static class Lane
{
    public const int Count = EventTypes.UploadedCount * 2;

    public static int Of(EventType type, bool scored) => ((int)type * 2) + (scored ? 1 : 0);

    public static EventType Type(int lane) => (EventType)(lane / 2);

    public static int Class(int lane) => lane & 1;
}
