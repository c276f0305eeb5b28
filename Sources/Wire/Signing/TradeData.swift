import Bytes
import Market

/// Derive's trade data, one order: `abi.encode(address asset, uint subId, int limitPrice, int amount, uint maxFee,
/// uint recipientId, bool isBid)`, decimals in 1e-18.
public struct TradeData: Sendable, Hashable, ModuleData {
  static let wordCount = 7
  /// Bytes of the encoding.
  public static let byteCount = wordCount * ABIWords.wordBytes

  /// With `subID`, names the instrument.
  public let asset: Address
  public let subID: Digest
  public let limitPrice: Price
  /// Positive.
  public let amount: Quantity
  /// Most fee per unit in USD; not negative.
  public let maximumFee: Money
  /// The account that receives what is traded.
  public let recipient: AccountID
  public let side: Side

  /// Refuses an amount that is not positive and a negative fee.
  public init(
    asset: Address, subID: Digest, limitPrice: Price, amount: Quantity, maximumFee: Money, recipient: AccountID,
    side: Side
  ) throws(SigningError) {
    guard amount.units > 0 else { throw .field(name: "amount", value: "\(amount)", rule: "must be positive") }
    guard maximumFee.units >= 0 else {
      throw .field(name: "maxFee", value: "\(maximumFee)", rule: "must not be negative")
    }
    self.asset = asset
    self.subID = subID
    self.limitPrice = limitPrice
    self.amount = amount
    self.maximumFee = maximumFee
    self.recipient = recipient
    self.side = side
  }

  /// Reads the 224 bytes that a client signed; a refusal names the argument, its value and the rule.
  public init(parsing bytes: UnsafeRawBufferPointer) throws(SigningError) {
    var arguments = try ABIArguments(bytes, words: Self.wordCount, of: "trade data")
    let asset = try arguments.address("asset")
    let subID = arguments.digest()
    let limitPrice = try arguments.decimal("limitPrice", as: Price.self)
    let amount = try arguments.decimal("amount", as: Quantity.self)
    let maximumFee = try arguments.decimal("maxFee", as: Money.self)
    let recipient = try arguments.unsigned("recipientId")
    guard let recipient = UInt32(exactly: recipient) else {
      throw .field(name: "recipientId", value: "\(recipient)", rule: "must be an account, below 2^32")
    }
    let isBid = try arguments.bool("isBid")
    try self.init(
      asset: asset, subID: subID, limitPrice: limitPrice, amount: amount, maximumFee: maximumFee,
      recipient: AccountID(recipient), side: isBid ? .buy : .sell)
  }

  /// The ABI encoding.
  public var encoded: [UInt8] { abiEncoding }

  func write(to words: inout ABIWords) {
    words.address(asset)
    words.digest(subID)
    words.decimal(limitPrice)
    words.decimal(amount)
    words.decimal(maximumFee)
    words.unsigned(UInt64(recipient.rawValue))
    words.bool(side == .buy)
  }
}
