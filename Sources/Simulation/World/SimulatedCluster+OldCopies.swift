import Journal
import Machine
import Market

/// A copy of a journal that was made some time ago, and what becomes of it when it is taken for the newest.
struct JournalBackup {
  var journal: SimulatedJournal
  /// What the machine had sent when it was made, durable or not.
  var sent: StreamNumbers
}

/// An old copy of a journal is put in place of the new one: whoever opens it must notice, and serve nobody.
extension SimulatedCluster {
  /// Copies a host's journal; `nil` where no process writes one.
  func backUp(_ host: Int) -> JournalBackup? {
    guard let journal = hosts[host].journal, let writer = hosts[host].process as? any JournalWriter else { return nil }
    return JournalBackup(journal: SimulatedJournal(copying: journal), sent: writer.streams)
  }

  /// Kills the process of a host and starts another one on an old copy.
  /// - Returns: false where nobody could notice, since no consumer has heard anything that the copy lacks.
  func putBack(_ backup: JournalBackup, on host: Int, downFor downtime: Int64) -> Bool {
    let machine = hosts[host].machine
    guard backup.journal.machine == machine, let journal = hosts[host].journal, hosts[host].displaced == nil,
      journal.rot.isEmpty, hosts[host].zombies.isEmpty, hosts[host].process != nil,
      backup.journal.position.sequence < journal.position.sequence,
      backup.sent.sent.contains(where: { heard(by: $0.peer, from: machine) > $0.number })
    else { return false }
    kill(host)
    hosts[host].displaced = journal
    hosts[host].journal = backup.journal
    restart(host, after: downtime)
    return true
  }

  /// What a machine's owner has in its journal of another's stream.
  private func heard(by consumer: MachineID, from machine: MachineID) -> UInt64 {
    copies(of: consumer).compactMap { hosts[$0].process as? any JournalWriter }.filter { $0.isOwner && $0.isRunning }
      .map { $0.streams.lastReceived(from: machine) }.max() ?? 0
  }

  /// A process has refused an old copy: its operator puts the newest one back.
  func noticeOldCopy(_ host: Int, _ reason: String) {
    guard hosts[host].displaced != nil, reason.contains("is an old copy") else { return }
    oldCopiesNoticed += 1
    putNewestJournalBack(host)
  }

  /// Puts the journal back that an old copy displaced, unless that one has caught up with it from another copy.
  func putNewestJournalBack(_ host: Int) {
    guard let newest = hosts[host].displaced, let journal = hosts[host].journal else { return }
    hosts[host].displaced = nil
    guard journal.position.sequence < newest.position.sequence else { return }
    tell("\(hosts[host].name): its newest journal is put back")
    kill(host)
    hosts[host].journal = newest
    restart(host, after: 50_000_000)
  }
}
