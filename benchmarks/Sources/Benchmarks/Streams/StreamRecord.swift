/// A record of an order stream as it lies in the file: 32 bytes, little-endian.
struct StreamRecord {
  enum Kind {
    static var new: UInt8 { 1 }
    static var immediate: UInt8 { 2 }
    static var cancel: UInt8 { 3 }
    static var replace: UInt8 { 4 }
    static var reduce: UInt8 { 5 }
  }
  /// What the generator had in mind; engines do not look at it.
  enum Intent {
    static var passive: UInt8 { 0 }
    static var aggressive: UInt8 { 1 }
    static var stale: UInt8 { 2 }
  }

  var order: UInt64
  /// In ticks; 0 of a cancel or a reduction.
  var price: Int64 = 0
  var quantity: UInt32 = 0
  var instrument: UInt32
  var kind: UInt8
  /// 0 buys, 1 sells.
  var side: UInt8
  var intent: UInt8 = Intent.passive
  private var zero: UInt8 = 0
  private var zeros: UInt32 = 0

  init(
    _ kind: UInt8, order: UInt64, instrument: Int, side: UInt8, price: Int64 = 0, quantity: UInt32 = 0,
    intent: UInt8 = Intent.passive
  ) {
    self.kind = kind
    self.order = order
    self.instrument = UInt32(instrument)
    self.side = side
    self.price = price
    self.quantity = quantity
    self.intent = intent
  }
}
