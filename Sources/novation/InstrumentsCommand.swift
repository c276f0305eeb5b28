import ArgumentParser
import Operations

/// The listed contracts.
struct InstrumentsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "instruments", abstract: "List a market's contracts, show one, or import a recorded market.",
    subcommands: [List.self, Show.self, Import.self])

  enum Kind: String, ExpressibleByArgument, CaseIterable {
    case perpetual, future, call, put
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "List the contracts of an opened market; no process need run.",
      discussion: """
        JSON: instruments [the object of novation instruments show].

        EXAMPLES
          novation instruments list --underlying BTC --kind perpetual
        """)
    @Option(help: "Only this underlying's.") var underlying: String?
    @Option(help: "Only perpetual, future, call or put.") var kind: Kind?
    @OptionGroup var cluster: ClusterOption
    @OptionGroup var output: OutputOption
    func run() throws {
      let market = try ClusterSession.market(dataDirectory: cluster.directory)
      try output.show(InstrumentList(in: market, underlying: underlying, kind: kind?.rawValue))
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show", abstract: "Show one contract: tick, lot, limits, expiry, and how signed orders name it.",
      discussion: """
        JSON: name, id, kind, settlement, underlying, settlement_currency, shard, expiry, strike, tick_size, \
        tick_steps [{from, tick}], lot_size, minimum_order, maximum_order, asset, sub_id.

        EXAMPLES
          novation instruments show BTC-PERPETUAL
        """)
    @Argument(help: "Name of the instrument.") var name: String
    @OptionGroup var cluster: ClusterOption
    @OptionGroup var output: OutputOption
    func run() throws {
      let market = try ClusterSession.market(dataDirectory: cluster.directory)
      try output.show(InstrumentReport(named: name, in: market))
    }
  }

  struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "import", abstract: "Make an instrument file from a recorded option chain.",
      discussion: """
        All expiries are moved by one whole number of days, so that the snapshot's instant is now; --as-recorded \
        leaves them where they were. Start a cluster on the file with novation run --instruments FILE.

        JSON: file, rows, excluded [{reason, count}], options, futures, perpetuals, instruments, shift_days, snapshot, \
        instant.

        EXAMPLES
          novation instruments import --deribit snapshot.csv.gz --out instruments.toml
        """)
    @Option(help: "Option-chain snapshot, CSV compressed by gzip.") var deribit: String
    @Option(help: "Instrument file to write.") var out: String
    @Flag(help: "Leave the expiries where they were.") var asRecorded = false
    @OptionGroup var output: OutputOption
    func run() throws {
      try output.show(InstrumentImport(deribit: deribit, out: out, isAsRecorded: asRecorded))
    }
  }
}
