import Journal
import Machine
import Market

/// What a journal is kept for, beyond what its machine, its consumers and its other copies need.
public struct JournalRetention: Sendable, Hashable {
  /// For auditors: the last so many entries stay,
  public var entries: UInt64 = 10_000_000
  /// and those of the last so many nanoseconds.
  public var nanoseconds: Int64 = 168 * 3_600_000_000_000
  public init() {}
}

/// Finds how far a journal may be truncated, by what everybody has for good.
struct RetentionPolicy {
  let auditors: JournalRetention
  /// Of every verifier of the cluster: its name, and where it tells how far it has come.
  let verifiers: [(name: String, directory: String)]
  /// Seals found before, by epoch: the way to one is long.
  private var seals: [Epoch: SequenceNumber] = [:]

  init(auditors: JournalRetention, verifiers: [(name: String, directory: String)]) {
    self.auditors = auditors
    self.verifiers = verifiers
  }

  /// - Parameters:
  ///   - copies: what the machine's other copies will still ask for.
  ///   - now: by the wall clock.
  mutating func retention(
    of reader: JournalReader, copies: [Retention.Need], now: Timestamp
  ) throws -> Retention {
    let verified = try reader.snapshots().filter(\.isVerified)
    let progress = verifiers.map { VerifierProgress.load(directory: $0.directory) }
    let machine = reader.machine.description
    var needs: [Retention.Need] = []
    for (verifier, progress) in zip(verifiers, progress) {
      needs.append(Retention.Need(verifier.name, through: SequenceNumber(progress?.sequences[machine] ?? 0)))
    }
    let finalEpoch = progress.map { Epoch($0?.finalEpoch ?? 0) }.min()
    return Retention(
      snapshot: verified.count >= 2 ? verified[verified.count - 2].sequence : nil,
      consumers: try consumers(reader) + copies, verifiers: needs,
      finality: try finalEpoch.flatMap { try seal(of: $0, reader) }, auditors: try kept(reader, now))
  }

  /// What a consumer has not acknowledged was sent in an epoch, of which all is kept.
  private mutating func consumers(_ reader: JournalReader) throws -> [Retention.Need] {
    try reader.firstOwed().map { destination, epoch in
      let seal = epoch.rawValue > 1 ? try seal(of: Epoch(epoch.rawValue - 1), reader) : nil
      return Retention.Need("\(destination)", through: SequenceNumber((seal?.rawValue ?? 1) - 1))
    }
  }

  private mutating func seal(of epoch: Epoch, _ reader: JournalReader) throws -> SequenceNumber? {
    guard epoch.rawValue > 0 else { return nil }
    if let known = seals[epoch] { return known }
    guard let found = try reader.seal(of: epoch) else { return nil }
    if seals.count >= 16 { seals.removeAll() }
    seals[epoch] = found
    return found
  }

  private func kept(_ reader: JournalReader, _ now: Timestamp) throws -> SequenceNumber {
    let last = try reader.lastSequence().rawValue
    let byCount = last - min(last, auditors.entries)
    let byAge = try reader.lastSequence(before: Timestamp(nanoseconds: now.nanoseconds - auditors.nanoseconds))
    return SequenceNumber(min(byCount, byAge.rawValue))
  }
}
