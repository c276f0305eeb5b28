import Bytes

/// How one operation ended, or why it was refused: the code that clients see. `text` says it to people, `remedy` who
/// can mend it; this list is the only one.
public enum Outcome: UInt16, Sendable, BitwiseCopyable, CaseIterable {
  // Accepted.
  case resting = 1
  case filled = 2
  case residualCancelled = 3
  case cancelled = 4
  case amended = 5
  case held = 6
  case quoted = 7
  case armed = 8
  case selfTradePrevented = 9
  case queued = 10
  case sweeping = 11
  case applied = 12

  // Refused: the client can mend it.
  case malformed = 100
  case unknownInstrument = 101
  case wrongShard = 102
  case priceOffTick = 103
  case quantityOffLot = 104
  case quantityOutOfRange = 105
  case priceOutOfRange = 106
  case unsupportedCombination = 107
  case unknownOrder = 108
  case wouldTake = 109
  case notFillable = 110
  case notReducing = 111
  case duplicateOrder = 112
  case expired = 113
  case expiryTooFar = 114
  case nonceReused = 115
  case tooManyLiveNonces = 116
  case tooManyOpenOrders = 117
  case outsideBand = 118
  case wrongSigner = 119
  case unknownAccount = 120
  case overflow = 121
  case notDecreasing = 122
  case feeAboveMaximum = 123
  case badSignature = 124
  case unknownCurrency = 125
  case duplicateClientID = 126
  case tooManyFills = 127
  case notAuthorised = 128
  case notNextInstrument = 129
  case nameTaken = 130
  case unknownUnderlying = 131

  // Refused: the account's standing.
  case insufficientCredit = 200
  case tooManyHeldOrders = 201
  case creditTimeout = 202
  case accountFrozen = 203
  case insufficientFunds = 204
  case withdrawalTimeout = 205
  case protectionFrozen = 206
  case accountKilled = 207

  // Refused: the venue.
  case instrumentExpired = 300
  case halted = 301
  case marksMissing = 302
  case riskSilent = 303
  case marksSilent = 304
  case throttled = 305
  case shardUnavailable = 306
  case pending = 307
  case instrumentHalted = 308
  case inAuction = 309
  case busy = 310
  case quarantined = 311

  // An open order ended without its owner's asking in that moment.
  case expiredOrder = 400
  case cancelledByRecall = 401
  case cancelledByFreeze = 402
  case cancelledByExpiry = 403
  case cancelledByDisconnect = 404
  case cancelledAsNotReducing = 405
  case cancelledByProtection = 406
  case cancelledBySelfTrade = 407
  case cancelledByDeadMan = 408
  case cancelledByKillSwitch = 409
  case cancelledAfterAuction = 410

  /// True when the operation did what it asked for (codes below 100).
  @inlinable public var isAccepted: Bool { rawValue < 100 }

  /// Who can mend a refusal.
  public enum Remedy: String, Sendable { case none, client, account, venue }
  public var remedy: Remedy {
    switch rawValue {
    case ..<100: .none
    case ..<200: .client
    case ..<300: .account
    case ..<400: .venue
    default: .none
    }
  }

  /// The snake_case name that JSON carries.
  public var name: String {
    var name = ""
    for character in "\(self)".replacing("ID", with: "Id") {
      if character.isUppercase { name.append("_") }
      name.append(contentsOf: character.lowercased())
    }
    return name
  }

  /// What it means, in one sentence.
  public var text: String {
    switch self {
    case .resting: "The order rests in the book, or rests with what was left after filling."
    case .filled: "The order was filled whole."
    case .residualCancelled: "What the order could not fill at once was cancelled."
    case .cancelled: "Cancelled as asked."
    case .amended: "Amended or replaced as asked; the order rests."
    case .held: "The order waits for credit; a report tells how it ends."
    case .quoted: "Both sides of the quote stand as asked."
    case .armed: "The stop waits for its trigger."
    case .selfTradePrevented: "The rest was cancelled because it met an order of its own trading group."
    case .queued: "The operation waits for an order that is still trading; a report tells how it ends."
    case .sweeping: "The order is still trading, step by step; reports tell its fills and its end."
    case .applied: "The setting is in force."
    case .malformed: "The bytes are not a well-formed operation of this shard."
    case .unknownInstrument: "No instrument has this number."
    case .wrongShard: "Another shard trades the instrument."
    case .priceOffTick: "The price is not a whole number of ticks at its level."
    case .quantityOffLot: "The quantity is not a whole number of lots."
    case .quantityOutOfRange: "The quantity is zero, negative, below the minimum or above the maximum."
    case .priceOutOfRange: "The price is negative or beyond the ladder of the instrument."
    case .unsupportedCombination: "Type, time in force, flags and fields do not go together."
    case .unknownOrder: "No such order is open."
    case .wouldTake: "A post-only order would have taken."
    case .notFillable: "The book cannot fill the whole, or the minimum, at once."
    case .notReducing: "A reduce-only order would not reduce the position."
    case .duplicateOrder: "An order of this name is open already."
    case .expired: "The signature or the order's time has passed."
    case .expiryTooFar: "The signature expires too far ahead."
    case .nonceReused: "Another action has used this nonce."
    case .tooManyLiveNonces: "Too many signatures are still live; retry when some have expired."
    case .tooManyOpenOrders: "The account has as many open orders and stops as it may."
    case .outsideBand: "The price lies outside the band around the mark."
    case .wrongSigner: "The signer may not sign for the account."
    case .unknownAccount: "The shard knows no such account."
    case .overflow: "An amount would leave the range of exact arithmetic."
    case .notDecreasing: "An amendment in place can only make an order smaller."
    case .feeAboveMaximum: "The fee would exceed what the signer accepts."
    case .badSignature: "The signature does not verify."
    case .unknownCurrency: "No currency has this number."
    case .duplicateClientID: "An order with this client id is open already."
    case .tooManyFills: "Filling it at once would take more fills than one step may hold."
    case .notAuthorised: "Only the operator may ask for this, and the operator for nothing else."
    case .notNextInstrument: "The instrument's number is not the next one of the market."
    case .nameTaken: "The instrument has no name, or another has its name or its asset and sub-id."
    case .unknownUnderlying: "No underlying has this number."
    case .insufficientCredit: "The account's margin does not cover the order."
    case .tooManyHeldOrders: "Too many orders of the account wait for credit."
    case .creditTimeout: "No credit came in time."
    case .accountFrozen: "The account is being liquidated."
    case .insufficientFunds: "The account's free funds do not cover the amount."
    case .withdrawalTimeout: "The withdrawal could not be granted in time."
    case .protectionFrozen: "Market-maker protection has tripped; quotes are refused until it ends or is reset."
    case .accountKilled: "The account's kill switch is on."
    case .instrumentExpired: "The instrument has stopped trading for good."
    case .halted: "Trading is halted until settlement has caught up."
    case .marksMissing: "The instrument has no mark at present."
    case .riskSilent: "Risk has not been heard from for too long."
    case .marksSilent: "The mark publisher has not been heard from for too long."
    case .throttled: "Too many requests; retry later."
    case .shardUnavailable: "The shard does not answer; ask again by nonce."
    case .pending: "The action is not answered yet."
    case .instrumentHalted: "The instrument is halted."
    case .inAuction: "The instrument is in a call auction, which takes no such order."
    case .busy: "Too many operations wait for unfinished ones; retry."
    case .quarantined: "The shard's process died of the action again and again; it was put aside unapplied."
    case .expiredOrder: "The order reached its expiry."
    case .cancelledByRecall: "Cancelled because risk recalled credit."
    case .cancelledByFreeze: "Cancelled because the account is being liquidated."
    case .cancelledByExpiry: "Cancelled because the instrument expired."
    case .cancelledByDisconnect: "Cancelled because its session ended."
    case .cancelledAsNotReducing: "Cancelled because nothing is left to reduce."
    case .cancelledByProtection: "Cancelled by market-maker protection."
    case .cancelledBySelfTrade: "Cancelled because it met an order of its own trading group."
    case .cancelledByDeadMan: "Cancelled by the account's dead-man timer."
    case .cancelledByKillSwitch: "Cancelled by the account's kill switch."
    case .cancelledAfterAuction: "A market order's rest was cancelled when the auction ended."
    }
  }
}
