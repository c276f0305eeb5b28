import Bytes
import Market
import Settlement

/// A vault's receipt as JSON.
public struct ReceiptText: Codable, Sendable {
  /// `deposited`, `posted` or `paid`.
  public var kind: String
  public var account: UInt32?
  public var currency: UInt8?
  public var amount: String?
  /// Number of the deposit.
  public var number: UInt64?
  public var owner: String?
  public var epoch: UInt32?

  init(_ receipt: VaultReceipt) {
    switch receipt {
    case .deposited(let deposit):
      kind = "deposited"
      account = deposit.account.rawValue
      currency = deposit.currency.rawValue
      amount = deposit.amount.description
      number = deposit.number
      owner = deposit.owner.description
    case .paid(let account, let owner, let currency, let amount):
      kind = "paid"
      self.account = account.rawValue
      self.currency = currency.rawValue
      self.amount = amount.description
      self.owner = owner.description
    case .posted(let epoch, _, _), .alreadyPosted(let epoch, _):
      kind = "posted"
      self.epoch = epoch.rawValue
    }
  }
}

/// An epoch as JSON: what was posted, or how far it has come.
public struct EpochText: Codable, Sendable {
  public struct Unfinished: Codable, Sendable {
    public var epoch: UInt32
    public var phase: String
  }
  public var epoch: UInt32
  public var isFinal: Bool
  public var root: String?
  public var previousRoot: String?
  public var headerHash: String?
  /// Deposits consumed in all.
  public var depositCursor: UInt64?
  /// Σ positive equity of users, USD.
  public var totalPositiveEquity: String?
  /// The epoch now open.
  public var openEpoch: UInt32
  public var lastFinalEpoch: UInt32
  /// Epochs between the last final one and the open one.
  public var unfinished: [Unfinished]
  /// Why settlement posts no more; absent while it does.
  public var stopped: String?

  init(_ epoch: Epoch, _ status: SettlementStatus, _ ledger: any SettlementLayer) throws {
    let wanted = epoch.rawValue == 0 ? status.lastFinalEpoch : epoch
    let header = ledger.read { $0.header(of: wanted) }
    if header == nil, wanted.rawValue > 0, wanted < status.lastFinalEpoch {
      throw ClientMistake("epoch \(wanted) is older than the ledger keeps at hand")
    }
    if wanted >= status.epoch { throw ClientMistake("epoch \(wanted) has not ended; \(status.epoch) is open") }
    self.epoch = wanted.rawValue
    isFinal = wanted <= status.lastFinalEpoch
    root = header?.root.description
    previousRoot = header?.previousRoot.description
    headerHash = header?.headerHash.description
    depositCursor = header?.depositCursor
    totalPositiveEquity = header?.totalPositiveEquity.description
    openEpoch = status.epoch.rawValue
    lastFinalEpoch = status.lastFinalEpoch.rawValue
    unfinished = status.unfinished.map { Unfinished(epoch: $0.epoch.rawValue, phase: "\($0.phase)") }
    stopped = status.stopReason?.description
  }
}
