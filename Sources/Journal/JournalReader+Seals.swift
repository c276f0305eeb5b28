import Bytes
import Machine
import Market

/// Where epochs end.
extension JournalReader {
  /// The last seal, and the entry that it is; `nil` before the first.
  public func lastSeal() throws(JournalError) -> (sequence: SequenceNumber, seal: Seal)? {
    try lastSeal { _ in true }
  }

  /// The entry that seals `epoch`; `nil` if there is none, or it was truncated.
  public func seal(of epoch: Epoch) throws(JournalError) -> SequenceNumber? {
    let found = try lastSeal { $0.epoch <= epoch }
    return found?.seal.epoch == epoch ? found?.sequence : nil
  }

  /// The last seal that `isSought`, looked for from the journal's end backwards.
  private func lastSeal(
    where isSought: (Seal) -> Bool
  ) throws(JournalError) -> (sequence: SequenceNumber, seal: Seal)? {
    let transaction = try store.environment.beginReading()
    return try transaction.withCursor(over: store.entries) { cursor throws(JournalError) in
      var record = try cursor.last()
      while let found = record {
        let (header, payload) = try store.entry(found)
        if header.kind == .seal, let seal = try? Seal(decoding: payload), isSought(seal) {
          return (header.sequence, seal)
        }
        record = try cursor.previous()
      }
      return nil
    }
  }
}
