import Bytes
import Market

/// One operation read where it lies, field by field, see `Operation` for the layout: the path of an order copies none
/// of
/// its 64 bytes and calls no other module for them.
struct OperationView: BitwiseCopyable {
  let base: UnsafeRawPointer

  @inline(__always) init(_ base: UnsafeRawPointer) { self.base = base }

  @inline(__always) private func load<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, _ type: T.Type) -> T {
    T(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: T.self))
  }

  @inline(__always) var rawKind: UInt8 { load(0, UInt8.self) }
  @inline(__always) var isReplace: Bool { rawKind == 2 }
  /// `nil` for a byte that is no side.
  @inline(__always) var side: Side? {
    switch load(1, UInt8.self) {
    case 0: .buy
    case 1: .sell
    default: nil
    }
  }
  /// 0 limit, 1 market; the rest belongs to later layouts.
  @inline(__always) var rawType: UInt8 { load(2, UInt8.self) }
  @inline(__always) var rawTimeInForce: UInt8 { load(3, UInt8.self) }
  @inline(__always) var flags: UInt16 { load(4, UInt16.self) }
  @inline(__always) var instrument: InstrumentID { InstrumentID(rawValue: load(8, UInt32.self)) }
  @inline(__always) var targetIndex: UInt16 { load(12, UInt16.self) }
  @inline(__always) var price: Int64 { load(16, Int64.self) }
  @inline(__always) var quantity: Int64 { load(24, Int64.self) }
  @inline(__always) var targetNonce: UInt64 { load(32, UInt64.self) }
  /// Unix seconds, 0 for none.
  @inline(__always) var expiry: UInt32 { load(56, UInt32.self) }

  /// Fields of order types that this layout version reserves must be zero: self-trade prevention and trigger source,
  /// the reserved word, trigger price and display quantity.
  @inline(__always) var usesReservedFields: Bool {
    UInt64(load(6, UInt16.self)) | UInt64(load(14, UInt16.self)) | load(40, UInt64.self) | load(48, UInt64.self) != 0
  }
}

/// The bytes of `Operation`'s enumerations that the path of an order tells apart.
enum OperationCode {
  static var new: UInt8 { 1 }
  static var replace: UInt8 { 2 }
  static var amend: UInt8 { 3 }
  static var cancel: UInt8 { 4 }
  static var cancelAll: UInt8 { 5 }

  static var market: UInt8 { 1 }

  static var immediateOrCancel: UInt8 { 1 }
  static var fillOrKill: UInt8 { 2 }
  static var goodTillDate: UInt8 { 3 }
  static var day: UInt8 { 4 }

  static var postOnly: UInt16 { 1 << 0 }
  static var reduceOnly: UInt16 { 1 << 1 }
  static var cancelOnDisconnect: UInt16 { 1 << 4 }
  static var knownFlags: UInt16 { postOnly | reduceOnly | cancelOnDisconnect }
}
