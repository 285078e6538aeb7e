using System.Globalization;
using System.Text;
using Nfr.Capture;
using Nfr.Events;
using Nfr.Logs;
using Nfr.Storage;
using Nfr.Wire;

namespace Nfr.Pipeline;

/// <summary>The ledger in the Prometheus text format 0.0.4. Counters begin at 0 with the sensor, but for the spool's, which outlive it.</summary>
sealed partial class MetricsText
{
    readonly StringBuilder _text = new(16384);

    public static string Write(StatusReport report)
    {
        var metrics = new MetricsText();
        metrics.Build();
        metrics.Gauge("nfr_up_seconds", "Seconds since the sensor started.", (long)report.Uptime.TotalSeconds);
        metrics.Troubles(report);
        metrics.Capture(report);
        metrics.Ledger(report.Run);
        if (report.Run.Spool is { } spool)
        {
            metrics.Spool(spool);
            metrics.SpoolFile(report, spool);
        }
        metrics.Uplinks(report);
        metrics.Consumers(report);
        metrics.Outputs(report);
        metrics.Fleet(report);
        metrics.Lists(report);
        if (report.Box is { } box)
        {
            metrics.Clock(report, box.Clock);
            metrics.Box(report, box);
        }
        return metrics._text.ToString();
    }

    void Lists(StatusReport report)
    {
        IReadOnlyList<(string Label, ListReport List)> lists = ListReport.Labelled(report.Lists);
        void Each(string name, string help, string kind, Func<ListReport, long?> of)
        {
            Head(name, help, kind);
            foreach ((string label, ListReport list) in lists)
            {
                if (of(list) is { } value) Sample(name, $"list=\"{Label(label)}\"", value);
            }
        }
        Each("nfr_list_indicators", "Indicators of a list in use.", "gauge", l => l.Indicators);
        Each("nfr_list_faults", "Lines of a list that could not be used.", "gauge", l => l.Faults);
        Each("nfr_feed_age_seconds", "Seconds since the copy of a fetched list was known to be the newest.", "gauge", l => l.Checked is { } at ? (long)(report.Now - at).TotalSeconds : null);
        Each("nfr_feed_failed_total", "Fetches of a list that failed.", "counter", l => l.Url is null ? null : l.Failed);
    }

    void Ledger(Ledger ledger)
    {
        IGrouping<string, CaptureEntry>[] ports = [.. ledger.Captures.GroupBy(c => c.Interface)];
        Ports(ports, "nfr_nic_packets_total", "Frames that the card counted.", p => p.First().Nic?.Packets);
        Ports(ports, "nfr_nic_dropped_total", "Frames lost on the card or in its driver.", p => p.First().Nic?.Lost);
        Ports(ports, "nfr_kernel_received_total", "Frames that came to the ring, dropped ones among them.", p => p.Sum(c => c.Kernel?.Received));
        Ports(ports, "nfr_kernel_dropped_total", "Frames dropped because the ring was full.", p => p.Sum(c => c.Kernel?.Dropped));
        Ports(ports, "nfr_ring_full_total", "How often the ring was full.", p => p.Sum(c => c.Kernel?.FreezeCount));
        Ports(ports, "nfr_frames_abandoned_total", "Frames given up with their block.", p => p.Sum(c => c.Kernel?.Abandoned));
        Ports(ports, "nfr_frames_mistaken_total", "Frames that met a mistake in nfr itself.", p => p.Sum(c => c.MistakenFrames));
        Ports(ports, "nfr_frames_decoded_total", "Frames decoded.", p => p.Sum(c => c.Decoded.Frames));
        Ports(ports, "nfr_bytes_decoded_total", "Bytes of the frames decoded, as on the wire.", p => p.Sum(c => c.Decoded.Bytes));
        Ports(ports, "nfr_frames_parsed_total", "Frames put to a flow.", p => p.Sum(c => c.Decoded.Parsed));
        Ports(ports, "nfr_frames_not_ip_total", "Frames without IP.", p => p.Sum(c => c.Decoded.NonIp));
        Ports(ports, "nfr_frames_fragments_total", "Fragments kept until their datagram was whole.", p => p.Sum(c => c.Decoded.FragmentsHeld));
        Ports(ports, "nfr_frames_truncated_total", "Frames cut short by the capture.", p => p.Sum(c => c.Decoded.Truncated));
        Ports(ports, "nfr_flows_opened_total", "Flows opened.", p => p.Sum(c => c.Decoded.FlowsOpened));
        Ports(ports, "nfr_flows_closed_total", "Flows closed, evicted ones among them.", p => p.Sum(c => c.Decoded.FlowsClosed));
        Ports(ports, "nfr_flows_evicted_total", "Flows closed early because the table was full.", p => p.Sum(c => c.Decoded.FlowsEvicted));
        Ports(ports, "nfr_flow_slices_total", "Events of flows that went on.", p => p.Sum(c => c.Decoded.FlowSlices));
        Ports(ports, "nfr_flow_details_refused_total", "Flows without details because their table was full.", p => p.Sum(c => c.Decoded.DetailsRefused));
        Ports(ports, "nfr_tunnels_shared_total", "Flows that share a tunnel's entry because the table was full.", p => p.Sum(c => c.Decoded.TunnelsShared));
        Ports(ports, "nfr_tcp_payload_bytes_total", "TCP payload seen.", p => p.Sum(c => c.Decoded.TcpPayloadBytes));
        Ports(ports, "nfr_tcp_missed_bytes_total", "TCP payload that was acknowledged and never seen.", p => p.Sum(c => c.Decoded.TcpMissedBytes));
        Ports(ports, "nfr_dns_repeated_total", "DNS queries sent again while they waited for their answer.", p => p.Sum(c => c.Decoded.DnsRepeated));
        Ports(ports, "nfr_flows_open", "Flows open now.", p => p.Sum(c => (long)c.ActiveFlows), "gauge");
        Ports(ports, "nfr_ring_waiting", "Frames in the ring now.", p => p.Sum(c => c.Waiting), "gauge");
        // Each from the beginning: a rate is no rate without the zero before the first one.
        Head("nfr_faults_total", "Decode faults.", "counter");
        foreach (IGrouping<string, CaptureEntry> port in ports)
        {
            for (int i = 1; i < (int)DecodeFault.Count; i++)
            {
                Sample("nfr_faults_total", $"interface=\"{Label(port.Key)}\",fault=\"{LedgerJson.Name((DecodeFault)i)}\"", port.Sum(c => c.Decoded.Faults[i]));
            }
        }
        Types("nfr_events_total", "Events made.", ports, c => c.Events);
        Types("nfr_events_dropped_total", "Events dropped because the pipeline was behind.", ports, c => c.DroppedEvents);
        Inputs(ledger);
        if (ledger.Stage is { } stage)
        {
            Types("nfr_events_in_scope_total", "Events in scope.", stage.InScope);
            Types("nfr_events_scored_total", "Events that are part of a finding.", stage.Scored);
            Types("nfr_events_watched_total", "Events out of scope that are scored on board all the same.", stage.Watched);
            Types("nfr_events_watched_scored_total", "Those of them that are part of a finding.", stage.WatchedScored);
            Types("nfr_events_unwanted_total", "Events of types that are switched off.", stage.Unwanted);
            Head("nfr_events_out_of_scope_total", "Events out of scope, by reason.", "counter");
            for (int i = 0; i < stage.OutOfScope.Length; i++) Sample("nfr_events_out_of_scope_total", $"reason=\"{((ScopeReason)i).Name()}\"", stage.OutOfScope[i]);
            Gauge("nfr_events_queued", "Events that wait for the pipeline now.", ledger.Queued);
            Counter("nfr_events_mistaken_total", "Events that met a mistake in nfr itself.", stage.Unread + stage.Undecided.Sum() + stage.Unkept.Sum());
            Counter("nfr_alerts_raised_total", "Alerts raised on board.", stage.Alerts);
            Head("nfr_alerts_total", "Alerts raised on board, by each of their threats and its severity.", "counter");
            foreach ((string threat, int severity, long count) in ThreatCounts.Told(stage.AlertsByThreat)) Sample("nfr_alerts_total", string.Create(CultureInfo.InvariantCulture, $"threat=\"{Label(threat)}\",severity=\"{severity}\""), count);
            Counter("nfr_alerts_held_total", "Alerts that were due and held back, since too many of their threat had been raised.", stage.AlertsHeld);
            Counter("nfr_alerts_mistaken_total", "Alerts that met a mistake in nfr itself.", stage.AlertsUnkept);
        }
        Counter("nfr_mistakes_total", "Mistakes in nfr itself; the log has them.", ledger.Mistakes);
        Gauge("nfr_ledger_gaps", "Sums of the ledger that do not come out.", ledger.Gaps.Count);
    }

    void Inputs(Ledger ledger)
    {
        LogCounters[] sources = [.. ledger.Inputs.SelectMany(i => i.Sources)];
        void Each(string name, string help, Func<LogCounters, long> of)
        {
            Head(name, help, "counter");
            foreach (LogCounters source in sources) Sample(name, $"input=\"{Label(source.Name)}\"", of(source));
        }
        Head("nfr_log_lines_total", "Lines and documents read, by what became of them.", "counter");
        foreach (LogCounters source in sources)
        {
            foreach (LineVerdict verdict in Enum.GetValues<LineVerdict>()) Sample("nfr_log_lines_total", $"input=\"{Label(source.Name)}\",verdict=\"{verdict.Name()}\"", source.Verdicts[(int)verdict]);
        }
        Head("nfr_log_events_total", "Events made of lines and documents.", "counter");
        foreach (LogCounters source in sources)
        {
            foreach (EventType type in EventTypes.All) Sample("nfr_log_events_total", $"input=\"{Label(source.Name)}\",type=\"{type.Name()}\"", source.Events[(int)type]);
        }
        Each("nfr_log_bytes_total", "Bytes of the lines read, uncompressed.", s => s.Bytes);
        Each("nfr_log_rotations_total", "Files taken up behind one that was moved away, or begun again.", s => s.Rotations);
        Each("nfr_log_lost_bytes_total", "Bytes of a log that were gone before they were read.", s => s.LostBytes);
        Each("nfr_log_lost_total", "Datagrams, files and pages that were gone before they were read.", s => s.Lost);
        Each("nfr_log_refused_total", "Datagrams and connections of those who may not send, or one too many.", s => s.Refused);
    }

    void Spool(SpoolCounters spool)
    {
        void Each(string name, string help, Func<SpoolTally, long> of, string kind = "counter")
        {
            Head(name, help, kind);
            foreach (EventType type in EventTypes.Uploaded) Sample(name, $"type=\"{type.Name()}\"", of(spool.Of(type)));
            Sample(name, "type=\"alert\"", of(spool.Alerts));
        }
        Each("nfr_spool_accepted_total", "Accepted by the spool.", t => t.Accepted);
        Each("nfr_spool_spooled_total", "Written down.", t => t.Spooled);
        Each("nfr_spool_delivered_total", "Delivered.", t => t.Delivered);
        Each("nfr_spool_evicted_total", "Evicted because the spool was full.", t => t.Evicted);
        Each("nfr_spool_quarantined_total", "Put aside as unreadable or undeliverable.", t => t.Quarantined);
        Each("nfr_spool_lost_total", "Lost before they were written down.", t => t.LostBeforeSpool);
        Each("nfr_spool_held", "In the spool now.", t => t.InSpool, "gauge");
        Each("nfr_spool_pending", "Waiting to be written down.", t => t.Pending, "gauge");
        Counter("nfr_alerts_fetched_total", "Alerts fetched from the engine.", spool.EngineAlerts);
    }

    void Ports(IGrouping<string, CaptureEntry>[] ports, string name, string help, Func<IGrouping<string, CaptureEntry>, long?> of, string kind = "counter")
    {
        Head(name, help, kind);
        foreach (IGrouping<string, CaptureEntry> port in ports)
        {
            if (of(port) is { } value) Sample(name, $"interface=\"{Label(port.Key)}\"", value);
        }
    }

    void Types(string name, string help, IGrouping<string, CaptureEntry>[] ports, Func<CaptureEntry, long[]> of)
    {
        Head(name, help, "counter");
        foreach (IGrouping<string, CaptureEntry> port in ports)
        {
            foreach (EventType type in EventTypes.All) Sample(name, $"interface=\"{Label(port.Key)}\",type=\"{type.Name()}\"", port.Sum(c => of(c)[(int)type]));
        }
    }

    void Types(string name, string help, long[] counts)
    {
        Head(name, help, "counter");
        foreach (EventType type in EventTypes.All) Sample(name, $"type=\"{type.Name()}\"", counts[(int)type]);
    }

    void Counter(string name, string help, long value)
    {
        Head(name, help, "counter");
        Sample(name, null, value);
    }

    void Gauge(string name, string help, long value)
    {
        Head(name, help, "gauge");
        Sample(name, null, value);
    }

    void Head(string name, string help, string kind) => _text.Append("# HELP ").Append(name).Append(' ').Append(help).Append("\n# TYPE ").Append(name).Append(' ').Append(kind).Append('\n');

    void Sample(string name, string? labels, long value)
    {
        _text.Append(name);
        if (labels is not null) _text.Append('{').Append(labels).Append('}');
        _text.Append(CultureInfo.InvariantCulture, $" {value}\n");
    }

    /// <summary>A fraction: written so that it reads back to the same number.</summary>
    void Sample(string name, string? labels, double value)
    {
        _text.Append(name);
        if (labels is not null) _text.Append('{').Append(labels).Append('}');
        _text.Append(CultureInfo.InvariantCulture, $" {value:R}\n");
    }

    static string Label(string value) => value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
