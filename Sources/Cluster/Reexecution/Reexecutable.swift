import Bytes
import Cryptography
import Journal
import Machine
import Market
import Wire

/// Why a journal is not what an honest machine would have written: where, and which rule.
public struct ReexecutionBreach: Error, Sendable, Hashable, CustomStringConvertible {
  public enum Rule: String, Sendable, Codable, CaseIterable {
    /// The journal itself is damaged, or its chain does not hold.
    case journal
    /// The genesis is not the market's.
    case genesis
    /// A seal says other than the journal before it.
    case seal
    /// An action is not signed by whom it says.
    case signature
    /// A stream input is not its source's output.
    case stream
    /// A stamp fell, or a term did.
    case order
    /// An input was kept from the machine without the operator's word.
    case quarantine
  }
  public var machine: MachineID
  public var sequence: SequenceNumber
  public var rule: Rule
  public var detail: String
  public init(machine: MachineID, sequence: SequenceNumber, rule: Rule, detail: String) {
    self.machine = machine
    self.sequence = sequence
    self.rule = rule
    self.detail = detail
  }
  public var description: String { "\(machine), entry \(sequence): \(rule.rawValue): \(detail)" }
}

/// A machine that is executed again from its journal alone, whatever its type.
public protocol Reexecutable: AnyObject {
  var id: MachineID { get }
  /// Where its journals lie.
  var copies: JournalCopies { get }
  /// The epoch that the re-executed machine is in.
  var epoch: Epoch { get }
  var lastSequence: SequenceNumber { get }
  /// The first entry that was re-executed, by this process or by those whose saved state it goes on from: later than 1
  /// where the journal had been truncated by then, and a snapshot of it was the beginning.
  var firstSequence: SequenceNumber { get }
  /// The first epoch of which all was re-executed.
  var firstEpoch: Epoch { get }
  /// Number of the last message that had been consumed from `source` where the re-execution began.
  func startNumber(from source: MachineID) -> UInt64
  /// Entries re-executed so far.
  var entries: UInt64 { get }
  var stateHash: UInt64 { get }
  /// Effects that the machine asked for and nobody has taken yet: code and payload.
  var effects: [(code: UInt32, payload: [UInt8])] { get set }
  /// Numbers consumed from each source when the machine sealed `epoch`; what is known of it and of those before is
  /// forgotten.
  func takeConsumed(atSealOf epoch: Epoch) -> [MachineID: UInt64]

  /// Appends where it stands: the machine, its place in the journal, and what was not yet compared with other machines.
  func write(to writer: inout ByteWriter)
  /// Goes on from where another replica of the machine has stood.
  func restore(from reader: inout ByteReader) throws

  /// Opens the journal, and begins after a snapshot where it does not hold its first entries. `advance` does it, too.
  func open() throws
  /// Re-executes whole commit batches until the machine is past `epoch`, or, without one, to the journal's end.
  /// - Returns: true when it is past `epoch` (or at the end).
  func advance(past epoch: Epoch?) throws -> Bool
  /// Re-executes at most one commit batch; false at the journal's end.
  func advanceOneBatch() throws -> Bool
  /// Holds what this machine consumed from `source` against what that one sent.
  func reconcile(with source: any Reexecutable) throws
  /// Number up to which the stream from `source` was found equal.
  func reconciled(from source: MachineID) -> UInt64
  /// For `reconcile`: gives the messages sent to `consumer` to be compared.
  func withSent(to consumer: MachineID, _ body: (inout SentMessages) -> Void)
}

/// The messages that a machine sent on one stream and that were not compared yet.
public struct SentMessages {
  var log: MessageLog
}

/// Looks at every entry and everything the machine said to it, while it is re-executed.
public protocol ReexecutionObserver: AnyObject {
  func observe(_ machine: MachineID, _ header: InputHeader, _ payload: UnsafeRawBufferPointer)
  func observe(_ machine: MachineID, _ header: InputHeader, _ record: OutputBuffer.Record)
}
