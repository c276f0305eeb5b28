import ArgumentParser
import Market
import Operations

/// Market-maker protection.
struct ProtectionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "protection", abstract: "Limit what an account's quotes may trade in a rolling window.",
    subcommands: [Set.self, Show.self, Reset.self])

  struct Set: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "set", abstract: "Set the limits for an underlying.",
      discussion: """
        What the account's quotes trade as makers is counted over the last --window milliseconds. Beyond a limit all \
        its quotes of the underlying go in the same step, and quotes are refused for --freeze milliseconds (0: until \
        novation protection reset). Each shard of the underlying counts against its share: the limit divided by their \
        number, rounded up; a shard that trips tells the others through risk. So over n shards less than the limit and \
        n of the largest resting quotes can trade. --none takes the limits away.

        JSON: account, setting, is_by_operator, parts [{machine, outcome, code, is_accepted, sequence, reason}].

        EXAMPLES
          novation protection set --account 7 --underlying BTC --quantity 10 --delta 5 \\
            --vega 2000 --window 1000 --freeze 5000
        """)
    @Option(help: "The account's number; its key file must be here.") var account: UInt32
    @Option(help: "The underlying; BTC or ETH, for example.") var underlying: String
    @Option(help: "Limit on quantity, in coins.") var quantity: String?
    @Option(help: "Limit on net delta, in coins.") var delta: String?
    @Option(help: "Limit on net vega, in USD per volatility point.") var vega: String?
    @Option(help: "Length of the window in milliseconds.") var window: UInt32 = 1_000
    @Option(help: "How long quotes are refused after a trip, in milliseconds; 0 until reset.") var freeze: UInt32 = 0
    @Flag(help: "Take all limits away.") var none = false
    @OptionGroup var cluster: ClusterOption
    @OptionGroup var output: OutputOption

    func validate() throws {
      if none, quantity != nil || delta != nil || vega != nil {
        throw ValidationError("--none and a limit: give either")
      }
    }

    func run() throws {
      var limits = Safeguard.Limits()
      limits.quantity = try quantity.map { try Reading.decimal($0, "--quantity", as: Quantity.self) } ?? .zero
      limits.delta = try delta.map { try Reading.decimal($0, "--delta", as: Price.self) } ?? .zero
      limits.vega = try vega.map { try Reading.decimal($0, "--vega", as: Price.self) } ?? .zero
      limits.windowMilliseconds = window
      limits.freezeMilliseconds = freeze
      limits.isNone = none
      let safeguard = Safeguard.protection(limits)
      try safeguard.validate()
      try output.show(
        SafeguardReport(
          safeguard, account: Reading.account(account), underlying: underlying, in: cluster.session()))
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show", abstract: "Say where an account may quote, and where protection has tripped.",
      discussion: """
        With the limits in force, those of the last novation protection set, stands what the account's quotes have \
        traded in the window.

        JSON: account, parts [{machine, underlying, is_tripped, refused_until, is_killed, is_frozen, quotes, \
        protection {quantity_limit, delta_limit, vega_limit, quantity, delta, vega, window_milliseconds, \
        freeze_milliseconds, shards}}].

        EXAMPLES
          novation protection show --account 7 --underlying BTC
        """)
    @Option(help: "The account's number.") var account: UInt32
    @Option(help: "Only in the shards of this underlying.") var underlying: String?
    @OptionGroup var cluster: ClusterOption
    @OptionGroup var output: OutputOption
    func run() throws {
      try output.show(
        ProtectionReport(Reading.account(account), underlying: underlying, in: cluster.session()))
    }
  }

  struct Reset: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "reset", abstract: "End the freeze after protection has tripped, and count anew.",
      discussion: """
        Quotes that went stay gone. JSON: as novation protection set.

        EXAMPLES
          novation protection reset --account 7 --underlying BTC
        """)
    @Option(help: "The account's number; its key file must be here.") var account: UInt32
    @Option(help: "The underlying.") var underlying: String
    @OptionGroup var cluster: ClusterOption
    @OptionGroup var output: OutputOption
    func run() throws {
      try output.show(
        SafeguardReport(
          .resetProtection, account: Reading.account(account), underlying: underlying, in: cluster.session()))
    }
  }
}

/// The timer that cancels unless it is set again.
struct DeadManCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dead-man", abstract: "Cancel all of an account's orders so many seconds from now, unless said again.",
    discussion: """
      Sent again before it fires, the time runs anew; off disarms it. Goes to every shard, or with --underlying to \
      those of one.

      JSON: account, setting, is_by_operator, parts [{machine, outcome, code, is_accepted, sequence, reason}].

      EXAMPLES
        novation dead-man 30 --account 7
        novation dead-man off --account 7
      """)
  @Argument(help: "Seconds, 1 to 86400, or off.") var seconds: String
  @Option(help: "The account's number; its key file must be here.") var account: UInt32
  @Option(help: "Only in the shards of this underlying.") var underlying: String?
  @OptionGroup var cluster: ClusterOption
  @OptionGroup var output: OutputOption

  private func timer() throws -> Safeguard {
    if seconds == "off" { return .deadMan(seconds: 0) }
    guard let count = UInt32(seconds), count > 0 else {
      throw ValidationError("\(seconds): it must be a number of seconds, 1 to 86400, or off")
    }
    let timer = Safeguard.deadMan(seconds: count)
    try timer.validate()
    return timer
  }

  func validate() throws { _ = try timer() }

  func run() throws {
    try output.show(
      SafeguardReport(timer(), account: Reading.account(account), underlying: underlying, in: cluster.session()))
  }
}

/// Cancels all and refuses more.
struct KillSwitchCommand: ParsableCommand {
  enum Position: String, ExpressibleByArgument, CaseIterable {
    case on, off
  }
  static let configuration = CommandConfiguration(
    commandName: "kill-switch", abstract: "Cancel all of an account's orders and refuse new ones, until switched off.",
    discussion: """
      The account's own key signs, or with --operator the operator's, which acts on any account; what the operator has \
      switched on, only the operator switches off. Goes to every shard, or with --underlying to those of one.

      JSON: account, setting, is_by_operator, parts [{machine, outcome, code, is_accepted, sequence, reason}].

      EXAMPLES
        novation kill-switch on --account 7
        novation kill-switch off --account 7 --operator
      """)
  @Argument(help: "on or off.") var position: Position
  @Option(help: "The account's number.") var account: UInt32
  @Flag(help: "Sign with the operator's key.") var `operator` = false
  @Option(help: "Only in the shards of this underlying.") var underlying: String?
  @OptionGroup var cluster: ClusterOption
  @OptionGroup var output: OutputOption

  func run() throws {
    try output.show(
      SafeguardReport(
        .killSwitch(isOn: position == .on), account: Reading.account(account), underlying: underlying,
        isByOperator: `operator`, in: cluster.session()))
  }
}
