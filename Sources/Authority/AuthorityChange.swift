import Bytes

/// Something that changed at the authority.
public enum AuthorityChange: Sendable, Hashable {
  /// The record of a machine was written. The first of a watch may be older than the watch.
  case owned(Ownership)
  /// A node has a lease that it did not have.
  case nodeUp(String)
  /// A node has a lease no more.
  case nodeDown(String, NodeLoss)
  /// Everything that stood when the watch began, or found the authority again, has been told.
  case caughtUp
}

/// How a node came to hold no lease.
public enum NodeLoss: UInt8, Sendable, Hashable, CaseIterable {
  /// It was not renewed in time; its process may still run.
  case silent = 0
  /// It gave the lease back.
  case released = 1
  /// Its process has ended and was reaped: it cannot write any more.
  case ended = 2
}

extension AuthorityChange: ByteCodable {
  public func write(to writer: inout ByteWriter) {
    switch self {
    case .owned(let record):
      writer.u8(1)
      record.write(to: &writer)
    case .nodeUp(let node):
      writer.u8(2)
      writer.text(node)
    case .nodeDown(let node, let loss):
      writer.u8(3)
      writer.text(node)
      writer.u8(loss.rawValue)
    case .caughtUp: writer.u8(4)
    }
  }

  public init(from reader: inout ByteReader) {
    switch reader.u8() {
    case 1: self = .owned(Ownership(from: &reader))
    case 2: self = .nodeUp(reader.text())
    case 3: self = .nodeDown(reader.text(), reader.enumeration(NodeLoss.self, otherwise: .silent))
    case 4: self = .caughtUp
    default:
      reader.fail()
      self = .caughtUp
    }
  }
}
