import Bytes
import Market

/// Derive's withdrawal data: `abi.encode(address asset, uint maxFeeUsd, address recipient, uint amount,
/// bool forceBatch)`; the fee in 1e-18 USD, the amount in the token's own smallest unit.
public struct WithdrawalData: Sendable, Hashable, ModuleData {
  static let wordCount = 5
  /// Bytes of the encoding.
  public static let byteCount = wordCount * ABIWords.wordBytes

  /// The currency's token.
  public let token: Address
  /// Most fee in USD; not negative.
  public let maximumFee: Money
  public let recipient: Address
  /// In the token's smallest unit; positive.
  public let nativeAmount: UInt128

  /// Refuses an amount of nothing and a negative fee.
  public init(
    token: Address, maximumFee: Money, recipient: Address, nativeAmount: UInt128
  ) throws(SigningError) {
    guard maximumFee.units >= 0 else {
      throw .field(name: "maxFeeUsd", value: "\(maximumFee)", rule: "must not be negative")
    }
    guard nativeAmount > 0 else { throw .field(name: "amount", value: "0", rule: "must be positive") }
    self.token = token
    self.maximumFee = maximumFee
    self.recipient = recipient
    self.nativeAmount = nativeAmount
  }

  /// Reads the 160 bytes that a client signed; a refusal names the argument, its value and the rule.
  public init(parsing bytes: UnsafeRawBufferPointer) throws(SigningError) {
    var arguments = try ABIArguments(bytes, words: Self.wordCount, of: "withdrawal data")
    let token = try arguments.address("asset")
    let maximumFee = try arguments.decimal("maxFeeUsd", as: Money.self)
    let recipient = try arguments.address("recipient")
    let nativeAmount = try arguments.unsigned("amount")
    guard try !arguments.bool("forceBatch") else {
      throw .field(name: "forceBatch", value: "true", rule: "must be false: every withdrawal goes through an epoch")
    }
    try self.init(token: token, maximumFee: maximumFee, recipient: recipient, nativeAmount: nativeAmount)
  }

  /// The ABI encoding.
  public var encoded: [UInt8] { abiEncoding }

  func write(to words: inout ABIWords) {
    words.address(token)
    words.decimal(maximumFee)
    words.address(recipient)
    words.unsigned(nativeAmount)
    words.bool(false)
  }
}
