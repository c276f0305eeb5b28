import Bytes
import Machine
import Market

@testable import Matching

/// What the shared tests ask of an engine; the fast and the naive one both give it.
protocol EngineUnderTest: ~Copyable {
  init(id: MachineID)
  mutating func apply(_ header: InputHeader, _ payload: UnsafeRawBufferPointer, into output: inout OutputBuffer)
  var nextDeadline: Timestamp { get }
  var epoch: Epoch { get }
  var streams: StreamNumbers { get }
  borrowing func stateHash() -> UInt64
}

extension ShardMachine: EngineUnderTest {}
extension NaiveEngine: EngineUnderTest {}

/// One input of a journal, apart from what the journal itself gives it: sequence, stream number, epoch.
struct RecordedInput {
  enum Numbering {
    /// The next message of the stream; the machine's own epoch.
    case next
    /// As it stands, right or wrong.
    case fixed(UInt64)
  }
  var kind: InputKind
  var stamp: Timestamp
  var payload: [UInt8] = []
  var source = MachineID.none
  var numbering = Numbering.next
  var count: UInt16 = 0
}

/// Gives an engine inputs and keeps the journal's numbers.
struct Journalist {
  private(set) var sequence: UInt64 = 0
  var term = Term(1)

  /// Applies the input and leaves what the engine said in `output`, which is cleared first.
  mutating func apply<Engine: EngineUnderTest & ~Copyable>(
    _ input: RecordedInput, to engine: inout Engine, into output: inout OutputBuffer
  ) {
    sequence += 1
    output.clear()
    var number: UInt64 = 0
    if input.kind == .stream {
      switch input.numbering {
      case .next: number = engine.streams.lastReceived(from: input.source) + 1
      case .fixed(let fixed): number = fixed
      }
    }
    let header = InputHeader(
      sequence: SequenceNumber(sequence), stamp: input.stamp, term: term, kind: input.kind, source: input.source,
      epoch: engine.epoch, firstNumber: number, count: input.count)
    if input.kind == .seal, case .next = input.numbering, input.payload.count >= 4 {
      // A seal begins with the epoch that it ends.
      var payload = input.payload
      for byte in 0..<4 { payload[byte] = UInt8(truncatingIfNeeded: engine.epoch.rawValue >> UInt32(8 * byte)) }
      payload.withUnsafeBytes { engine.apply(header, $0, into: &output) }
    } else {
      input.payload.withUnsafeBytes { engine.apply(header, $0, into: &output) }
    }
  }
}

/// Which engine a test runs on.
enum EngineKind: String, CaseIterable, Sendable {
  case fast
  case naive
}
