import Market

/// How far a journal may be truncated: the least of what anybody still needs.
public struct Retention: Sendable, Hashable {
  /// Something that still needs entries, and the last one that it can do without.
  public struct Need: Sendable, Hashable {
    public var name: String
    public var through: SequenceNumber
    public init(_ name: String, through: SequenceNumber) {
      self.name = name
      self.through = through
    }
  }

  /// Entry after which the older of the last two verified snapshots was taken; `nil` while there are not two.
  public var snapshot: SequenceNumber?
  /// For each machine that consumes this one's streams, and each standby: the last entry whose outputs it has made
  /// durable.
  public var consumers: [Need]
  /// For each verifier: the last entry that it has re-executed.
  public var verifiers: [Need]
  /// The seal of the last epoch that is final; `nil` before there is one.
  public var finality: SequenceNumber?
  /// The last entry that is older than auditors may ask for; `nil` keeps everything for them.
  public var auditors: SequenceNumber?

  public init(
    snapshot: SequenceNumber?, consumers: [Need], verifiers: [Need], finality: SequenceNumber?,
    auditors: SequenceNumber?
  ) {
    self.snapshot = snapshot
    self.consumers = consumers
    self.verifiers = verifiers
    self.finality = finality
    self.auditors = auditors
  }

  /// Who needs the earliest entries, and the last entry that may therefore go; zero when nothing may.
  public var bound: Need {
    let needs =
      [
        Need("snapshots", through: snapshot ?? SequenceNumber(0)),
        Need("finality", through: finality ?? SequenceNumber(0)),
        Need("auditors", through: auditors ?? SequenceNumber(0)),
      ] + consumers + verifiers
    return needs.min { $0.through < $1.through } ?? Need("snapshots", through: SequenceNumber(0))
  }

  /// The last entry that may go.
  public var lastRemovable: SequenceNumber { bound.through }
}
