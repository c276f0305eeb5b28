import Market

/// An open order, one cache line:
///
/// ```
///  0 nonce │ 8 account slot, key, index │ 16 book │ 18 number high │ 20 number low │ 24 rank and flags │ 28 extra
/// 32 lots │ 40 reserved charge │ 48 previous, next in its level │ 56 newer, older of its account
/// ```
struct RestingOrder: BitwiseCopyable {
  var nonce: UInt64
  var accountSlot: Slot
  var key: UInt16
  var index: UInt16
  /// Which of the shard's books.
  var book: UInt16
  private var numberHigh: UInt16
  private var numberLow: UInt32
  private var rankAndTraits: UInt32
  /// Rarely used attributes, see `OrderExtra`; 0 for none.
  var extra: Slot
  /// Lots it shows.
  var lots: Int64
  /// Charge still reserved, USD.
  var reserved: Int64
  var previous: Slot = 0
  var next: Slot = 0
  var newer: Slot = 0
  var older: Slot = 0

  /// What makes an order other than plain; the bits above the rank.
  struct Traits: OptionSet, BitwiseCopyable {
    let rawValue: UInt32
    static let sell = Traits(rawValue: 1 << 31)
    static let reduceOnly = Traits(rawValue: 1 << 30)
    static let quote = Traits(rawValue: 1 << 29)
    static let iceberg = Traits(rawValue: 1 << 28)
    static let auctionOnly = Traits(rawValue: 1 << 27)
    static let expires = Traits(rawValue: 1 << 26)
    /// Three bits of `Operation.SelfTradePrevention`.
    static let modeShift: UInt32 = 23
    static let mode = Traits(rawValue: 7 << modeShift)
    /// What a taker must look at before it trades with the order.
    static let special: Traits = [.quote, .iceberg, .auctionOnly, .reduceOnly]
  }
  private static let rankMask: UInt32 = 0x3F_FFFF

  @inline(__always) init(
    nonce: UInt64, accountSlot: Slot, key: UInt16, index: UInt16, book: UInt16, number: UInt64, rank: UInt32,
    traits: Traits, extra: Slot, lots: Int64, reserved: Int64, older: Slot = 0
  ) {
    self.nonce = nonce
    self.accountSlot = accountSlot
    self.key = key
    self.index = index
    self.book = book
    numberHigh = UInt16(truncatingIfNeeded: number >> 32)
    numberLow = UInt32(truncatingIfNeeded: number)
    rankAndTraits = rank | traits.rawValue
    self.extra = extra
    self.lots = lots
    self.reserved = reserved
    self.older = older
  }

  /// Writes a plain order that is its level's last and its account's newest, word by word.
  @inline(__always) static func write(
    to place: UnsafeMutablePointer<RestingOrder>, nonce: UInt64, accountSlot: Slot, key: UInt16, index: UInt16,
    book: UInt16, number: UInt64, rank: UInt32, traits: UInt32, lots: Int64, reserved: Int64, previous: Slot,
    older: Slot
  ) {
    let words = UnsafeMutableRawPointer(place)
    words.put(nonce, at: 0)
    words.put(UInt64(accountSlot) | UInt64(key) &<< 32 | UInt64(index) &<< 48, at: 8)
    words.put(UInt64(book) | (number &>> 32) &<< 16 | number &<< 32, at: 16)
    words.put(UInt64(rank | traits), at: 24)
    words.put(lots, at: 32)
    words.put(reserved, at: 40)
    words.put(UInt64(previous), at: 48)
    words.put(UInt64(older) &<< 32, at: 56)
  }

  /// Place in its side's ladder; a higher rank trades first.
  @inline(__always) var rank: UInt32 { rankAndTraits & Self.rankMask }
  @inline(__always) var traits: Traits { Traits(rawValue: rankAndTraits & ~Self.rankMask) }
  @inline(__always) var side: Side { rankAndTraits & Traits.sell.rawValue == 0 ? .buy : .sell }
  @inline(__always) func price(_ contract: UnsafePointer<Contract>) -> Int64 {
    BookSide.tick(side, rank) &* contract.pointee.tickSize
  }
  @inline(__always) var isReduceOnly: Bool { rankAndTraits & Traits.reduceOnly.rawValue != 0 }
  @inline(__always) var isQuote: Bool { rankAndTraits & Traits.quote.rawValue != 0 }
  @inline(__always) var isIceberg: Bool { rankAndTraits & Traits.iceberg.rawValue != 0 }
  @inline(__always) var isSpecial: Bool { rankAndTraits & Traits.special.rawValue != 0 }
  @inline(__always) var expires: Bool { rankAndTraits & Traits.expires.rawValue != 0 }
  var mode: Operation.SelfTradePrevention {
    Operation.SelfTradePrevention(rawValue: UInt8(rankAndTraits >> Traits.modeShift & 7)) ?? .unspecified
  }
  /// The order's number in public, which counts the shard's placements: time priority. Zero once the order is gone.
  @inline(__always) var number: UInt64 { UInt64(numberHigh) << 32 | UInt64(numberLow) }
  /// Account slot, key and index as one word of the index's key, as they lie in the record: one load.
  @inline(__always) var owner: UInt64 { Self.owner(accountSlot, key, index) }
  @inline(__always) static func owner(_ accountSlot: Slot, _ key: UInt16, _ index: UInt16) -> UInt64 {
    UInt64(accountSlot) | UInt64(key) &<< 32 | UInt64(index) &<< 48
  }

  /// Gives the order a new place in time.
  mutating func renumber(_ number: UInt64) {
    numberHigh = UInt16(truncatingIfNeeded: number >> 32)
    numberLow = UInt32(truncatingIfNeeded: number)
  }
  /// Makes every stale reference to this record recognisable.
  @inline(__always) mutating func retire() {
    numberHigh = 0
    numberLow = 0
  }
}

/// What only some orders carry: a time to expire, the session to live with, a place among reduce-only orders or quotes,
/// hidden lots, the client's own marks.
struct OrderExtra: BitwiseCopyable {
  /// The order, or the stop, that it belongs to.
  var order: Slot = 0
  var stop: Slot = 0
  /// Unix seconds at which the order expires; 0 for none.
  var expiry: UInt32 = 0
  /// The session whose end cancels the order, if `diesWithSession`.
  var session: UInt64 = 0
  var generation: UInt64 = 0
  var diesWithSession = false
  /// A mass cancel is to look at the order next.
  var isAwaited = false
  var label: UInt32 = 0
  var clientID: UInt64 = 0
  /// Of an iceberg: lots shown at a time, lots not shown, and the number with which it first came.
  var display: Int64 = 0
  var hidden: Int64 = 0
  var arrival: UInt64 = 0
  /// Links among the orders, or the stops, of one session, newest first.
  var newerInSession: Slot = 0
  var olderInSession: Slot = 0
  /// Links among the reduce-only orders of one position, or among its quotes' sides, newest first.
  var newerAlike: Slot = 0
  var olderAlike: Slot = 0
  /// Links among the market orders that rest in a book's auction.
  var newerInAuction: Slot = 0
  var olderInAuction: Slot = 0
}
