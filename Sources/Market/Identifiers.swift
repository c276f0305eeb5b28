import Bytes

/// A distinct integer type, so that an account cannot be passed where an instrument is meant.
public protocol Identifier: RawRepresentable, Hashable, Comparable, Sendable, BitwiseCopyable, CustomStringConvertible,
  ByteCodable
where RawValue: FixedWidthInteger & UnsignedInteger & BitwiseCopyable {
  init(rawValue: RawValue)
}

extension Identifier {
  @inlinable public init(_ value: RawValue) { self.init(rawValue: value) }
  @inlinable public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
  /// The identifier after this one.
  @inlinable public var next: Self { Self(rawValue: rawValue + 1) }
  public var description: String { "\(rawValue)" }
  @inlinable public func write(to writer: inout ByteWriter) { writer.integer(rawValue) }
  @inlinable public init(from reader: inout ByteReader) { self.init(rawValue: reader.integer(RawValue.self)) }
}

/// A margin account (Derive's subaccount). Account 0 is the house: it takes fees and rounding, and holds the insurance
/// fund.
public struct AccountID: Identifier {
  public let rawValue: UInt32
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
  public static let house = AccountID(0)
}

/// Position of an instrument in its market's list.
public struct InstrumentID: Identifier {
  public let rawValue: UInt32
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// A fixed group of instruments of one underlying whose books one machine owns.
public struct ShardID: Identifier {
  public let rawValue: UInt16
  @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }
}

/// Position of an underlying in its market's list.
public struct UnderlyingID: Identifier {
  public let rawValue: UInt8
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
}

/// Which of an account's registered signing keys: 0 is the owner's own key.
public struct KeyID: Identifier {
  public let rawValue: UInt16
  @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }
  public static let owner = KeyID(0)
}

/// Number of an entry in one machine's journal; the first is 1.
public struct SequenceNumber: Identifier {
  public let rawValue: UInt64
  @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// A reign of one owner over one machine; it grows by one whenever another process takes over.
public struct Term: Identifier {
  public let rawValue: UInt32
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// A settlement epoch; the first that can hold trades is 1.
public struct Epoch: Identifier {
  public let rawValue: UInt32
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// A machine or an edge of the cluster, as peers name it: its kind, and its index within the kind.
public struct MachineID: Identifier {
  public enum Kind: UInt8, Sendable, CaseIterable {
    case shard = 1
    case risk = 2
    case settlement = 3
    case marks = 4
    case gateway = 5
    case verifier = 6
    case supervisor = 7
  }

  public let rawValue: UInt32
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
  public init(_ kind: Kind, _ index: UInt16 = 0) { self.init(rawValue: UInt32(kind.rawValue) << 16 | UInt32(index)) }

  /// The machine that `description` names: `shard-3`, `risk`, `gateway-0`.
  public init?(name: String) {
    let parts = name.split(separator: "-", maxSplits: 1)
    guard let first = parts.first, let kind = Kind.allCases.first(where: { "\($0)" == first }) else { return nil }
    if parts.count == 1 {
      self.init(kind)
    } else {
      guard let index = UInt16(parts[1]) else { return nil }
      self.init(kind, index)
    }
    if description != name { return nil }
  }

  public static func shard(_ shard: ShardID) -> MachineID { MachineID(.shard, shard.rawValue) }
  public static let risk = MachineID(.risk)
  public static let settlement = MachineID(.settlement)
  public static let marks = MachineID(.marks)
  public static let supervisor = MachineID(.supervisor)
  /// No machine: the input came from the runtime itself or from a client.
  public static let none = MachineID(rawValue: 0)

  /// `nil` for a number that no kind has.
  public var kind: Kind? { Kind(rawValue: UInt8(truncatingIfNeeded: rawValue >> 16)) }
  public var index: UInt16 { UInt16(truncatingIfNeeded: rawValue) }
  /// The shard this machine is, if it is one.
  public var shard: ShardID? { kind == .shard ? ShardID(index) : nil }
  public var description: String {
    guard let kind else { return "machine-\(rawValue)" }
    return switch kind {
    case .risk, .settlement, .marks, .supervisor: "\(kind)"
    case .shard, .gateway, .verifier: "\(kind)-\(index)"
    }
  }
}
