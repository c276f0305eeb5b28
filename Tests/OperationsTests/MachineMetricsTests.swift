import Market
import Metrics
import Testing

@testable import Cluster
@testable import Operations

@Suite struct MachineMetricsTests {
  private func text(_ edit: (inout HostStatus) -> Void = { _ in }) -> String {
    var status = HostStatus.edge(
      MachineID(.shard, 3), node: "matcher-0", inputs: 1_000, figures: ["fills": 7, "open": 12])
    status.journalBytes = 300
    status.journalCapacity = 1_000
    (status.commits, status.sequence, status.term, status.epoch) = (40, 900, 2, 5)
    status.outgoing = [HostStatus.Stream(peer: "risk", number: 90, lag: 4)]
    status.incoming = [HostStatus.Stream(peer: "marks", number: 50, lag: 0)]
    status.inSync = ["matcher-1"]
    status.followers = [HostStatus.Stream(peer: "matcher-1", number: 897, lag: 3)]
    edit(&status)
    return MetricText.write(MachineMetrics.families(of: ["shard-3", "shard-4"], statuses: ["shard-3": status]))
  }

  @Test func aMachinesStatusIsToldInFull() {
    let lines = Set(text().split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init))
    #expect(
      lines == [
        "novation_up{machine=\"shard-3\"} 1", "novation_up{machine=\"shard-4\"} 0",
        "novation_inputs_total{machine=\"shard-3\"} 1000", "novation_commits_total{machine=\"shard-3\"} 40",
        "novation_fills_total{machine=\"shard-3\"} 7", "novation_epoch{machine=\"shard-3\"} 5",
        "novation_term{machine=\"shard-3\"} 2", "novation_journal_sequence{machine=\"shard-3\"} 900",
        "novation_journal_used_bytes{machine=\"shard-3\"} 300",
        "novation_journal_capacity_bytes{machine=\"shard-3\"} 1000",
        "novation_journal_room_bytes{machine=\"shard-3\"} 700",
        "novation_stream_sent_messages{machine=\"shard-3\",peer=\"risk\"} 90",
        "novation_stream_lag_messages{machine=\"shard-3\",peer=\"risk\"} 4",
        "novation_stream_received_messages{machine=\"shard-3\",peer=\"marks\"} 50",
        "novation_owner{machine=\"shard-3\"} 1", "novation_standbys_in_sync{machine=\"shard-3\"} 1",
        "novation_standby_lag_entries{machine=\"shard-3\",standby=\"matcher-1\"} 3",
        "novation_figure{machine=\"shard-3\",figure=\"open\"} 12",
      ])
  }

  @Test func aCopySaysThatItFollows() {
    #expect(text { $0.role = "standby" }.contains("novation_owner{machine=\"shard-3\"} 0\n"))
  }

  @Test func whatHasNoJournalTellsOfNone() {
    #expect(!text { $0.journalCapacity = 0 }.contains("novation_journal"))
  }
}
