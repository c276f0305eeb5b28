import Bytes

/// How one operation ended, or why it was refused: the code clients see, the text for people, and who can mend it.
public enum Outcome: UInt16, Sendable, BitwiseCopyable, CaseIterable {
  // Accepted.
  /// A new order rests, or rests with what was left after filling.
  case resting = 1
  /// Filled whole.
  case filled = 2
  /// An IOC or market order's residual was dropped; the reply says how much was filled before.
  case residualCancelled = 3
  /// Cancelled as asked.
  case cancelled = 4
  /// Amended or replaced as asked and resting.
  case amended = 5
  /// Held until credit arrives; a later report tells the end.
  case held = 6

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

  // Refused: the account's standing.
  case insufficientCredit = 200
  case tooManyHeldOrders = 201
  case creditTimeout = 202
  case accountFrozen = 203
  case insufficientFunds = 204
  case withdrawalTimeout = 205

  // Refused: the venue.
  case instrumentExpired = 300
  case halted = 301
  case marksMissing = 302
  case riskSilent = 303
  case marksSilent = 304
  case throttled = 305
  case shardUnavailable = 306
  case pending = 307

  // An open order ended without its owner's asking.
  case expiredOrder = 400
  case cancelledByRecall = 401
  case cancelledByFreeze = 402
  case cancelledByExpiry = 403
  case cancelledByDisconnect = 404
  case cancelledAsNotReducing = 405

  /// True when the operation did what it asked for (codes below 100).
  @inlinable public var isAccepted: Bool { rawValue < 100 }

  /// Who can mend a refusal.
  public enum Remedy: Sendable { case none, client, account, venue }
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
    for character in "\(self)" {
      if character.isUppercase { name.append("_") }
      name.append(contentsOf: character.lowercased())
    }
    return name
  }
}
