import ArgumentParser
import Listing
import Market
import Operations

/// The operator's word on how instruments trade.
struct InstrumentCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "instrument",
    abstract: "List new instruments; halt trading in them, hold a call auction, or open them again.",
    discussion: "Signed with the operator's key of the data directory; anybody else is refused.",
    subcommands: [Add.self, Halt.self, Auction.self, Open.self])

  /// Whose state changes.
  struct Which: ParsableArguments {
    @Argument(help: "Name of the instrument.") var instrument: String?
    @Option(help: "All of this underlying.") var underlying: String?
    @Flag(help: "All of the market.") var all = false

    func validate() throws {
      let count = [instrument != nil, underlying != nil, all].count { $0 }
      if count == 0 { throw ValidationError("name an instrument, or give --underlying or --all") }
      if count > 1 { throw ValidationError("an instrument, --underlying and --all: give one of them") }
    }

    var scope: TradingStateChange.Scope {
      instrument.map { .instrument($0) } ?? underlying.map { .underlying($0) } ?? .everything
    }
  }

  struct Add: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "add", abstract: "List contracts in the running market, by their names.",
      discussion: """
        A name says underlying, settlement, expiry, strike and kind, as those of novation instruments list do: \
        BTC-PERPETUAL, BTC_USDC-27MAR27, BTC-27MAR27-100000-C. Tick, lot and limits are those of the market's \
        contracts of the same sort, unless given. The contract joins the shard of its expiry, or, for a new expiry, \
        the shard of its underlying with the fewest contracts. An option is marked from the underlying's smiles. \
        Contracts are listed one after the other; each is tradable when the command ends. A listing cannot be taken \
        back.

        JSON: instruments [{name, id, shard, outcome, code, is_accepted, sequence, is_served, is_marked, reason}].

        EXAMPLES
          novation instrument add BTC-25JUN27
          novation instrument add BTC-25JUN27-120000-C BTC-25JUN27-120000-P --lot-size 0.1
        """)
    @Argument(help: "Names of the contracts.") var names: [String]
    @Option(help: "Price of a tick; one tick then holds at every price.") var tickSize: String?
    @Option(help: "Quantity of a lot.") var lotSize: String?
    @Option(help: "Smallest order, as a quantity.") var minimum: String?
    @Option(help: "Largest order, as a quantity.") var maximum: String?
    @Option(help: "The shard that is to trade it.") var shard: UInt16?
    @OptionGroup var cluster: ClusterOption
    @OptionGroup var output: OutputOption
    func run() throws {
      let contracts = try names.map { name in
        var contract = NewContract(name: name)
        contract.tickSize = try tickSize.map { try Reading.decimal($0, "--tick-size", as: Price.self) }
        contract.lotSize = try lotSize.map { try Reading.decimal($0, "--lot-size", as: Quantity.self) }
        contract.minimumOrder = try minimum.map { try Reading.decimal($0, "--minimum", as: Quantity.self) }
        contract.maximumOrder = try maximum.map { try Reading.decimal($0, "--maximum", as: Quantity.self) }
        contract.shard = shard.map { ShardID($0) }
        return contract
      }
      try output.show(InstrumentAddition(contracts, in: cluster.session()))
    }
  }

  struct Halt: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "halt", abstract: "Refuse everything but cancels and amendments; what rests stays.",
      discussion: """
        JSON: state, name, parts [{machine, outcome, code, is_accepted, sequence, reason}].

        EXAMPLES
          novation instrument halt BTC-PERPETUAL
          novation instrument halt --underlying BTC
        """)
    @OptionGroup var which: Which
    @OptionGroup var cluster: ClusterOption
    @OptionGroup var output: OutputOption
    func run() throws {
      try output.show(TradingStateChange(.halt, which.scope, seconds: nil, in: cluster.session()))
    }
  }

  struct Auction: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "auction", abstract: "Gather orders for so many seconds, then match them at one price and open.",
      discussion: """
        The price is the one at which most trades, then the least is left over, then the nearest to the mark. What it \
        would come to is published meanwhile: novation book INSTRUMENT --follow shows it.

        JSON: state, name, seconds, parts [{machine, outcome, code, is_accepted, sequence, reason}].

        EXAMPLES
          novation instrument auction BTC-PERPETUAL --seconds 10
        """)
    @OptionGroup var which: Which
    @Option(help: "How long orders gather.") var seconds = 10.0
    @OptionGroup var cluster: ClusterOption
    @OptionGroup var output: OutputOption
    func run() throws {
      try output.show(TradingStateChange(.auction, which.scope, seconds: seconds, in: cluster.session()))
    }
  }

  struct Open: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "open", abstract: "End a halt or an auction at once: match what crosses at one price, and trade on.",
      discussion: """
        JSON: state, name, parts [{machine, outcome, code, is_accepted, sequence, reason}].

        EXAMPLES
          novation instrument open --all
        """)
    @OptionGroup var which: Which
    @OptionGroup var cluster: ClusterOption
    @OptionGroup var output: OutputOption
    func run() throws {
      try output.show(TradingStateChange(.open, which.scope, seconds: nil, in: cluster.session()))
    }
  }
}

/// What codes mean.
struct OutcomesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "outcomes", abstract: "List every code with which an order may end: name, meaning, who can mend it.",
    discussion: """
      Below 100 accepted; 100 refused, the client can mend it; 200 refused, the account's standing; 300 refused, the \
      venue; 400 an open order ended without its owner's asking in that moment.

      JSON: outcomes [{code, name, text, is_accepted, remedy}]; remedy is client, account, venue or none.

      EXAMPLES
        novation outcomes
      """)
  @OptionGroup var output: OutputOption
  func run() throws { try output.show(OutcomeList()) }
}
