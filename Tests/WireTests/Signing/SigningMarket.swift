import Bytes
import Cryptography
import Market

@testable import Wire

/// A market small enough to sign in.
enum SigningMarket {
  static func address(_ byte: UInt8) -> Address { Address([UInt8](repeating: byte, count: 20)) }

  static func instrument(_ id: UInt32, asset: Address, subID: Digest, underlying: UInt8 = 0) -> Instrument {
    Instrument(
      id: InstrumentID(id), name: "I-\(id)", kind: .call, settlement: .linear, underlying: UnderlyingID(underlying),
      settlementCurrency: .usd, shard: ShardID(0), expiry: .never, strike: Price(whole: 1), tickSize: Price(units: 1),
      lotSize: Quantity(units: 1), maximumOrder: Lots(1_000_000), asset: asset, subID: subID)
  }

  /// Two underlyings; instruments 0 and 1 have names of their own, 2 and 3 share one.
  static var definition: MarketDefinition {
    var parameters = MarketParameters()
    parameters.chainID = 31_337
    parameters.verifyingContract = address(0xC0)
    parameters.tradeModule = address(0xA1)
    parameters.batchModule = address(0xA2)
    parameters.withdrawalModule = address(0xA3)
    return MarketDefinition(
      currencies: [
        .init(name: "USDC", underlying: nil, collateralWeight: 1_000_000, token: address(0x10)),
        .init(name: "BTC", underlying: UnderlyingID(0), collateralWeight: 900_000, token: address(0x11)),
        .init(name: "TWIN", underlying: UnderlyingID(1), collateralWeight: 900_000, token: address(0x12)),
        .init(name: "TWIN2", underlying: UnderlyingID(1), collateralWeight: 900_000, token: address(0x12)),
      ],
      underlyings: [
        .init(name: "BTC", openingIndex: Price(whole: 100_000)), .init(name: "ETH", openingIndex: Price(whole: 4_000)),
      ],
      instruments: [
        instrument(0, asset: address(0x20), subID: Digest(decimal: "7")),
        instrument(1, asset: address(0x20), subID: Digest(decimal: "8"), underlying: 1),
        instrument(2, asset: address(0x21), subID: Digest(decimal: "9")),
        instrument(3, asset: address(0x21), subID: Digest(decimal: "9")),
      ],
      shardCount: 1, parameters: parameters)
  }

  static let signing = ActionSigning(market: definition)

  static func header(
    _ module: SignedActionHeader.Module, count: Int = 1, underlying: UInt8 = 0, maximumFee: Money = .zero
  ) -> SignedActionHeader {
    SignedActionHeader(
      module: module, operationCount: UInt16(count), account: AccountID(75), nonce: 1_754_472_862_000_000_000,
      expiry: 1_893_456_000, underlying: UnderlyingID(underlying), signer: address(0x51), owner: address(0x52),
      signature: RecoverableSignature(r: .zero, s: .zero, recoveryID: 0), maximumFee: maximumFee)
  }

  static func batch(_ count: Int) -> SignedAction {
    let operations = (0..<count).map {
      Operation(
        kind: .new, side: $0 % 2 == 0 ? .buy : .sell, instrument: InstrumentID(0), price: Price(whole: Int64($0) + 1),
        quantity: Quantity(whole: 1), label: UInt32($0))
    }
    return SignedAction(header: header(.batch, count: count), operations: operations)
  }

  static func trade(instrument: UInt32 = 0) -> SignedAction {
    let operation = Operation(
      kind: .new, side: .sell, instrument: InstrumentID(instrument), price: Price("12.00000001")!,
      quantity: Quantity("0.5")!)
    return SignedAction(
      header: header(.trade, underlying: instrument == 1 ? 1 : 0, maximumFee: Money(whole: 3)), operations: [operation])
  }

  static func withdrawal(
    currency: Currency = .usd, amount: Money = Money(whole: 10), fee: Money = Money("1.5")!
  ) -> SignedAction {
    let withdrawal = Withdrawal(currency: currency, amount: amount, recipient: address(0x53), maximumFee: fee)
    let operation = try! Operation(decoding: withdrawal.encoded)
    return SignedAction(header: header(.withdrawal), operations: [operation])
  }
}

extension ActionSigning {
  func digest(of action: SignedAction) throws(SigningError) -> Digest {
    try action.withView { view throws(SigningError) in try digest(of: view) }
  }
  func verify(_ action: SignedAction) throws(SigningError) {
    try action.withView { view throws(SigningError) in try verify(view) }
  }
  func stages(of action: SignedAction) throws(SigningError) -> SigningStages {
    try action.withView { view throws(SigningError) in try stages(of: view) }
  }
  func signed(_ action: SignedAction, with key: PrivateKey) throws(SigningError) -> SignedAction {
    var action = action
    try sign(&action, with: key)
    return action
  }
}
