import Bytes
import Market

/// The supervisor's word, signed by the operator, that one input is kept from one machine, because its process died
/// again and again while the machine applied it. 132 bytes little-endian:
///
/// ```
///  0 machine u32 │ 4 kind u8 │ 5 recovery id u8 │ 6 zero [2] │ 8 source u32 │ 12 deaths u32 │ 16 first number u64
/// 24 decided i64 │ 32 digest [32] │ 64 r [32] │ 96 s [32] │ 128 zero [4]
/// ```
///
/// It names the input by what stays the same however often it is sent again: a stream's message by its source and
/// number, anything by its bytes.
public struct Quarantine: ByteCodable, Sendable, Hashable {
  public static let byteCount = 132

  /// Whose input it is.
  public var machine: MachineID
  /// `action`, `stream`, `marks`, `sessionEnd`, `attestation` or `settlementEvent`: what comes from outside.
  public var kind: InputKind
  /// Of a stream: the sender and the message's number.
  public var source: MachineID
  public var firstNumber: UInt64
  /// SHA-256 of the payload; of an action without the session that its gateway has put in.
  public var digest: Digest
  /// How often a process had died of it.
  public var deaths: UInt32
  /// When the supervisor decided, by its wall clock.
  public var decided: Timestamp
  /// Of `MarketParameters.operatorAddress`.
  public var signature: RecoverableSignature

  public init(
    machine: MachineID, kind: InputKind, source: MachineID = .none, firstNumber: UInt64 = 0, digest: Digest,
    deaths: UInt32, decided: Timestamp, signature: RecoverableSignature
  ) {
    self.machine = machine
    self.kind = kind
    self.source = source
    self.firstNumber = firstNumber
    self.digest = digest
    self.deaths = deaths
    self.decided = decided
    self.signature = signature
  }

  /// Whether inputs of a kind can be kept from a machine. What the runtime itself makes cannot: a tick or a seal that
  /// is left out comes again.
  public static func isPossible(for kind: InputKind) -> Bool {
    switch kind {
    case .action, .stream, .marks, .sessionEnd, .attestation, .settlementEvent: true
    case .genesis, .tick, .seal, .continuation, .handOver, .quarantined: false
    }
  }

  public func write(to writer: inout ByteWriter) {
    machine.write(to: &writer)
    writer.u8(kind.rawValue)
    writer.u8(signature.recoveryID)
    writer.u16(0)
    source.write(to: &writer)
    writer.u32(deaths)
    writer.u64(firstNumber)
    decided.write(to: &writer)
    digest.write(to: &writer)
    signature.r.write(to: &writer)
    signature.s.write(to: &writer)
    writer.u32(0)
  }

  public init(from reader: inout ByteReader) {
    machine = MachineID(from: &reader)
    let rawKind = reader.u8()
    kind = InputKind(rawValue: rawKind) ?? .quarantined
    let recoveryID = reader.u8()
    let zero = reader.u16()
    source = MachineID(from: &reader)
    deaths = reader.u32()
    firstNumber = reader.u64()
    decided = Timestamp(from: &reader)
    digest = Digest(from: &reader)
    signature = RecoverableSignature(r: Digest(from: &reader), s: Digest(from: &reader), recoveryID: recoveryID)
    if zero != 0 || reader.u32() != 0 || recoveryID > 1 || !Self.isPossible(for: kind) { reader.fail() }
  }
}

/// The payload of a `quarantined` entry: the quarantine, and the input's own payload after it. Its header's source,
/// epoch, first number and count are those that the input would have had.
public struct QuarantinedInput {
  public let quarantine: Quarantine
  /// What the machine does not see. Borrowed.
  public let payload: UnsafeRawBufferPointer

  /// `nil` for bytes that are no quarantined input.
  public init?(_ bytes: UnsafeRawBufferPointer) {
    var reader = ByteReader(bytes)
    quarantine = Quarantine(from: &reader)
    if reader.hasFailed { return nil }
    payload = reader.bytes(reader.remaining)
  }

  /// The entry's payload.
  public static func payload(_ quarantine: Quarantine, _ input: UnsafeRawBufferPointer) -> [UInt8] {
    var writer = ByteWriter(capacity: Quarantine.byteCount + input.count)
    quarantine.write(to: &writer)
    writer.bytes(input)
    return writer.array
  }
}
