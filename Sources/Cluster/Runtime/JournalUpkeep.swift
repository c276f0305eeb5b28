import Dispatch
import Foundation
import Journal
import Logging
import Machine
import Market

/// What is done beside a machine's trading for its journal: snapshots, made by a shadow of the machine that replays the
/// journal, so that the machine itself never pauses; the check of each by replaying to it from the one before; the
/// truncation of what nobody needs any more; and the scrub of what opening the journal did not look at. It works at a low priority on a thread of its own, and writes in
/// small pieces between the batches.
final class JournalUpkeep<M: Machine & ~Copyable>: @unchecked Sendable {
  private let journal: JournalThread
  private let log: Logger
  private let work = DispatchSemaphore(value: 0)
  private let lock = NSLock()
  private var wanted: (through: SequenceNumber, done: @Sendable ((any Error)?) -> Void)?
  private var hasEnded = false
  /// Of the scrub; touched by the upkeep's thread.
  private var scrubbed: JournalPosition?
  private var hasScrubbed = false
  /// Of the truncation; touched by the upkeep's thread.
  private var policy: RetentionPolicy

  /// Bytes of a snapshot in one transaction: a batch behind it waits no longer than for so much.
  private static var pieceBytes: Int { 256 << 10 }
  /// Entries replayed or checked between two looks whether it is to end.
  private static var sliceEntries: Int { 4_096 }
  private static var lowPriority: Int32 { 10 }
  /// Entries that go in one transaction, and the rest between two: batches of the trading come between.
  private static var entriesPerTruncation: Int { 512 }
  private static var truncationRestMicroseconds: UInt32 { 2_000 }
  /// Between two looks whether something may go.
  private static var truncationSeconds: Int { 2 }

  init(_ journal: JournalThread, policy: RetentionPolicy, log: Logger) {
    self.journal = journal
    self.policy = policy
    self.log = log
    Thread.detachNewThread { [self] in
      // Of this thread alone.
      setpriority(Int32(PRIO_PROCESS.rawValue), 0, Self.lowPriority)
      run()
    }
  }

  /// Makes a snapshot of the machine at `sequence`, which is durable, or a little later; `done` is called on the
  /// upkeep's thread.
  func snapshot(through sequence: SequenceNumber, _ done: @escaping @Sendable ((any Error)?) -> Void) {
    lock.withLock { wanted = (sequence, done) }
    work.signal()
  }

  /// Ends the thread; what is half done is given up.
  func end() {
    lock.withLock { hasEnded = true }
    work.signal()
  }

  private var isEnding: Bool { lock.withLock { hasEnded } }

  private func run() {
    scrub()
    while true {
      let isWanted = work.wait(timeout: .now() + .seconds(Self.truncationSeconds)) == .success
      if isEnding { return }
      guard isWanted else {
        truncate()
        continue
      }
      guard let (sequence, done) = lock.withLock({ wanted }) else { continue }
      lock.withLock { wanted = nil }
      let replaced = journal.replaced
      do {
        try makeSnapshot(through: sequence)
        done(nil)
        try verifySnapshots()
      } catch is Ended {
        return
      } catch {
        // Of a journal that was replaced meanwhile nothing was to be kept.
        done(journal.replaced == replaced ? error : nil)
      }
      scrub()
    }
  }

  private struct Ended: Error {}
  /// The journal is another one than that which was read.
  private struct Replaced: Error {}

  private func makeSnapshot(through sequence: SequenceNumber) throws {
    let reader = journal.reader
    var shadow = try MachineReplay<M>(reader, from: reader.latestSnapshot())
    while shadow.position.sequence < sequence {
      if isEnding { throw Ended() }
      let left = Int(clamping: sequence.rawValue - shadow.position.sequence.rawValue)
      guard try shadow.step(entries: min(left, Self.sliceEntries)) > 0 else { return }
    }
    let snapshot = shadow.snapshot()
    try journal.sync { try $0.beginSnapshot(at: snapshot.position, version: snapshot.version) }
    var start = 0
    while start < snapshot.bytes.count {
      if isEnding { throw Ended() }
      let end = min(snapshot.bytes.count, start + Self.pieceBytes)
      try journal.sync { journal in
        guard journal.draftSequence == snapshot.position.sequence else { throw Replaced() }
        try journal.begin()
        try snapshot.bytes[start..<end].withUnsafeBytes { try journal.putSnapshotPart($0) }
        try journal.commit()
      }
      start = end
    }
    try journal.sync { journal in
      guard journal.draftSequence == snapshot.position.sequence else { throw Replaced() }
      try journal.begin()
      try journal.finishSnapshot()
      try journal.commit()
    }
  }

  private func verifySnapshots() throws {
    while var verification = try SnapshotVerification<M>(journal.reader) {
      let sequence = verification.sequence
      var outcome = SnapshotVerification<M>.Outcome.unfinished
      while outcome == .unfinished {
        if isEnding { throw Ended() }
        outcome = try verification.step(entries: Self.sliceEntries)
      }
      if case .refused(let reason) = outcome {
        log.critical("snapshot refused", metadata: ["after": "\(sequence)", "reason": "\(reason)"])
      }
      let isVerified = outcome == .verified
      try journal.sync { journal in
        try journal.begin()
        if isVerified { try journal.markSnapshotVerified(sequence) } else { try journal.discardSnapshot(sequence) }
        try journal.commit()
      }
    }
  }

  /// Takes off the journal's beginning what nobody needs any more.
  private func truncate() {
    do {
      guard let copies = journal.needsOfCopies else { return }
      let retention = try policy.retention(of: journal.reader, copies: copies, now: MachineClock.wall())
      // A journal begins after a snapshot, so that all that is left can be executed.
      let places = try journal.reader.snapshots().filter { $0.isVerified && $0.sequence <= retention.lastRemovable }
      let first = try journal.reader.base().sequence
      guard let last = places.last?.sequence, last > first else { return }
      var base = first
      while base < last, !isEnding, !lock.withLock({ wanted != nil }) {
        var reached = base
        try journal.sync { journal in
          try journal.begin()
          reached = try journal.truncate(through: last, atMost: Self.entriesPerTruncation)
          try journal.commit()
        }
        guard reached > base else { break }
        base = reached
        usleep(Self.truncationRestMicroseconds)
      }
      guard base > first else { return }
      log.info(
        "journal truncated",
        metadata: [
          "through": "\(base)", "needed after": "\(retention.lastRemovable)", "by": "\(retention.bound.name)",
        ])
    } catch {
      log.error("cannot truncate the journal", metadata: ["reason": "\(error)"])
    }
  }

  /// Once through the journal as it was opened; what came later was checked when it was written.
  private func scrub() {
    guard !hasScrubbed, var scrub = try? JournalScrub(journal.reader, from: scrubbed) else { return }
    while !isEnding, !lock.withLock({ wanted != nil }) {
      switch scrub.step(entries: Self.sliceEntries) {
      case .clean: scrubbed = scrub.position
      case .finished:
        hasScrubbed = true
        return
      case .damaged(let error):
        hasScrubbed = true
        return log.critical("journal damaged", metadata: ["reason": "\(error)"])
      }
    }
  }
}
