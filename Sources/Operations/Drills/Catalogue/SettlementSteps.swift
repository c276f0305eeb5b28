import Bytes
import Cluster
import Foundation
import Journal
import Machine
import Market
import Settlement
import SettlementNode

/// The coordinator is killed between each pair of its steps.
struct SettlementSteps: Drill {
  let name = "settlement-steps"
  let what =
    "the coordinator is killed between each pair of its steps, as its journal and the ledger prove: each epoch is "
    + "resumed, posted once, with the same root"

  /// What an epoch has behind it when the kill falls.
  enum Step: String, CaseIterable {
    /// Sealed; no commitment is there.
    case opened
    /// Some commitments are there.
    case collecting
    /// All are, and the verifiers are asked.
    case attesting
    /// A quorum agrees; the settlement layer does not hold the post.
    case attested
    /// The settlement layer holds it; the coordinator has not written that down.
    case posted
    /// Final; the next epoch is open.
    case final
  }

  private static let mostTries = 60
  private static let watchSeconds = 5.0
  /// How long after a sign of a step the kill may fall.
  private static let mostMicroseconds = 1_500

  func run(in stage: DrillStage) throws {
    guard let own = stage.cluster.own else { return }
    stage.healLater("letting settlement start") { own.supervisor.hold("settlement", false) }
    for step in Step.allCases {
      var hits: Int64 = 0
      var tries: Int64 = 0
      var fault = try stage.begin("the coordinator is killed: \(step.rawValue)") {
        while hits == 0 {
          tries += 1
          guard tries <= Self.mostTries else {
            throw SupervisionError(what: step.rawValue, reason: "no kill of \(Self.mostTries) fell into this step")
          }
          let microseconds = UInt32(stage.random.below(Self.mostMicroseconds))
          if try kill(stage, own, at: step, after: microseconds) == step { hits += 1 }
        }
      }
      try stage.end(&fault) {}
      stage.prove(fault, ["journal_ends_in_this_step": hits, "kills": tries])
      try stage.recover(fault)
    }
  }

  /// Kills it as soon as its journal shows the step, and a moment later.
  /// - Returns: the step that the journal and the ledger show it to have been in.
  private func kill(
    _ stage: DrillStage, _ own: LocalCluster, at step: Step, after microseconds: UInt32
  ) throws -> Step {
    guard let process = stage.cluster.process(of: "settlement") else {
      throw SupervisionError(what: "settlement", reason: "it is not running")
    }
    let follower = try CoordinatorFollower(stage.cluster.map)
    let start = try follower.epoch()
    let end = MachineClock.monotonic() + Int64(Self.watchSeconds * 1e9)
    // Closely: some steps last less than a millisecond. Only an epoch that begins meanwhile is of interest.
    while MachineClock.monotonic() < end {
      let found = try follower.step()
      guard found.epoch > start else { continue }
      if found.step == step { break }
      // The ledger's file changes when the post is being written: a shorter way to know than its journal.
      if step == .posted, found.step == .attesting || found.step == .attested {
        follower.waitForLedger(until: end)
        usleep(microseconds)
        break
      }
    }
    own.supervisor.hold("settlement")
    Glibc.kill(process, SIGKILL)
    try stage.wait("settlement does not end", seconds: 10) { stage.cluster.process(of: "settlement") == nil }
    let (_, reached) = try follower.step()
    let isPosted = try reached == .attested && follower.ledgerHoldsOldest()
    own.supervisor.hold("settlement", false)
    try stage.wait("settlement does not come back", seconds: 30) {
      stage.cluster.status(of: .settlement, seconds: 0.1).map { $0.processIdentifier != process } ?? false
    }
    return isPosted ? .posted : reached
  }
}

/// Re-executes the coordinator's journal as it grows.
private final class CoordinatorFollower {
  private let reader: JournalReader
  private let ledgerDirectory: String
  private var machine: SettlementMachine
  private var next = SequenceNumber(1)
  private var output = OutputBuffer()
  /// Machines that commit.
  private var committing = 0

  init(_ map: ClusterMap) throws {
    reader = try JournalReader(directory: map.journalDirectory(of: .settlement), machine: .settlement)
    ledgerDirectory = map.ledgerDirectory
    machine = SettlementMachine(id: .settlement)
  }

  private func follow() throws {
    try reader.forEachEntry(from: next) { header, payload in
      if header.kind == .genesis {
        committing = (try? MarketDefinition(decoding: payload))?.committingMachines.count ?? 0
      }
      machine.apply(header, payload, into: &output)
      output.clear()
      next = header.sequence.next
      return true
    }
  }

  /// The open epoch.
  func epoch() throws -> UInt32 {
    try follow()
    return machine.status.epoch.rawValue
  }

  /// Where the oldest unfinished epoch is, and which epoch is open.
  func step() throws -> (epoch: UInt32, step: SettlementSteps.Step) {
    try follow()
    let status = machine.status
    guard let oldest = status.unfinished.first else { return (status.epoch.rawValue, .final) }
    let step: SettlementSteps.Step =
      switch oldest.phase {
      case .collecting(let missing):
        missing.count == committing ? .opened : .collecting
      case .waiting: .collecting
      case .attesting: .attesting
      case .posting: .attested
      case .posted: .posted
      }
    return (status.epoch.rawValue, step)
  }

  /// Spins until the ledger's file is written to.
  func waitForLedger(until end: Int64) {
    let before = ledgerTime
    while MachineClock.monotonic() < end, ledgerTime == before {}
  }

  private var ledgerTime: Int64 {
    var status = stat()
    guard stat("\(ledgerDirectory)/data.mdb", &status) == 0 else { return 0 }
    return Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
  }

  /// Whether the settlement layer holds the oldest unfinished epoch, read while nobody writes there.
  func ledgerHoldsOldest() throws -> Bool {
    guard let oldest = machine.status.unfinished.first?.epoch else { return false }
    var isHeld = false
    try LedgerReader(directory: ledgerDirectory).forEachTransaction { transaction in
      if case .post(let post) = transaction, post.header.epoch == oldest { isHeld = true }
    }
    return isHeld
  }
}
