import Bytes
import Market

/// One operation read where it lies, field by field, see `Operation` for the layout: the path of an order copies none
/// of its 64 bytes and calls no other module for them.
struct OperationView: BitwiseCopyable {
  let base: UnsafeRawPointer

  @inline(__always) init(_ base: UnsafeRawPointer) { self.base = base }

  @inline(__always) private func load<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, _ type: T.Type) -> T {
    T(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: T.self))
  }

  /// Kind, side, type, time in force, flags, self-trade mode and trigger source in one word.
  @inline(__always) var manner: UInt64 { load(0, UInt64.self) }
  @inline(__always) var rawKind: UInt8 { load(0, UInt8.self) }
  @inline(__always) var isReplace: Bool { rawKind == OperationCode.replace }
  @inline(__always) var rawSide: UInt8 { load(1, UInt8.self) }
  /// `nil` for a byte that is no side.
  @inline(__always) var side: Side? { Side(rawValue: rawSide) }
  @inline(__always) var rawType: UInt8 { load(2, UInt8.self) }
  @inline(__always) var rawTimeInForce: UInt8 { load(3, UInt8.self) }
  @inline(__always) var flags: UInt16 { load(4, UInt16.self) }
  @inline(__always) var rawMode: UInt8 { load(6, UInt8.self) }
  @inline(__always) var rawTrigger: UInt8 { load(7, UInt8.self) }
  @inline(__always) var instrument: InstrumentID { InstrumentID(rawValue: load(8, UInt32.self)) }
  @inline(__always) var targetIndex: UInt16 { load(12, UInt16.self) }
  @inline(__always) var reserved: UInt16 { load(14, UInt16.self) }
  @inline(__always) var price: Int64 { load(16, Int64.self) }
  @inline(__always) var quantity: Int64 { load(24, Int64.self) }
  @inline(__always) var targetNonce: UInt64 { load(32, UInt64.self) }
  @inline(__always) var triggerPrice: Int64 { load(40, Int64.self) }
  @inline(__always) var display: Int64 { load(48, Int64.self) }
  /// Unix seconds, 0 for none.
  @inline(__always) var expiry: UInt32 { load(56, UInt32.self) }
  @inline(__always) var label: UInt32 { load(60, UInt32.self) }
  /// Expiry and label.
  @inline(__always) var tail: UInt64 { load(56, UInt64.self) }
  /// Target index and reserved word.
  @inline(__always) var targetAndReserved: UInt32 { load(12, UInt32.self) }

  var isStop: Bool { rawType >= OperationCode.stopLimit }
  /// Whether the order that a plain type, or a triggered stop, becomes is a market order.
  var isMarket: Bool {
    rawType == OperationCode.market || rawType == OperationCode.stopMarket
      || rawType == OperationCode.takeProfitMarket || rawType == OperationCode.trailingStop
  }
}

/// The bytes of `Operation`'s enumerations that the path of an order tells apart.
enum OperationCode {
  static var new: UInt8 { 1 }
  static var replace: UInt8 { 2 }
  static var amend: UInt8 { 3 }
  static var cancel: UInt8 { 4 }
  static var cancelAll: UInt8 { 5 }
  static var quote: UInt8 { 7 }
  static var protection: UInt8 { 8 }
  static var resetProtection: UInt8 { 9 }
  static var deadMan: UInt8 { 10 }
  static var killSwitch: UInt8 { 11 }
  static var tradingState: UInt8 { 12 }

  static var market: UInt8 { 1 }
  static var stopLimit: UInt8 { 2 }
  static var stopMarket: UInt8 { 3 }
  static var takeProfitLimit: UInt8 { 4 }
  static var takeProfitMarket: UInt8 { 5 }
  static var trailingStop: UInt8 { 6 }
  static var stops: ClosedRange<UInt8> { stopLimit...trailingStop }

  static var immediateOrCancel: UInt8 { 1 }
  static var fillOrKill: UInt8 { 2 }
  static var goodTillDate: UInt8 { 3 }
  static var day: UInt8 { 4 }

  static var postOnly: UInt16 { 1 << 0 }
  static var reduceOnly: UInt16 { 1 << 1 }
  static var slide: UInt16 { 1 << 2 }
  static var minimumQuantity: UInt16 { 1 << 3 }
  static var cancelOnDisconnect: UInt16 { 1 << 4 }
  static var quotesOnly: UInt16 { 1 << 5 }
  static var byClientID: UInt16 { 1 << 6 }
  static var byLabel: UInt16 { 1 << 7 }

  /// The bits of an operation's `manner` in which plain orders may differ: side, immediate or cancel, post-only, the
  /// default self-trade mode spelled out.
  static var plainManner: UInt64 { 0x0001_0001_0100_0100 }
  /// Immediate-or-cancel and post-only.
  static var immediateBit: UInt64 { 1 << 24 }
  static var postOnlyBit: UInt64 { 1 << 32 }
}
