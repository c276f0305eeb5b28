import Bytes
import Market

/// A deterministic state machine over one journal of inputs.
///
/// It takes an input, changes its state, emits outputs. It has no clock, no randomness, no I/O and no floating point:
/// the
/// same inputs give the same outputs and the same state hash on any machine, which is what recovery, replication,
/// verification and simulation rest upon. The runtime stamps time onto inputs and lets an output out only when the
/// input
/// that caused it is durable.
///
/// A machine never traps on any input: what it cannot accept it refuses, deterministically.
public protocol Machine: ~Copyable, SendableMetatype {
  /// Layout version of `writeSnapshot`; a snapshot of another version is refused.
  static var snapshotVersion: UInt16 { get }

  /// The machine before its genesis input, which brings the market's definition.
  init(id: MachineID)
  /// The machine as `writeSnapshot` described it; on malformed bytes the reader is left failed.
  init(id: MachineID, snapshot: inout ByteReader)

  /// Applies one input. Timers due at or before the header's stamp fire first, in (deadline, id) order.
  mutating func apply(_ header: InputHeader, _ payload: UnsafeRawBufferPointer, into output: inout OutputBuffer)

  /// When the machine next wants a `tick`, or `.never`. Never earlier than the last stamp it has seen, once that
  /// stamp's
  /// timers have fired.
  var nextDeadline: Timestamp { get }
  /// True when the runtime must journal a `seal` next, though no peer is in a later epoch: only the coordinator opens
  /// one.
  var wantsSeal: Bool { get }
  /// The epoch it is in; it grows by one with every seal.
  var epoch: Epoch { get }
  /// What it has sent and consumed, by stream.
  var streams: StreamNumbers { get }

  /// The market as it knows it by now, with what was listed since; `nil` before the genesis input, and for a machine
  /// that keeps none.
  var knownMarket: MarketDefinition? { get }

  /// Emits again the effects that are still owed to an edge, after a restart.
  mutating func resume(into output: inout OutputBuffer)
  /// Appends the whole state.
  borrowing func writeSnapshot(to writer: inout ByteWriter)
  /// Feeds the canonical fields of the state: never memory addresses, slot numbers or free-list order.
  borrowing func hash(into hasher: inout StateHasher)
}

extension Machine where Self: ~Copyable {
  /// 64-bit hash of the canonical state.
  public borrowing func stateHash() -> UInt64 {
    var hasher = StateHasher()
    hash(into: &hasher)
    return hasher.value
  }
  public mutating func resume(into output: inout OutputBuffer) {}
  public var wantsSeal: Bool { false }
  public var knownMarket: MarketDefinition? { nil }
}
