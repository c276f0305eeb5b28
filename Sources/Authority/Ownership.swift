import Bytes
import Market

/// Who owns a machine: what the authority holds about it, and what a process must have read before it may make an input
/// durable.
public struct Ownership: ByteCodable, Sendable, Hashable {
  public var machine: MachineID
  /// The reign of `owner`; it grows with every change of owner.
  public var term: Term
  /// The owner's node; empty while nobody owns the machine.
  public var owner: String
  /// Nodes of the standbys whose acknowledgement is the fence, in order; none while the owner serves alone.
  public var inSync: [String] { didSet { inSync = Self.canonical(inSync) } }
  /// When it was written, on the authority's own count; 0 for a record that never was. Only the authority sets it.
  public var revision: UInt64

  /// Most standbys of a machine.
  public static let standbyLimit = 16
  /// Longest name of a node, in bytes.
  public static let nameLimit = 64

  public init(machine: MachineID, term: Term, owner: String, inSync: [String] = [], revision: UInt64 = 0) {
    self.machine = machine
    self.term = term
    self.owner = owner
    self.inSync = Self.canonical(inSync)
    self.revision = revision
  }

  private static func canonical(_ nodes: [String]) -> [String] { Set(nodes).sorted() }

  /// Says the same, whenever it was written.
  public func saysTheSame(as other: Ownership) -> Bool {
    machine == other.machine && term == other.term && owner == other.owner && inSync == other.inSync
  }

  /// What keeps it from being written; `nil` if nothing does.
  public var problem: String? {
    if machine.kind == nil { return "\(machine) is no machine" }
    if inSync.count > Self.standbyLimit { return "\(inSync.count) standbys exceed \(Self.standbyLimit)" }
    if inSync.contains(owner), !owner.isEmpty { return "\(owner) cannot be its own standby" }
    if !owner.isEmpty, !Self.isName(owner) { return "'\(owner)' is no node's name" }
    return inSync.first { !Self.isName($0) }.map { "'\($0)' is no node's name" }
  }

  /// Whether `name` can be a node's: 1 to 64 letters, digits, '.', '_' and '-', not beginning with '.'.
  public static func isName(_ name: String) -> Bool {
    let isAllowed = { (byte: UInt8) -> Bool in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
        true
      default: false
      }
    }
    return (1...nameLimit).contains(name.utf8.count) && !name.hasPrefix(".") && name.utf8.allSatisfy(isAllowed)
  }

  public func write(to writer: inout ByteWriter) {
    machine.write(to: &writer)
    term.write(to: &writer)
    writer.text(owner)
    writer.u32(UInt32(inSync.count))
    for node in inSync { writer.text(node) }
    writer.u64(revision)
  }

  public init(from reader: inout ByteReader) {
    machine = MachineID(from: &reader)
    term = Term(from: &reader)
    owner = reader.text()
    let count = reader.itemCount(minimumSize: 2)
    var nodes: [String] = []
    for _ in 0..<count { nodes.append(reader.text()) }
    inSync = Self.canonical(nodes)
    revision = reader.u64()
    if inSync != nodes || problem != nil { reader.fail() }
  }
}

/// What became of a compare-and-swap.
public enum Replacement: Sendable, Hashable {
  /// The record stands, with the revision that it was given.
  case replaced(Ownership)
  /// Another was written since; this is what stands, `nil` if nothing was ever written.
  case refused(current: Ownership?)
}
