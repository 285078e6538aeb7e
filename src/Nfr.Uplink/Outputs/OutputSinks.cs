using Nfr.Events;

namespace Nfr.Uplink;

/// <summary>Which sink belongs to which options.</summary>
static class OutputSinks
{
    public static AlertSink Open(OutputOptions options, SensorIdentity sensor, TimeProvider time)
    {
        return options.Sink switch
        {
            FileSinkOptions file => new FileSink(file),
            StreamSinkOptions { IsError: true } => new StreamSink(Console.OpenStandardError(), "stderr"),
            StreamSinkOptions => new StreamSink(Console.OpenStandardOutput(), "stdout"),
            SyslogSinkOptions syslog => new SyslogSink(syslog, sensor, time),
            GelfSinkOptions gelf => new GelfSink(gelf, sensor, time),
            MailSinkOptions mail => new MailSink(options.Name, mail, sensor, time),
            WebhookSinkOptions webhook => new WebhookSink(options.Name, webhook, sensor, time),
            ElasticSinkOptions elastic => new ElasticSink(elastic, sensor, time),
            _ => throw new ArgumentOutOfRangeException(nameof(options), options.Sink.GetType().Name, "no sink of that kind"),
        };
    }
}
