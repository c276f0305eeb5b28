import Dispatch
import Machine
import Market
import Synchronization

/// Verifying a journal's tail at its opening, when somebody waits for it.
extension JournalStore {
  /// Entries below which a second thread is not worth its start.
  private static let parallelEntries: UInt64 = 32_768

  /// Like `verify` to the journal's end, on two threads: what a batch's link is computed from is stored before it, and
  /// where an epoch begins, its tree is empty. So the second half begins at a seal, where the first half is to arrive.
  func verifyTail(from start: JournalPosition) throws(JournalError) -> JournalPosition {
    let end = try linkedEnd()
    guard end.rawValue >= start.sequence.rawValue + Self.parallelEntries,
      let middle = try sealBoundary(after: start.sequence, before: end)
    else { return try verify(from: start) }
    let halves = Mutex<[Result<JournalPosition, JournalError>?]>([nil, nil])
    DispatchQueue.concurrentPerform(iterations: 2) { half in
      let result: Result<JournalPosition, JournalError>
      do throws(JournalError) {
        if half == 0 {
          let count = Int(middle.sequence.rawValue - start.sequence.rawValue)
          result = .success(try verify(from: start, entries: count))
        } else {
          result = .success(try verify(from: middle))
        }
      } catch { result = .failure(error) }
      halves.withLock { $0[half] = result }
    }
    let results = halves.withLock { $0 }
    let reached = try results[0]!.get()
    // What the second half was begun from is what the first has computed.
    guard reached.sequence == middle.sequence, reached.chainHead == middle.chainHead else {
      throw .damaged(
        path: path, sequence: middle.sequence, reason: "its batch's link is not the one that its entries hash to")
    }
    return try results[1]!.get()
  }

  /// The end of a batch about half-way, after which a seal comes; `nil` if no seal is near.
  private func sealBoundary(
    after start: SequenceNumber, before end: SequenceNumber
  ) throws(JournalError) -> JournalPosition? {
    let transaction = try environment.beginReading()
    let middle = start.rawValue + (end.rawValue - start.rawValue) / 2
    let seal = try transaction.withCursor(over: entries) { cursor throws(JournalError) -> UInt64? in
      var record = try cursor.seek(middle)
      while let found = record, found.key > start.rawValue + Self.parallelEntries / 8 {
        let (header, _) = try entry(found)
        if header.kind == .seal { return found.key }
        record = try cursor.previous()
      }
      return nil
    }
    guard let seal, let link = try link(endingAt: SequenceNumber(seal - 1), transaction) else { return nil }
    var position = JournalPosition()
    position.sequence = SequenceNumber(seal - 1)
    position.chainHead = link
    return position
  }
}
