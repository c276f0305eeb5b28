import Bytes
import Market

/// How a gateway names a client's session in the actions that it hands on: by itself and by a place.
///
/// Places are few and are used again, the lowest first, each time with a higher generation. So a shard can end all
/// sessions of a gateway that is gone, though nobody remembers which there were.
public struct SessionName: RawRepresentable, Sendable, Hashable {
  /// Sessions of one gateway at once that may have orders which live with them.
  public static let mostPlaces: UInt16 = 1_024

  /// Index of the gateway.
  public var gateway: UInt16
  /// Below `mostPlaces`.
  public var place: UInt16

  public init(gateway: UInt16, place: UInt16) {
    self.gateway = gateway
    self.place = place
  }

  /// `nil` for zero, which is no session, and for whatever no gateway says.
  public init?(rawValue: UInt64) {
    gateway = UInt16(truncatingIfNeeded: rawValue >> 16)
    place = UInt16(truncatingIfNeeded: rawValue)
    if rawValue != self.rawValue || place >= Self.mostPlaces { return nil }
  }

  /// As it stands in `SignedActionHeader.session`.
  public var rawValue: UInt64 { 1 << 32 | UInt64(gateway) << 16 | UInt64(place) }
}

/// A gateway's sign of life to the shards.
public struct GatewayHeartbeat: ByteCodable, Sendable, Hashable {
  public var gateway: MachineID
  /// Grows whenever the gateway's process starts; every generation of its sessions is at or above it.
  public var incarnation: UInt64
  public init(gateway: MachineID, incarnation: UInt64) {
    self.gateway = gateway
    self.incarnation = incarnation
  }
  public func write(to writer: inout ByteWriter) {
    gateway.write(to: &writer)
    writer.u64(incarnation)
  }
  public init(from reader: inout ByteReader) {
    gateway = MachineID(from: &reader)
    incarnation = reader.u64()
  }
}
