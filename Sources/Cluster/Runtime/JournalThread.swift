import Dispatch
import Journal
import Market

#if NOVATION_PLANT
  import Glibc
  import Synchronization
#endif

/// Writes batches and snapshots to a journal, one after another, on a thread that may wait for the disk.
///
/// A transaction of LMDB belongs to the thread that began it: each is begun and ended within one job of a serial queue.
final class JournalThread: @unchecked Sendable {
  /// Read from any thread: readers have transactions of their own.
  let journal: Journal
  private let queue: DispatchQueue
  /// Touched on the queue only.
  private var hasFailed = false

  init(_ journal: Journal) {
    self.journal = journal
    queue = DispatchQueue(label: "journal-\(journal.machine)", qos: .userInitiated)
  }

  /// Makes the batch durable, then calls `done` on the journal's thread.
  func write(_ batch: CommitBatch, _ done: @escaping @Sendable ((any Error)?) -> Void) {
    perform(done) { journal in
      #if NOVATION_PLANT
        // Long enough that under load a kill nearly always falls between the answer and the commit.
        if HostFaults.acknowledgesBeforeSync.load(ordering: .relaxed), batch.hadOrigins { usleep(150_000) }
      #endif
      try journal.write(batch)
    }
  }

  /// Keeps a snapshot of the machine as of the last batch.
  func keep(snapshot: [UInt8], version: UInt16, _ done: @escaping @Sendable ((any Error)?) -> Void) {
    perform(done) { journal in try snapshot.withUnsafeBytes { try journal.keep(snapshot: $0, version: version) } }
  }

  /// Removes the end of the journal, which must then be opened anew.
  func cut(after sequence: SequenceNumber) throws { try queue.sync { try journal.cutAndMark(after: sequence) } }

  private func perform(
    _ done: @escaping @Sendable ((any Error)?) -> Void, _ body: @escaping @Sendable (Journal) throws -> Void
  ) {
    queue.async {
      // What was queued behind a failure is as good as never received.
      guard !self.hasFailed else { return }
      do {
        try body(self.journal)
        done(nil)
      } catch {
        self.hasFailed = true
        done(error)
      }
    }
  }
}
