import Bytes
import Machine
import Market

/// One operation of an action, with all that is needed to perform it at any later time.
struct NaiveTicket {
  /// Place in the engine's accounts.
  var account: Int
  var key: UInt16
  var nonce: UInt64
  var index: UInt16
  /// Where the action stands in the journal.
  var sequence: SequenceNumber
  var session: UInt64
  var generation: UInt64
  /// A single trade in Derive's form, whose signer bounds the fee per unit, USD.
  var isTrade: Bool
  var maximumFee: Int64
  /// The operation is a stop whose trigger is met: it counts as its plain order.
  var isTriggered = false
  var operation: Market.Operation
}

/// An order's name within its account.
struct NaiveName: Equatable {
  var key: UInt16
  var nonce: UInt64
  var index: UInt16
}

/// An order in a book.
struct NaiveOrder {
  var account: Int
  var name: NaiveName
  var book: Int
  var side: Side
  /// In 1e-8.
  var price: Int64
  /// Names it in public and gives its place in its level; an iceberg's next slice takes a new one.
  var number: UInt64
  /// The number it had first: its age.
  var arrival: UInt64
  var shown: Int64
  var hidden: Int64 = 0
  /// Lots of an iceberg's slice.
  var display: Int64 = 0
  /// Charge still reserved, USD.
  var reserved: Int64
  var isReduceOnly = false
  var diesWithSession = false
  var isQuote = false
  /// A market order that rests for the length of an auction.
  var isAuctionOnly = false
  /// Protection has taken the quote out: it never trades again.
  var isOut = false
  /// Unix seconds; 0 for none.
  var expiry: UInt32 = 0
  var label: UInt32 = 0
  var clientID: UInt64 = 0
  var session: UInt64 = 0
  var generation: UInt64 = 0
  var mode = Market.Operation.SelfTradePrevention.cancelTaker

  var lots: Int64 { shown + hidden }
}

/// A stop that waits for its trigger, or for its turn after it.
struct NaiveStop {
  var ticket: NaiveTicket
  var book: Int
  var side: Side
  var arrival: UInt64
  var lots: Int64
  /// Unix seconds; 0 for none.
  var expiry: UInt32
  var source: Market.Operation.TriggerSource
  /// A trailing stop's distance; 0 for the others.
  var distance: Int64
  /// `nil` while a trailing stop has seen no value.
  var trigger: Int64?
  var waitsForRise: Bool
  var isFired = false

  var isTrailing: Bool { distance != 0 }
}

/// An order that waits for credit.
struct NaiveHeld {
  var ticket: NaiveTicket
  var name: NaiveName
  var request: UInt64
  var charge: Int64
  var deadline: Timestamp
}

/// An incoming order while it trades.
struct NaiveTaker {
  enum Ending { case none, selfTrade, overflow }
  var account: Int
  var name: NaiveName
  var book: Int
  var side: Side
  var limit: Int64
  var lots: Int64
  var filled: Int64 = 0
  var reserved: Int64
  var kind: Fill.Kind
  var mode: Market.Operation.SelfTradePrevention
  /// Charge that its fills have consumed.
  var consumed: Int64 = 0
  var ending = Ending.none
}

/// An order that is still trading, and what becomes of its rest.
struct NaiveSweep {
  var ticket: NaiveTicket
  var taker: NaiveTaker
  var candidate: NaiveCandidate
  /// What became of the other side of its quote.
  var partner: NaiveAnswer?
}

/// An order that has passed its checks.
struct NaiveCandidate {
  var name: NaiveName
  var book = 0
  var side = Side.buy
  var price: Int64 = 0
  var lots: Int64 = 0
  /// Lots of a slice; 0 unless an iceberg.
  var display: Int64 = 0
  /// Fewest lots to fill at once; 0 for none.
  var minimum: Int64 = 0
  var isMarket = false
  var isImmediate = false
  var isFillOrKill = false
  var isPostOnly = false
  var slides = false
  var isReduceOnly = false
  var isQuote = false
  var expiry: UInt32 = 0
  var clientID: UInt64 = 0
  /// Arrival of the order that it replaces; 0 for none.
  var replaced: UInt64 = 0
}

/// How an operation ended, or stands.
struct NaiveAnswer {
  var outcome: Outcome
  var filled: Int64 = 0
  var isFinal: Bool { ![.held, .armed, .queued, .sweeping].contains(outcome) }
}

/// An answered action.
struct NaiveNonce {
  var account: Int
  var key: UInt16
  var nonce: UInt64
  var content: UInt64
  var expiry: Int64
  var sequence: SequenceNumber
  var stamp: Timestamp
  var term: Term
  var results: [NaiveAnswer]
}

struct NaivePosition {
  var account: Int
  var book: Int
  var lots: Int64 = 0
  var lotsAtEpochStart: Int64 = 0
}

/// What an account's ledger in one currency moved by in this epoch.
struct NaiveLedger {
  var account: Int
  var currency: Currency
  var amount: Int64
}

/// A fill of a quote, while it lies in protection's window.
struct NaiveEntry {
  var stamp: Timestamp
  var quantity: Int64
  var delta: Int64
  var vega: Int64
}

struct NaiveAccount {
  enum Switch: UInt64 { case off, byAccount, byHouse }
  var id: AccountID
  var group: AccountID
  var owner = Address.zero
  var isOpen = false
  var creditVersion: UInt64 = 0
  var chargeMultiplier: UInt32 = 1_000_000
  var ceiling: Int64 = 0
  var consumed: Int64 = 0
  var reserved: Int64 = 0
  var isFrozen = false
  var freezeID: UInt64 = 0
  var liquidationStep: UInt64 = 0
  var liquidationFilled: Int64 = 0
  var liquidationOutcome = Outcome.filled
  var killSwitch = Switch.off
  /// `.never` when disarmed.
  var deadMan = Timestamp.never
  // Protection: limits, window and freeze as set, and what was counted.
  var quantityLimit: Int64 = 0
  var deltaLimit: Int64 = 0
  var vegaLimit: Int64 = 0
  /// Milliseconds: the window in the low half, the freeze in the high one.
  var protectionTimes: UInt64 = 0
  var protectionFrozenUntil = Timestamp.zero
  var entries: [NaiveEntry] = []

  var used: Int64 { consumed + reserved }
}

struct NaiveBook {
  /// How far an uncrossing is: it searches its price, matches at it, or cancels the market orders that are left.
  enum Phase: UInt64 { case none, searching, matching, clearing }
  struct Level {
    var price: Int64
    var lots: Int64
  }
  var instrument: Instrument
  var marksVersion: UInt64 = 0
  var mark: Int64 = 0
  var marginToBuy: Int64 = 0
  var marginToSell: Int64 = 0
  var bandLow: Int64 = 0
  var bandHigh: Int64 = 0
  var delta: Int64 = 0
  var vega: Int64 = 0
  /// Price of the last trade.
  var last: Int64?
  var hasTraded = false
  var deltas: UInt64 = 0
  var isSettling = false
  var isSettled = false
  var settlementIndex: Int64 = 0
  var state = TradingState.open
  /// End of the auction; zero outside one.
  var until = Timestamp.zero
  var nextIndicative = Timestamp.never
  /// Of the uncrossing: its price, and the lots that have traded.
  var auctionPrice: Int64?
  var auctionVolume: Int64 = 0
  var phase = Phase.none
  /// Levels that the search for the price has looked at, with the lots that they then had.
  var seenBids: [Level] = []
  var seenAsks: [Level] = []
  /// Arrivals of the stops that have fired, in order.
  var fired: [UInt64] = []
}

/// Work that goes on over several inputs.
struct NaiveJob {
  enum Kind: UInt64 {
    case cancelAll = 1
    case recall = 2
    case freeze = 3
    case sessionEnd = 4
    case settle = 5
    case deadMan = 6
    case killSwitch = 7
    case protection = 8
    case firedStops = 9
    case sweep = 10
    case uncrossing = 11
    case queue = 12
  }
  /// Tells jobs apart; grows with each.
  var id = 0
  var kind: Kind
  var account: Int?
  var book: Int?
  /// Of a mass cancel: orders, and stops, that arrived by these are still to be looked at.
  var arrival: UInt64 = 0
  var stopArrival: UInt64 = 0
  /// Of the credit, the freeze or the session.
  var number: UInt64 = 0
  var generation: UInt64 = 0
  var amount: Int64 = 0
  // Of a cancel-all.
  var scope: UInt8 = 0
  var flags: Market.Operation.Flags = []
  var label: UInt32 = 0
}
