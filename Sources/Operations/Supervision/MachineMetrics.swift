import Cluster
import Metrics

/// What hosts tell about themselves, as Prometheus reads it.
enum MachineMetrics {
  /// Figures of machines that only grow, and what they are called here.
  private static let totals: [(figure: String, name: String, help: String)] = [
    ("orders", "novation_operations_acknowledged_total", "Operations of users that the shard accepted since it began."),
    ("fills", "novation_fills_total", "Fills made by a shard, or consumed by risk, since it began."),
    ("actions", "novation_gateway_actions_total", "Signed actions that clients sent."),
    ("operations", "novation_gateway_operations_total", "Operations in them."),
    ("refused", "novation_gateway_refused_total", "Actions that the gateway refused."),
    ("throttled", "novation_gateway_throttled_total", "Actions that were answered with 'throttled'."),
    ("replies", "novation_gateway_replies_total", "Answers handed to clients."),
    ("dropped", "novation_gateway_dropped_total", "Messages for clients that could not be delivered."),
    ("attested", "novation_epochs_attested_total", "Epochs that the verifier attested."),
    ("disputed", "novation_epochs_disputed_total", "Epochs that the verifier disputed."),
    ("publications", "novation_marks_publications_total", "Publications of marks."),
  ]

  /// - Parameter statuses: by machine; one that did not answer is not among them.
  static func families(of machines: [String], statuses: [String: HostStatus]) -> [MetricFamily] {
    var families = Families()
    for machine in machines {
      let label = MetricLabel("machine", machine)
      let status = statuses[machine]
      families.add("novation_up", .gauge, "1 if the machine answers its own process.", status == nil ? 0 : 1, label)
      guard let status else { continue }
      families.add("novation_inputs_total", .counter, "Inputs taken.", Double(status.inputs), label)
      families.add("novation_epoch", .gauge, "Settlement epoch of the machine.", Double(status.epoch), label)
      if status.journalCapacity > 0 { journal(status, label, &families) }
      streams(status, label, &families)
      figures(status, label, &families)
    }
    return families.all
  }

  private static func journal(_ status: HostStatus, _ label: MetricLabel, _ families: inout Families) {
    let (used, capacity) = (Double(status.journalBytes), Double(status.journalCapacity))
    families.add("novation_term", .gauge, "Term of the machine's owner.", Double(status.term), label)
    let isOwner = status.role == "owner"
    families.add(
      "novation_owner", .gauge, "1 where the machine is owned, 0 on a copy that follows.", isOwner ? 1 : 0, label)
    families.add(
      "novation_standbys_in_sync", .gauge, "Standbys whose acknowledgement is the owner's fence.",
      Double(status.inSync.count), label)
    for follower in status.followers {
      families.add(
        "novation_standby_lag_entries", .gauge, "Journal entries that a copy has not made durable yet.",
        Double(follower.lag), label, MetricLabel("standby", follower.peer))
    }
    families.add("novation_commits_total", .counter, "Group commits.", Double(status.commits), label)
    families.add(
      "novation_journal_sequence", .gauge, "Number of the last durable entry.", Double(status.sequence), label)
    families.add("novation_journal_used_bytes", .gauge, "Bytes of the journal's map in use.", used, label)
    families.add("novation_journal_capacity_bytes", .gauge, "Bytes of the journal's map.", capacity, label)
    families.add(
      "novation_journal_room_bytes", .gauge, "Bytes left before the journal's map is full.",
      max(0, capacity - used), label)
  }

  private static func streams(_ status: HostStatus, _ label: MetricLabel, _ families: inout Families) {
    for stream in status.outgoing {
      let peer = MetricLabel("peer", stream.peer)
      families.add(
        "novation_stream_sent_messages", .gauge, "Number of the last message to the peer.", Double(stream.number),
        label, peer)
      families.add(
        "novation_stream_lag_messages", .gauge, "Messages that the peer has not acknowledged as durable.",
        Double(stream.lag), label, peer)
    }
    for stream in status.incoming {
      families.add(
        "novation_stream_received_messages", .gauge, "Number of the last message taken from the peer.",
        Double(stream.number), label, MetricLabel("peer", stream.peer))
    }
  }

  private static func figures(_ status: HostStatus, _ label: MetricLabel, _ families: inout Families) {
    for (figure, value) in status.figures.sorted(by: { $0.key < $1.key }) {
      if let total = totals.first(where: { $0.figure == figure }) {
        families.add(total.name, .counter, total.help, Double(value), label)
      } else {
        families.add(
          "novation_figure", .gauge, "A figure of the machine itself, as novation status knows it.", Double(value),
          label, MetricLabel("figure", figure))
      }
    }
  }

  /// Families by name, in order of their first sample.
  private struct Families {
    private(set) var all: [MetricFamily] = []
    private var places: [String: Int] = [:]

    mutating func add(
      _ name: String, _ kind: MetricFamily.Kind, _ help: String, _ value: Double, _ labels: MetricLabel...
    ) {
      let place = places[name] ?? all.count
      if place == all.count {
        places[name] = place
        all.append(MetricFamily(name, kind, help: help))
      }
      all[place].samples.append(MetricFamily.Sample(labels, value))
    }
  }
}
