import Bytes
import Market

/// How far each of a machine's streams has come: state of the machine, so that re-execution yields the same numbers.
public struct StreamNumbers: Sendable, Hashable, ByteCodable {
  /// Number of the last message sent to, or consumed from, each peer; in order of peer.
  public var sent: [(peer: MachineID, number: UInt64)] { lastSent }
  @usableFromInline var lastSent: [(peer: MachineID, number: UInt64)] = []
  public private(set) var received: [(peer: MachineID, number: UInt64)] = []
  public init() {}

  public func lastSent(to peer: MachineID) -> UInt64 { sent.first { $0.peer == peer }?.number ?? 0 }
  public func lastReceived(from peer: MachineID) -> UInt64 { received.first { $0.peer == peer }?.number ?? 0 }

  /// The number of the last of the next `count` messages to `peer`; counts them as sent.
  @inlinable public mutating func takeNext(_ count: UInt64 = 1, to peer: MachineID) -> UInt64 {
    // The first peer is the one that a shard speaks to most.
    if let first = lastSent.first, first.peer == peer {
      lastSent[0].number = first.number &+ count
      return first.number &+ count
    }
    return takeNextOfSeveral(count, to: peer)
  }
  @usableFromInline mutating func takeNextOfSeveral(_ count: UInt64, to peer: MachineID) -> UInt64 {
    Self.advance(&lastSent, peer, by: count)
  }

  /// Whether messages `first ..< first + count` are the next ones from `source`; if so they count as consumed.
  public mutating func consume(from source: MachineID, first: UInt64, count: UInt16) -> Bool {
    guard count > 0, first == lastReceived(from: source) + 1 else { return false }
    _ = Self.advance(&received, source, by: UInt64(count))
    return true
  }

  private static func advance(
    _ list: inout [(peer: MachineID, number: UInt64)], _ peer: MachineID, by count: UInt64
  ) -> UInt64 {
    for index in list.indices where list[index].peer == peer {
      list[index].number += count
      return list[index].number
    }
    let place = list.firstIndex { $0.peer > peer } ?? list.endIndex
    list.insert((peer, count), at: place)
    return count
  }

  public static func == (a: StreamNumbers, b: StreamNumbers) -> Bool { a.encoded == b.encoded }
  public func hash(into hasher: inout Hasher) { hasher.combine(encoded) }

  public func write(to writer: inout ByteWriter) {
    for list in [sent, received] {
      writer.u32(UInt32(list.count))
      for (peer, number) in list {
        peer.write(to: &writer)
        writer.u64(number)
      }
    }
  }
  /// Refuses peers out of order, and numbers so high that counting on could overflow.
  public init(from reader: inout ByteReader) {
    lastSent = Self.readNumbers(&reader)
    received = Self.readNumbers(&reader)
  }
  private static func readNumbers(_ reader: inout ByteReader) -> [(peer: MachineID, number: UInt64)] {
    var list: [(peer: MachineID, number: UInt64)] = []
    for _ in 0..<reader.itemCount(minimumSize: 12) {
      let peer = MachineID(from: &reader)
      let number = reader.u64()
      let isInOrder = list.last.map { $0.peer < peer } ?? true
      if !isInOrder || number > UInt64(Int64.max) { reader.fail() }
      list.append((peer, number))
    }
    return list
  }
  public func hash(into hasher: inout StateHasher) {
    for list in [sent, received] {
      hasher.combine(UInt64(list.count))
      for (peer, number) in list {
        hasher.combine(UInt64(peer.rawValue))
        hasher.combine(number)
      }
    }
  }
}
