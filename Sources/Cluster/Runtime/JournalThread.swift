import Dispatch
import Journal
import Market
import Synchronization
import Metrics

#if NOVATION_PLANT
  import Glibc
#endif

/// Writes batches and snapshots to a journal, one after another, on a thread that may wait for the disk.
///
/// A transaction of LMDB belongs to the thread that began it: each is begun and ended within one job of a serial queue.
final class JournalThread: @unchecked Sendable {
  /// Read from any thread: readers have transactions of their own.
  let journal: Journal
  private let queue: DispatchQueue
  private let meters: MachineMeters
  /// Touched on the queue only.
  private var hasFailed = false
  private let lastRoom = Mutex(JournalRoom.ample)
  private let replacements = Atomic<Int>(0)
  private let copies = Mutex<[Retention.Need]?>(nil)

  init(_ journal: Journal) {
    self.journal = journal
    queue = DispatchQueue(label: "journal-\(journal.machine)", qos: .userInitiated)
    meters = MachineMeters(.process, machine: "\(journal.machine)")
  }

  /// Makes the batch durable, then calls `done` on the journal's thread.
  func write(_ batch: CommitBatch, _ done: @escaping @Sendable ((any Error)?) -> Void) {
    let handed = MachineClock.monotonic()
    perform(done) { [meters] journal in
      #if NOVATION_PLANT
        // Long enough that under load a kill nearly always falls between the answer and the commit.
        if HostFaults.acknowledgesBeforeSync.load(ordering: .relaxed), batch.hadOrigins { usleep(150_000) }
      #endif
      try journal.write(batch)
      meters.committed(inputs: batch.count, nanoseconds: MachineClock.monotonic() - handed)
    }
  }

  /// Keeps a snapshot of the machine as of the last batch.
  func keep(snapshot: [UInt8], version: UInt16, _ done: @escaping @Sendable ((any Error)?) -> Void) {
    perform(done) { [meters] journal in
      try snapshot.withUnsafeBytes { try journal.keep(snapshot: $0, version: version) }
      meters.keptSnapshot(at: MachineClock.wall().nanoseconds / 1_000_000_000)
    }
  }

  /// Puts another copy's snapshot in the place of all that the journal holds.
  func adopt(_ snapshot: JournalSnapshot, outbox: [OwedChunk], _ done: @escaping @Sendable ((any Error)?) -> Void) {
    perform(done) { [self] journal in
      // Before it is: whoever reads the journal meanwhile may find neither the old one nor the new.
      replacements.wrappingAdd(1, ordering: .sequentiallyConsistent)
      try journal.adopt(snapshot, outbox: outbox, isVerified: true)
    }
  }

  /// How often all of the journal was replaced: who reads it beside its owner must begin anew then.
  var replaced: Int { replacements.load(ordering: .sequentiallyConsistent) }

  /// What other copies of the machine will still ask for; `nil` until the owner has said.
  var needsOfCopies: [Retention.Need]? { copies.withLock { $0 } }
  func note(needsOfCopies needs: [Retention.Need]) { copies.withLock { $0 = needs } }

  /// Removes the end of the journal, which must then be opened anew.
  func cut(after sequence: SequenceNumber) throws { try queue.sync { try journal.cutAndMark(after: sequence) } }

  /// A view for other threads.
  var reader: JournalReader { journal.reader() }

  /// Does something with the journal between two batches, and waits for it. Not to be called on its own thread.
  func sync(_ body: (Journal) throws -> Void) throws {
    try queue.sync {
      guard !hasFailed else { return }
      do { try body(journal) } catch {
        if journal.isInBatch { journal.abort() }
        throw error
      }
    }
  }

  /// How much room there is, as of the last batch or look.
  var room: JournalRoom { lastRoom.withLock { $0 } }

  /// Looks how much room there is.
  func measureRoom() {
    queue.async { [self] in
      let room = journal.room
      lastRoom.withLock { $0 = room }
    }
  }

  private func perform(
    _ done: @escaping @Sendable ((any Error)?) -> Void, _ body: @escaping @Sendable (Journal) throws -> Void
  ) {
    queue.async {
      // What was queued behind a failure is as good as never received.
      guard !self.hasFailed else { return }
      do {
        try body(self.journal)
        let room = self.journal.room
        self.lastRoom.withLock { $0 = room }
        done(nil)
      } catch {
        self.hasFailed = true
        done(error)
      }
    }
  }
}
