import Market

/// Why an order is looked at.
enum Attempt: BitwiseCopyable {
  /// Its operation has just come, or has been taken up from the queue.
  case fresh
  /// It was held, and the ceiling was raised.
  case again
  /// It was held, and risk lets it run as IOC under a charge of its own.
  case granted(charge: Int64)
  /// A stop whose trigger has been met; its name is its own already.
  case triggered
  /// A side of a quote.
  case quote
}

/// An order that passed every check but those of price against the book and of credit.
struct Candidate: BitwiseCopyable {
  var accountSlot: Slot
  var key: UInt16
  var index: UInt16 = 0
  var nonce: UInt64 = 0
  var book = 0
  var side = Side.buy
  var tick: Int64 = 0
  var lots: Int64 = 0
  /// Of an iceberg lots shown at a time; 0 for any other order.
  var display: Int64 = 0
  /// Lots that must be filled at once, or 0.
  var minimum: Int64 = 0
  var isMarket = false
  var isImmediate = false
  var isFillOrKill = false
  var isPostOnly = false
  var slides = false
  var isReduceOnly = false
  var isQuote = false
  var isReplacement = false
  var diesWithSession = false
  var mode = Operation.SelfTradePrevention.unspecified
  /// Unix seconds, 0 for none.
  var expiry: UInt32 = 0
  var label: UInt32 = 0
  var clientID: UInt64 = 0
  /// The open order that it replaces, or 0.
  var replaced: Slot = 0
}
