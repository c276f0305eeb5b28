import Bytes
import Market

/// From our types to the modules' data and back.
extension ActionSigning {
  /// The data of one action, whichever its module.
  enum SignedData {
    case trade(TradeData)
    case batch(BatchData)
    case withdrawal(WithdrawalData)

    var hash: Digest {
      switch self {
      case .trade(let data): data.hash
      case .batch(let data): data.hash
      case .withdrawal(let data): data.hash
      }
    }
    var encoded: [UInt8] {
      switch self {
      case .trade(let data): data.encoded
      case .batch(let data): data.encoded
      case .withdrawal(let data): data.encoded
      }
    }
  }

  func data(of action: SignedActionView) throws(SigningError) -> SignedData {
    let header = action.header
    switch header.module {
    case .batch:
      try requireZeroFee(header)
      return .batch(BatchData(action))
    case .trade:
      return .trade(try tradeData(of: action[0], header))
    case .withdrawal:
      try requireZeroFee(header)
      guard header.underlying.rawValue == 0 else {
        throw .field(name: "underlying", value: "\(header.underlying)", rule: "must be 0 for a withdrawal")
      }
      var reader = ByteReader(action.operations)
      let withdrawal = Withdrawal(from: &reader)
      guard reader.isExhausted else {
        throw .field(name: "operation", value: "64 bytes", rule: "must be a well-formed withdrawal")
      }
      return .withdrawal(try withdrawalData(of: withdrawal))
    }
  }

  private func requireZeroFee(_ header: SignedActionHeader) throws(SigningError) {
    guard header.maximumFee == .zero else {
      throw .field(
        name: "maximum fee", value: "\(header.maximumFee)", rule: "must be 0 in the header of a \(header.module)")
    }
  }

  private func tradeData(of operation: Operation, _ header: SignedActionHeader) throws(SigningError) -> TradeData {
    guard operation.kind == .new else {
      throw .field(name: "kind", value: "\(operation.rawKind)", rule: "must be 1 (new) in a trade")
    }
    guard let side = operation.side else {
      throw .field(name: "side", value: "\(operation.rawSide)", rule: "must be 0 (buy) or 1 (sell)")
    }
    guard let type = operation.type, type == .limit || type == .stopLimit || type == .takeProfitLimit else {
      throw .field(name: "type", value: "\(operation.rawType)", rule: "must have a limit price, which a trade signs")
    }
    guard let instrument = market[operation.instrument] else {
      throw .field(name: "instrument", value: "\(operation.instrument)", rule: "must be one of the market's")
    }
    guard instrument.underlying == header.underlying else {
      throw .field(
        name: "underlying", value: "\(header.underlying)",
        rule: "must be \(instrument.underlying), that of \(instrument.name)")
    }
    guard instruments[instrument.asset, instrument.subID] == instrument.id else {
      throw .field(
        name: "instrument", value: instrument.name, rule: "cannot be traded so: others share its asset and sub-id")
    }
    return try TradeData(
      asset: instrument.asset, subID: instrument.subID, limitPrice: operation.price, amount: operation.quantity,
      maximumFee: header.maximumFee, recipient: header.account, side: side)
  }

  private func withdrawalData(of withdrawal: Withdrawal) throws(SigningError) -> WithdrawalData {
    let index = Int(withdrawal.currency.rawValue)
    guard market.currencies.indices.contains(index) else {
      throw .field(name: "currency", value: "\(withdrawal.currency)", rule: "must be one of the market's")
    }
    let token = market.currencies[index].token
    guard try currency(of: token) == withdrawal.currency else {
      throw .field(name: "currency", value: "\(withdrawal.currency)", rule: "must be the one that its token names")
    }
    return try WithdrawalData(
      token: token, maximumFee: withdrawal.maximumFee, recipient: withdrawal.recipient,
      nativeAmount: decimals.native(withdrawal.amount, of: withdrawal.currency))
  }

  private func currency(of token: Address) throws(SigningError) -> Currency {
    let matches = market.currencies.indices.filter { market.currencies[$0].token == token }
    guard let match = matches.first, let raw = UInt8(exactly: match) else {
      throw .field(name: "asset", value: "\(token)", rule: "must be the token of one of the market's currencies")
    }
    guard matches.count == 1 else {
      throw .field(name: "asset", value: "\(token)", rule: "names several currencies: each needs a token of its own")
    }
    return Currency(raw)
  }

  /// The order that a client signed as trade data for `account`: a limit order, good till cancelled, whose other
  /// attributes the client sends beside it. The header also takes `instrument.underlying` and `data.maximumFee`.
  public func order(
    _ data: TradeData, account: AccountID
  ) throws(SigningError) -> (operation: Operation, instrument: Instrument) {
    guard data.recipient == account else {
      throw .field(name: "recipientId", value: "\(data.recipient)", rule: "must be the signing account, \(account)")
    }
    guard let id = instruments[data.asset, data.subID], let instrument = market[id] else {
      throw .field(
        name: "asset and subId", value: "\(data.asset) \(data.subID)", rule: "must name one of the market's instruments"
      )
    }
    let operation = Operation(
      kind: .new, side: data.side, instrument: id, price: data.limitPrice, quantity: data.amount)
    return (operation, instrument)
  }

  /// The withdrawal that a client signed as withdrawal data.
  public func withdrawal(_ data: WithdrawalData) throws(SigningError) -> Withdrawal {
    let currency = try currency(of: data.token)
    return Withdrawal(
      currency: currency, amount: try decimals.amount(data.nativeAmount, of: currency), recipient: data.recipient,
      maximumFee: data.maximumFee)
  }
}
