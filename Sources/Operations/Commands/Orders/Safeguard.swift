import Market

/// What guards an account against itself and its own machines, set in every shard concerned.
public enum Safeguard: Sendable {
  /// Limits on what quotes may trade as makers in a rolling window; a limit of zero is none.
  public struct Limits: Sendable {
    /// Coins of the underlying.
    public var quantity = Quantity.zero
    /// Net coins.
    public var delta = Price.zero
    /// Net USD per volatility point.
    public var vega = Price.zero
    public var windowMilliseconds: UInt32 = 1_000
    /// Zero freezes until a reset.
    public var freezeMilliseconds: UInt32 = 0
    /// Asked for: no limit at all.
    public var isNone = false
    public init() {}
  }
  case protection(Limits)
  case resetProtection
  /// Seconds until all orders are cancelled; zero disarms.
  case deadMan(seconds: UInt32)
  case killSwitch(isOn: Bool)

  /// The longest dead-man timer: a day.
  static let longestTimer: UInt32 = 86_400

  /// What the command is about, for its result.
  var name: String {
    switch self {
    case .protection(let limits): limits.isNone ? "no protection" : "protection"
    case .resetProtection: "protection reset"
    case .deadMan(0): "dead-man timer off"
    case .deadMan(let seconds): "dead-man timer of \(seconds) s"
    case .killSwitch(let isOn): "kill switch \(isOn ? "on" : "off")"
    }
  }

  public func validate() throws(CommandMistake) {
    switch self {
    case .protection(let limits):
      for (option, units) in [
        ("--quantity", limits.quantity.units), ("--delta", limits.delta.units), ("--vega", limits.vega.units),
      ] where units < 0 {
        throw CommandMistake("\(option) \(Price(units: units)): a limit must not be negative; 0 is none")
      }
      if limits.isNone { return }
      if limits.windowMilliseconds == 0 { throw CommandMistake("--window 0: it must be 1 ms or longer") }
      if limits.quantity == .zero, limits.delta == .zero, limits.vega == .zero {
        throw CommandMistake("a limit is missing: give at least one of --quantity, --delta and --vega, or --none")
      }
    case .deadMan(let seconds) where seconds > Self.longestTimer:
      throw CommandMistake("dead-man \(seconds): it must be 1 to \(Self.longestTimer) seconds, or off")
    case .resetProtection, .deadMan, .killSwitch: break
    }
  }

  /// The operation to sign. - Parameter account: whom the operator acts upon; `nil` where the account signs itself.
  func operation(on account: AccountID?) -> Market.Operation {
    // Their instrument field is unused and zero: the shard is named beside the action.
    let unused = InstrumentID(0)
    switch self {
    case .protection(let limits):
      return Market.Operation(
        kind: .protection, instrument: unused, price: limits.delta, quantity: limits.quantity,
        targetNonce: UInt64(limits.freezeMilliseconds) << 32 | UInt64(limits.windowMilliseconds),
        triggerPrice: limits.vega)
    case .resetProtection: return Market.Operation(kind: .resetProtection, instrument: unused)
    case .deadMan(let seconds):
      return Market.Operation(kind: .deadMan, instrument: unused, targetNonce: UInt64(seconds) * 1_000)
    case .killSwitch(let isOn):
      var operation = Market.Operation(
        kind: .killSwitch, instrument: unused, targetNonce: UInt64(account?.rawValue ?? 0))
      operation.rawType = isOn ? 1 : 0
      return operation
    }
  }
}

/// A safeguard as the shards took it.
public struct SafeguardReport: CommandReport {
  public var account: UInt32
  public var setting: String
  /// True where the operator signed, not the account.
  public var isByOperator: Bool
  public var parts: [ActionPart]

  public var isGood: Bool { parts.allSatisfy(\.isAccepted) }

  /// - Parameters:
  ///   - underlying: only in the shards of this one; in all without it.
  ///   - isByOperator: sign with the operator's key, for kill switches.
  public init(
    _ safeguard: Safeguard, account: AccountID, underlying name: String?, isByOperator: Bool = false,
    in session: ClusterSession
  ) throws {
    try safeguard.validate()
    let underlying = try name.map { try session.market.underlying(named: $0) }
    let signer = isByOperator ? try session.operatorCredentials() : try session.store.load(account)
    self.account = account.rawValue
    setting = safeguard.name
    self.isByOperator = isByOperator
    parts = []
    let submission = ActionSubmission(try session.gateway())
    let operation = safeguard.operation(on: isByOperator ? account : nil)
    for shard in try session.market.shards(of: underlying) {
      let batch = try SignedBatch([operation], by: signer, to: shard, in: session, through: submission)
      parts.append(ActionPart(batch, operations: 1))
    }
  }

  public var text: String {
    let first = "account \(account): \(setting)\(isByOperator ? ", by the operator" : "")"
    return ([first] + parts.map(\.line)).joined(separator: "\n")
  }
}
