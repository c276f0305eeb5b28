import Market

/// An open order, one cache line:
///
/// ```
///  0 nonce │ 8 account slot, key, index │ 16 book │ 18 arrival high │ 20 arrival low │ 24 rank and flags │ 28 extra
/// 32 lots │ 40 reserved charge │ 48 previous, next in its level │ 56 newer, older of its account
/// ```
struct RestingOrder: BitwiseCopyable {
  var nonce: UInt64
  var accountSlot: Slot
  var key: UInt16
  var index: UInt16
  /// Which of the shard's books.
  var book: UInt16
  private var arrivalHigh: UInt16
  private var arrivalLow: UInt32
  private var rankAndFlags: UInt32
  /// Rarely used attributes, see `OrderExtra`; 0 for none.
  var extra: Slot
  var lots: Int64
  /// Charge still reserved, USD.
  var reserved: Int64
  var previous: Slot = 0
  var next: Slot = 0
  var newer: Slot = 0
  var older: Slot = 0

  private static let sellBit: UInt32 = 1 << 31
  private static let reduceBit: UInt32 = 1 << 30

  init(
    nonce: UInt64, accountSlot: Slot, key: UInt16, index: UInt16, book: UInt16, arrival: UInt64, rank: UInt32,
    side: Side, isReduceOnly: Bool, extra: Slot, lots: Int64, reserved: Int64
  ) {
    self.nonce = nonce
    self.accountSlot = accountSlot
    self.key = key
    self.index = index
    self.book = book
    arrivalHigh = UInt16(truncatingIfNeeded: arrival >> 32)
    arrivalLow = UInt32(truncatingIfNeeded: arrival)
    rankAndFlags = rank | (side == .sell ? Self.sellBit : 0) | (isReduceOnly ? Self.reduceBit : 0)
    self.extra = extra
    self.lots = lots
    self.reserved = reserved
  }

  /// Place in its side's ladder; a higher rank trades first.
  @inline(__always) var rank: UInt32 { rankAndFlags & 0x3F_FFFF }
  @inline(__always) var side: Side { rankAndFlags & Self.sellBit == 0 ? .buy : .sell }
  @inline(__always) var isReduceOnly: Bool { rankAndFlags & Self.reduceBit != 0 }
  /// Counts the shard's placements: time priority, and age within the account. Zero once the order is gone.
  @inline(__always) var arrival: UInt64 { UInt64(arrivalHigh) << 32 | UInt64(arrivalLow) }
  /// Account slot, key and index as one word of the index's key.
  @inline(__always) var owner: UInt64 { Self.owner(accountSlot, key, index) }
  @inline(__always) static func owner(_ accountSlot: Slot, _ key: UInt16, _ index: UInt16) -> UInt64 {
    UInt64(accountSlot) << 32 | UInt64(key) << 16 | UInt64(index)
  }

  /// Makes every stale reference to this record recognisable.
  @inline(__always) mutating func retire() {
    arrivalHigh = 0
    arrivalLow = 0
  }
}

/// What only some orders carry: a time to expire, the session to live with, a place among reduce-only orders.
struct OrderExtra: BitwiseCopyable {
  var order: Slot = 0
  /// Unix seconds at which the order expires; 0 for none.
  var expiry: UInt32 = 0
  /// The session whose end cancels the order, if `diesWithSession`.
  var session: UInt64 = 0
  var generation: UInt64 = 0
  var diesWithSession = false
  /// Links among the orders of one session, newest first.
  var newerInSession: Slot = 0
  var olderInSession: Slot = 0
  /// Links among the reduce-only orders of one position, newest first.
  var newerReducing: Slot = 0
  var olderReducing: Slot = 0
}
