import Bytes
import Market

/// What is asked of an `OwnershipTable`, in the same layout whether it crosses a network or a simulation.
public enum AuthorityRequest: Sendable, Hashable {
  case ownership(MachineID)
  case replace(Ownership, expecting: UInt64)
  /// `nonce` makes the asking one: asked again, it renews the lease that it was given the first time.
  case grantLease(node: String, nonce: UInt64, milliseconds: UInt32)
  case renew(lease: UInt64)
  case release(lease: UInt64)
  case isAlive(node: String)
  /// The changes from number `next` on, as counted since the table's start number `era`.
  case follow(era: UInt64, next: UInt64)
}

/// What an `OwnershipTable` answers.
public enum AuthorityAnswer: Sendable, Hashable {
  case ownership(Ownership?)
  case replacement(Replacement)
  /// A lease was granted or renewed, for so long.
  case leased(identifier: UInt64, milliseconds: UInt32)
  case released
  /// There is no such lease any more.
  case lapsed
  case alive(Bool)
  /// The changes numbered from `first` on; none if there is nothing new.
  case changes(era: UInt64, first: UInt64, [AuthorityChange])
  /// All that stands, because the changes asked for are not kept; the next change has the number `next`.
  case everything(era: UInt64, next: UInt64, records: [Ownership], alive: [String])
  /// Not done, and why.
  case rejected(String)
}

extension AuthorityRequest: ByteCodable {
  public func write(to writer: inout ByteWriter) {
    switch self {
    case .ownership(let machine):
      writer.u8(1)
      machine.write(to: &writer)
    case .replace(let record, let expected):
      writer.u8(2)
      record.write(to: &writer)
      writer.u64(expected)
    case .grantLease(let node, let nonce, let milliseconds):
      writer.u8(3)
      writer.text(node)
      writer.u64(nonce)
      writer.u32(milliseconds)
    case .renew(let lease):
      writer.u8(4)
      writer.u64(lease)
    case .release(let lease):
      writer.u8(5)
      writer.u64(lease)
    case .isAlive(let node):
      writer.u8(6)
      writer.text(node)
    case .follow(let era, let next):
      writer.u8(7)
      writer.u64(era)
      writer.u64(next)
    }
  }

  public init(from reader: inout ByteReader) {
    switch reader.u8() {
    case 1: self = .ownership(MachineID(from: &reader))
    case 2: self = .replace(Ownership(from: &reader), expecting: reader.u64())
    case 3: self = .grantLease(node: reader.text(), nonce: reader.u64(), milliseconds: reader.u32())
    case 4: self = .renew(lease: reader.u64())
    case 5: self = .release(lease: reader.u64())
    case 6: self = .isAlive(node: reader.text())
    case 7: self = .follow(era: reader.u64(), next: reader.u64())
    default:
      reader.fail()
      self = .ownership(.none)
    }
  }
}

extension AuthorityAnswer: ByteCodable {
  public func write(to writer: inout ByteWriter) {
    switch self {
    case .ownership(let record):
      writer.u8(1)
      Self.write(record, to: &writer)
    case .replacement(.replaced(let record)):
      writer.u8(2)
      record.write(to: &writer)
    case .replacement(.refused(let current)):
      writer.u8(3)
      Self.write(current, to: &writer)
    case .leased(let identifier, let milliseconds):
      writer.u8(4)
      writer.u64(identifier)
      writer.u32(milliseconds)
    case .released: writer.u8(5)
    case .lapsed: writer.u8(6)
    case .alive(let isAlive):
      writer.u8(7)
      writer.bool(isAlive)
    case .changes(let era, let first, let changes):
      writer.u8(8)
      writer.u64(era)
      writer.u64(first)
      writer.u32(UInt32(changes.count))
      for change in changes { change.write(to: &writer) }
    case .everything(let era, let next, let records, let alive):
      writer.u8(9)
      writer.u64(era)
      writer.u64(next)
      writer.u32(UInt32(records.count))
      for record in records { record.write(to: &writer) }
      writer.u32(UInt32(alive.count))
      for node in alive { writer.text(node) }
    case .rejected(let reason):
      writer.u8(10)
      writer.text(reason)
    }
  }

  public init(from reader: inout ByteReader) {
    switch reader.u8() {
    case 1: self = .ownership(Self.record(from: &reader))
    case 2: self = .replacement(.replaced(Ownership(from: &reader)))
    case 3: self = .replacement(.refused(current: Self.record(from: &reader)))
    case 4: self = .leased(identifier: reader.u64(), milliseconds: reader.u32())
    case 5: self = .released
    case 6: self = .lapsed
    case 7: self = .alive(reader.bool())
    case 8:
      let (era, first) = (reader.u64(), reader.u64())
      let count = reader.itemCount(minimumSize: 1)
      var changes: [AuthorityChange] = []
      for _ in 0..<count { changes.append(AuthorityChange(from: &reader)) }
      self = .changes(era: era, first: first, changes)
    case 9:
      let (era, next) = (reader.u64(), reader.u64())
      var records: [Ownership] = []
      for _ in 0..<reader.itemCount(minimumSize: 22) { records.append(Ownership(from: &reader)) }
      var alive: [String] = []
      for _ in 0..<reader.itemCount(minimumSize: 2) { alive.append(reader.text()) }
      self = .everything(era: era, next: next, records: records, alive: alive)
    case 10: self = .rejected(reader.text())
    default:
      reader.fail()
      self = .lapsed
    }
  }

  private static func write(_ record: Ownership?, to writer: inout ByteWriter) {
    writer.bool(record != nil)
    record?.write(to: &writer)
  }

  private static func record(from reader: inout ByteReader) -> Ownership? {
    reader.bool() ? Ownership(from: &reader) : nil
  }
}
