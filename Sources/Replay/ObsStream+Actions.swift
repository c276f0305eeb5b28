import Market

/// How a stream is traded: an action a record. Buys belong to accounts 1-64, sells to 65-128, by the order's id modulo
/// 64; order N is named by nonce N.
extension ObsStream {
  /// A market with the stream's books and accounts.
  public var market: RecordedMarket {
    RecordedMarket(instruments: instruments, accounts: 128, mark: minimumPrice / 2 + maximumPrice / 2)
  }

  /// Nonces of cancels, replacements and reductions: beyond every order's.
  fileprivate static let changes: UInt64 = 1 << 62

  /// One operation and who signs it.
  public struct Action {
    public var operation: Operation
    public var account: UInt32
    public var nonce: UInt64
  }
}

extension ObsStream.Record {
  /// The record as an action; `place` is its index in the stream. A reduction becomes an amendment to `quantity`, which
  /// the caller must take off what is open.
  public func action(at place: Int) -> ObsStream.Action {
    var operation = Operation(
      kind: .new, side: side, instrument: InstrumentID(instrument), price: Price(units: price),
      quantity: Quantity(units: Int64(quantity)))
    var nonce = ObsStream.changes + UInt64(place)
    operation.targetNonce = order
    switch kind {
    case .new, .immediate:
      operation.targetNonce = 0
      nonce = order
      if kind == .immediate { operation.rawTimeInForce = Operation.TimeInForce.immediateOrCancel.rawValue }
    case .cancel: operation.rawKind = Operation.Kind.cancel.rawValue
    case .replace: operation.rawKind = Operation.Kind.replace.rawValue
    case .reduce: operation.rawKind = Operation.Kind.amend.rawValue
    }
    return ObsStream.Action(operation: operation, account: UInt32(order % 64) + (side == .buy ? 1 : 65), nonce: nonce)
  }
}
