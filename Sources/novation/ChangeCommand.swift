import ArgumentParser
import Foundation
import Market
import Operations

/// Names one order of an account.
struct OrderTargetOptions: ParsableArguments {
  @Option(help: "The order's name, account/key/nonce/index as it was printed.") var order: String?
  @Option(help: "Nonce of the action that placed the order, instead of its name.") var nonce: UInt64?
  @Option(help: "With --nonce: the order's place in that action.") var index: UInt16?
  @Option(help: "The id that you gave it.") var clientId: UInt64?

  /// How many of the three ways are used.
  private var ways: [String] {
    [
      order == nil ? nil : "--order", nonce == nil ? nil : "--nonce", clientId == nil ? nil : "--client-id",
    ].compactMap(\.self)
  }
  var isGiven: Bool { !ways.isEmpty || index != nil }

  func validate() throws {
    if ways.count > 1 { throw ValidationError("\(ways.joined(separator: " and ")): name the order in one way") }
    if index != nil, nonce == nil { throw ValidationError("--index goes with --nonce") }
  }

  func target(account: AccountID, instrument: String?) throws -> OrderTarget {
    if let order { return try OrderTarget(reading: order, account: account, instrument: instrument) }
    if let nonce { return .name(nonce: nonce, index: index ?? 0, instrument: instrument) }
    guard let clientId else {
      throw CommandMistake("--order is missing: name the order by --order, --nonce and --index, or --client-id")
    }
    return .clientID(clientId, instrument: instrument)
  }
}

/// Cancels orders.
struct CancelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cancel", abstract: "Cancel one order, or all of an account that match.",
    discussion: """
      One order is named by --order, by --nonce and --index, or by --client-id. Otherwise every open order goes that \
      matches all of --instrument, --underlying, --kind, --label and --quotes; --all alone is all of the account. One \
      signed action goes to each shard concerned. Exit code 1 if the order is not open.

      JSON: account, cancelled, parts [{machine, outcome, code, is_accepted, sequence, reason}].

      EXAMPLES
        novation cancel --account 7 --order 7/0/1795340000000000000/0
        novation cancel --account 7 --client-id 34
        novation cancel --account 7 --instrument BTC-PERPETUAL
        novation cancel --account 7 --underlying BTC --kind option --quotes
        novation cancel --account 7 --all
      """)
  @Option(help: "The account's number; its key file must be here.") var account: UInt32
  @OptionGroup var target: OrderTargetOptions
  @Flag(help: "Every open order, or every one that matches the rest.") var all = false
  @Option(help: "Only of this instrument.") var instrument: String?
  @Option(help: "Only of this underlying.") var underlying: String?
  @Option(help: "Only on perpetual, future, option, call or put.") var kind: MassCancel.Kind?
  @Option(help: "Only orders with this label.") var label: UInt32?
  @Flag(help: "Only sides of quotes.") var quotes = false
  @OptionGroup var cluster: ClusterOption
  @OptionGroup var output: OutputOption

  private var filters: [String] {
    [
      all ? "--all" : nil, underlying == nil ? nil : "--underlying", kind == nil ? nil : "--kind",
      label == nil ? nil : "--label", quotes ? "--quotes" : nil,
    ].compactMap(\.self)
  }

  func validate() throws {
    if target.isGiven, let filter = filters.first {
      throw ValidationError("\(filter): one order was named; leave either out")
    }
    if !target.isGiven, filters.isEmpty, instrument == nil {
      throw ValidationError(
        "--order is missing: name an order by --order, --nonce or --client-id, or give --all or a filter")
    }
  }

  func run() throws {
    let account = try Reading.account(account)
    guard !target.isGiven else {
      let order = try target.target(account: account, instrument: instrument)
      return try output.show(OrderCancellation(.order(order), account: account, in: cluster.session()))
    }
    var mass = MassCancel()
    mass.instrument = instrument
    mass.underlying = underlying
    mass.kind = kind
    mass.label = label
    mass.isQuotesOnly = quotes
    try mass.validate()
    try output.show(OrderCancellation(.mass(mass), account: account, in: cluster.session()))
  }
}

/// Makes an order smaller.
struct AmendCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "amend", abstract: "Make a resting order smaller in its place, keeping its priority.",
    discussion: """
      --quantity is what stays open, less than what is open now; an iceberg loses hidden lots first. For another price \
      or more, see novation replace.

      JSON: account, order, instrument, quantity, outcome, code, is_accepted, machine, term, sequence, reason.

      EXAMPLES
        novation amend --account 7 --order 7/0/1795340000000000000/0 --quantity 50
      """)
  @Option(help: "The account's number; its key file must be here.") var account: UInt32
  @OptionGroup var target: OrderTargetOptions
  @Option(help: "The instrument, if several share a client id.") var instrument: String?
  @Option(help: "What stays open, whole lots.") var quantity: String
  @OptionGroup var cluster: ClusterOption
  @OptionGroup var output: OutputOption

  func run() throws {
    let account = try Reading.account(account)
    let target = try target.target(account: account, instrument: instrument)
    let left = try Reading.decimal(quantity, "--quantity", as: Quantity.self)
    try output.show(OrderAmendment(target, to: left, account: account, in: cluster.session()))
  }
}

/// Puts another order in a resting one's stead.
struct ReplaceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replace", abstract: "Replace a resting order by another under the same name, last in its queue.",
    discussion: """
      In one step the old order goes and the new one is placed; if the new one is refused the old one stays. The \
      new order has the old one's name and side, and its client id; price and quantity are the old one's open ones \
      unless given. Everything else (validity, flags, label) is what is said here. Only resting orders can be replaced.

      JSON: as novation order.

      EXAMPLES
        novation replace --account 7 --order 7/0/1795340000000000000/0 --price 99450
      """)
  @Option(help: "The account's number; its key file must be here.") var account: UInt32
  @OptionGroup var target: OrderTargetOptions
  @Option(help: "The instrument, if several share a client id.") var instrument: String?
  @Option(help: "buy or sell; the old order's unless given.") var side: SideOption?
  @Option(help: "Quantity, whole lots.") var quantity: String?
  @OptionGroup var terms: OrderTermsOptions
  @OptionGroup var cluster: ClusterOption
  @OptionGroup var output: OutputOption

  func run() throws {
    let account = try Reading.account(account)
    let target = try target.target(account: account, instrument: instrument)
    let session = try cluster.session()
    var ticket = try OrderTicket(
      replacing: target, account: account, side: side?.side,
      quantity: quantity.map { try Reading.decimal($0, "--quantity", as: Quantity.self) },
      price: terms.price.map { try Reading.decimal($0, "--price", as: Price.self) }, in: session)
    let price = ticket.price
    try terms.fill(&ticket)
    ticket.price = price
    try output.show(OrderPlacement(ticket, replacing: target, in: session, waitSeconds: terms.wait))
  }
}
