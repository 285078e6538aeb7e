using System.Globalization;
using System.Reflection;
using Nfr.Events;
using Nfr.Health;
using Nfr.Storage;
using Nfr.Uplink;

namespace Nfr.Pipeline;

// What is not the ledger: the build, uplinks, outputs, clock and box. A label is a name of the config or of the box, so there are few of each.
sealed partial class MetricsText
{
    void Build()
    {
        string[] parts = (typeof(MetricsText).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0").Split('+');
        Head("nfr_build_info", "1; the version and the commit it was built of are in the labels.", "gauge");
        Sample("nfr_build_info", $"version=\"{Label(parts[0])}\",commit=\"{Label(parts.Length > 1 ? parts[1] : "unknown")}\"", 1);
    }

    void Troubles(StatusReport report)
    {
        IReadOnlyList<Trouble> troubles = report.Troubles;
        Gauge("nfr_troubles", "What keeps the sensor from its work now; /healthz says what.", troubles.Count(t => t.Gravity != Gravity.Notice));
        Gauge("nfr_notices", "What somebody should look at when there is time; nfr status says what.", troubles.Count(t => t.Gravity == Gravity.Notice));
    }

    void Capture(StatusReport report)
    {
        Head("nfr_port_open", "1 while frames can come from the interface.", "gauge");
        foreach (PortReport port in report.Ports) Sample("nfr_port_open", $"interface=\"{Label(port.Interface)}\"", port.IsOpen ? 1 : 0);
        Head("nfr_port_conditions", "What the observer finds wrong with the interface's mirror now.", "gauge");
        foreach (PortReport port in report.Ports) Sample("nfr_port_conditions", $"interface=\"{Label(port.Interface)}\"", port.Conditions.Count);
        Head("nfr_log_behind", "Bytes (of files) or documents (of searches) that are known and not read yet.", "gauge");
        foreach (SourceReport source in report.Inputs)
        {
            if (source.Report.Behind is { } behind) Sample("nfr_log_behind", $"input=\"{Label(source.Report.Name)}\"", behind);
        }
        Head("nfr_log_trouble", "1 while an input cannot be read.", "gauge");
        foreach (SourceReport source in report.Inputs) Sample("nfr_log_trouble", $"input=\"{Label(source.Report.Name)}\"", source.Report.Trouble is null ? 0 : 1);
        Gauge("nfr_ledger_exact", "1 when every stage told its counts between two steps, so that the sums must come out.", report.Run.IsExact ? 1 : 0);
    }

    void SpoolFile(StatusReport report, SpoolCounters spool)
    {
        Head("nfr_spool_class_held", "Events and alerts in the spool now, by class.", "gauge");
        foreach (SpoolClass of in SpoolClasses.All) Sample("nfr_spool_class_held", $"class=\"{of.Name()}\"", StatusReport.HeldOf(spool, of));
        Head("nfr_spool_class_bytes", "Their bytes, compressed.", "gauge");
        foreach (SpoolClass of in SpoolClasses.All) Sample("nfr_spool_class_bytes", $"class=\"{of.Name()}\"", spool.BytesOf(of));
        Head("nfr_spool_evicted_for_age_total", "Of the evicted those that were older than their class may be.", "counter");
        foreach (EventType type in EventTypes.Uploaded) Sample("nfr_spool_evicted_for_age_total", $"type=\"{type.Name()}\"", spool.Of(type).EvictedForAge);
        Sample("nfr_spool_evicted_for_age_total", "type=\"alert\"", spool.Alerts.EvictedForAge);
        if (report.SpoolRate is { } rate) Fraction("nfr_spool_events_per_second", "Events that came into the spool, a second, over the last interval.", rate);
        if (spool.Outlook is { } outlook)
        {
            Gauge("nfr_spool_written_bytes_per_day", "Bytes that the spool writes to the disk a day, by the last day.", outlook.BytesPerDay);
            if (outlook.RingDays is { } days) Fraction("nfr_spool_ring_seconds", "For how long the ring holds events while nothing is delivered, by the last day.", Math.Round(days * 86_400));
            Fraction("nfr_spool_card_life_seconds", "Until a card of the configured size is worn out by the spool alone, by the last day.", Math.Round(outlook.CardYears * 365.25 * 86_400));
        }
        Gauge("nfr_spool_bytes", "Bytes of the spool on disk.", spool.BytesOnDisk);
        Gauge("nfr_spool_max_bytes", "Bytes that the spool may take.", report.SpoolMost);
        Counter("nfr_spool_commits_total", "Commits of this run, each one sync.", spool.Commits);
        Counter("nfr_disk_written_bytes_total", "Bytes that the spool wrote to the disk in this run, an upper bound.", spool.BytesWritten);
        Counter("nfr_spool_faults_total", "Faults of the spool.", spool.Faults);
        Gauge("nfr_spool_failing", "1 while the spool cannot be written.", spool.Failing ? 1 : 0);
        Gauge("nfr_spool_disk_full", "1 while the disk is full and the spool works within what it has.", spool.DiskFull ? 1 : 0);
        Gauge("nfr_spool_quarantine_items", "Items in the spool's quarantine folder.", spool.QuarantinedFiles);
    }

    void Uplinks(StatusReport report)
    {
        Head("nfr_uplink_up", "0 while something stops or delays the uploads to the engine.", "gauge");
        foreach (UplinkReport uplink in report.Uplinks) Sample("nfr_uplink_up", $"engine=\"{Label(uplink.Name)}\"", uplink.State.Trouble is null ? 1 : 0);
        void Each(string name, string help, string kind, Func<UplinkTypeState, double?> of)
        {
            Head(name, help, kind);
            foreach (UplinkReport uplink in report.Uplinks)
            {
                foreach (UplinkTypeState type in uplink.State.Types)
                {
                    if (of(type) is { } value) Sample(name, $"engine=\"{Label(uplink.Name)}\",type=\"{type.Type.Name()}\"", value);
                }
            }
        }
        Each("nfr_uplink_delivered_events_total", "Events that the engine took.", "counter", t => t.DeliveredEvents);
        Each("nfr_uplink_delivered_batches_total", "Requests that it took.", "counter", t => t.DeliveredBatches);
        Each("nfr_uplink_delivered_bytes_total", "Their bytes, compressed.", "counter", t => t.DeliveredBytes);
        Each("nfr_uplink_rejected_events_total", "Events delivered that it did not want.", "counter", t => t.RejectedEvents);
        Each("nfr_uplink_quarantined_events_total", "Events that it could not take, put aside.", "counter", t => t.QuarantinedEvents);
        Each("nfr_uplink_failed_requests_total", "Requests that failed.", "counter", t => t.FailedRequests);
        Head("nfr_upload_requests_total", "Upload requests by the status of the answer; none where there was no whole one.", "counter");
        foreach (UplinkReport uplink in report.Uplinks)
        {
            // From the beginning, for a rate.
            var codes = new SortedDictionary<int, long> { [UplinkTypeState.NoAnswer] = 0, [200] = 0 };
            foreach ((int status, long count) in uplink.State.Types.SelectMany(t => t.Requests)) codes[status] = codes.GetValueOrDefault(status) + count;
            foreach ((int status, long count) in codes)
            {
                string code = status switch { UplinkTypeState.NoAnswer => "none", UplinkTypeState.OtherStatus => "other", _ => status.ToString(CultureInfo.InvariantCulture) };
                Sample("nfr_upload_requests_total", $"engine=\"{Label(uplink.Name)}\",code=\"{code}\"", count);
            }
        }
        Each("nfr_uplink_last_success_timestamp_seconds", "When it last took a request.", "gauge", t => Unix(t.LastSuccess));
        Each("nfr_uplink_last_error_timestamp_seconds", "When a request last failed.", "gauge", t => Unix(t.LastErrorAt));
    }

    void Consumers(StatusReport report)
    {
        void Each(string name, string help, string kind, Func<ConsumerTally, double?> of)
        {
            Head(name, help, kind);
            foreach (ConsumerReport consumer in report.Consumers)
            {
                foreach (EventType type in EventTypes.Uploaded)
                {
                    if (of(consumer.Types[(int)type]) is { } value) Sample(name, $"consumer=\"{Label(consumer.Name)}\",type=\"{type.Name()}\"", value);
                }
            }
        }
        Each("nfr_consumer_delivered_events_total", "Events that the consumer took out of the spool.", "counter", t => t.Delivered);
        Each("nfr_consumer_quarantined_events_total", "Events that it could never take, put aside.", "counter", t => t.Quarantined);
        Each("nfr_consumer_missed_events_total", "Events evicted before they came to it.", "counter", t => t.Missed);
        Each("nfr_consumer_waiting_events", "Events in the spool that wait for it.", "gauge", t => t.Waiting);
        Each("nfr_consumer_oldest_waiting_timestamp_seconds", "When the oldest of these was spooled.", "gauge", t => Unix(t.OldestWaiting));
    }

    void Fleet(StatusReport report)
    {
        if (report.Fleet is not { } fleet) return;
        void One(string name, string help, string kind, double value)
        {
            Head(name, help, kind);
            Sample(name, null, value);
        }
        One("nfr_fleet_connected", "1 while the sensor is connected to its MQTT broker.", "gauge", fleet.IsConnected ? 1 : 0);
        Head("nfr_fleet_mqtt_info", "1 with the version of MQTT that is spoken.", "gauge");
        if (fleet.Version is { } version) Sample("nfr_fleet_mqtt_info", $"version=\"{version}\"", 1);
        One("nfr_fleet_connects_total", "Connections to the broker that came about.", "counter", fleet.Connects);
        One("nfr_fleet_failed_connects_total", "Those that did not.", "counter", fleet.FailedConnects);
        One("nfr_fleet_heartbeats_total", "Heartbeats sent.", "counter", fleet.Heartbeats);
        One("nfr_fleet_heartbeats_skipped_total", "Heartbeats not sent, since the broker did not read.", "counter", fleet.HeartbeatsSkipped);
        One("nfr_fleet_commands_total", "Commands obeyed.", "counter", fleet.CommandsTaken);
        One("nfr_fleet_answers_lost_total", "Answers to commands that found no room while the broker was away, or that it did not take.", "counter", fleet.AnswersLost);
        Head("nfr_fleet_commands_refused_total", "Commands refused, by reason.", "counter");
        for (int i = 1; i < fleet.Refused.Count; i++) Sample("nfr_fleet_commands_refused_total", $"reason=\"{((FleetRefusal)i).ToString().ToLowerInvariant()}\"", fleet.Refused[i]);
    }

    void Outputs(StatusReport report)
    {
        void Each(string name, string help, string kind, Func<AlertOutputState, double?> of)
        {
            Head(name, help, kind);
            foreach (AlertOutputState output in report.Outputs)
            {
                if (of(output) is { } value) Sample(name, $"output=\"{Label(output.Name)}\"", value);
            }
        }
        Each("nfr_output_up", "0 while something stops or delays the output.", "gauge", o => o.Trouble is null ? 1 : 0);
        Each("nfr_output_delivered_alerts_total", "Alerts that the output took.", "counter", o => o.Alerts);
        Each("nfr_output_refused_alerts_total", "Alerts that the other side refuses for good, passed by.", "counter", o => o.Refused);
        Each("nfr_output_cut_alerts_total", "Alerts that the output took with their end cut off, since they were longer than its max_size.", "counter", o => o.Cut);
        Each("nfr_output_filtered_alerts_total", "Alerts that its filter does not want.", "counter", o => o.Filtered);
        Each("nfr_output_waiting_alerts", "Alerts stored and not looked at yet, an upper bound.", "gauge", o => o.Waiting);
        Each("nfr_output_failed_writes_total", "Writes that failed.", "counter", o => o.FailedWrites);
        Each("nfr_output_last_success_timestamp_seconds", "When it last took alerts.", "gauge", o => Unix(o.LastSuccess));
        Each("nfr_output_last_error_timestamp_seconds", "When a write last failed.", "gauge", o => Unix(o.LastErrorAt));
    }

    void Clock(StatusReport report, ClockFacts clock)
    {
        Head("nfr_start_timestamp_seconds", "When the sensor started.", "gauge");
        Sample("nfr_start_timestamp_seconds", null, Unix(report.Started)!.Value);
        if (clock.Kernel is { } kernel)
        {
            Gauge("nfr_clock_synchronised", "1 while a time service keeps the clock.", kernel.IsSynchronised ? 1 : 0);
            if (kernel.EstimatedError is { } estimated) Fraction("nfr_clock_estimated_error_seconds", "How far the clock is off, as the time service estimates it; 16 while nobody keeps it.", estimated.TotalSeconds);
            if (kernel.MaximumError is { } maximum) Fraction("nfr_clock_maximum_error_seconds", "The clock is off by at most this much; 16 while nobody keeps it.", maximum.TotalSeconds);
            if (kernel.Offset is { } offset) Fraction("nfr_time_offset_seconds", "What the kernel still has to slew away.", offset.TotalSeconds);
        }
        Counter("nfr_clock_jumps_total", "How often the clock was set since the start.", clock.Jumps);
        Fraction("nfr_clock_set_seconds", "By how much it was set since the start, all together.", clock.Set.TotalSeconds);
    }

    void Box(StatusReport report, BoxFacts box)
    {
        if (box.Disk is { } disk)
        {
            Gauge("nfr_disk_free_bytes", "Free on the spool's file system.", disk.Free);
            Gauge("nfr_disk_size_bytes", "Size of the spool's file system.", disk.Size);
            Gauge("nfr_disk_read_only", "1 when it is mounted read-only.", disk.IsReadOnly ? 1 : 0);
        }
        if (box.Temperatures.Count > 0)
        {
            Head("nfr_temperature_celsius", "What the box's thermometers show.", "gauge");
            foreach (Temperature t in box.Temperatures) Sample("nfr_temperature_celsius", $"sensor=\"{Label(t.Sensor)}\"", t.Celsius);
        }
        if (box.Throttling is { } throttling)
        {
            Head("nfr_throttling", "1 while the board's firmware holds the processor back, by reason.", "gauge");
            Sample("nfr_throttling", "reason=\"under_voltage\"", throttling.HasFlag(Throttling.UnderVoltage) ? 1 : 0);
            Sample("nfr_throttling", "reason=\"frequency_capped\"", throttling.HasFlag(Throttling.FrequencyCapped) ? 1 : 0);
            Sample("nfr_throttling", "reason=\"throttled\"", throttling.HasFlag(Throttling.Throttled) ? 1 : 0);
            Sample("nfr_throttling", "reason=\"temperature\"", throttling.HasFlag(Throttling.SoftTemperatureLimit) ? 1 : 0);
        }
        // Names that every client library gives these.
        Gauge("process_resident_memory_bytes", "Resident memory, the packet rings among it.", box.Process.Resident);
        Head("process_cpu_seconds_total", "Processor time of all threads.", "counter");
        Sample("process_cpu_seconds_total", null, box.Process.Cpu.TotalSeconds);
        Head("process_start_time_seconds", "When the process started.", "gauge");
        Sample("process_start_time_seconds", null, Unix(report.Started)!.Value);
        if (box.Process.OpenFiles is { } files) Gauge("process_open_fds", "Open descriptors.", files);
        Gauge("nfr_heap_bytes", "The managed heap.", box.Process.Heap);
    }

    void Fraction(string name, string help, double value)
    {
        Head(name, help, "gauge");
        Sample(name, null, value);
    }

    static double? Unix(DateTimeOffset? at) => at is { } moment ? moment.ToUnixTimeMilliseconds() / 1000.0 : null;
}
