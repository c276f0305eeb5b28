import ArgumentParser
import Foundation
import Market
import Operations

extension OrderTicket.Kind: ExpressibleByArgument {}
extension OrderTicket.Validity: ExpressibleByArgument {}

/// Which way an order goes, as an option reads it.
enum SideOption: String, ExpressibleByArgument, CaseIterable {
  case buy, sell
  var side: Side { self == .buy ? .buy : .sell }
}

/// Places one order.
struct OrderCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "order", abstract: "Sign one order, place it, and say what became of it.",
    discussion: """
      Price and quantity are checked against the instrument's tick and lot before anything is signed. The order's name \
      is account/key/nonce/index; novation cancel takes nonce and index. A refusal prints code and reason, exit code \
      1.

      Validity (--tif): gtc until cancelled; ioc what trades at once, the rest dropped; fok whole at once or not at \
      all; day until 08:00 UTC; gtd for --expires seconds.

      JSON: outcome, code, is_accepted, order, nonce, index, instrument, side, quantity, price, filled, fills \
      [{number, price, quantity, fee, is_maker}], machine, term, sequence, reason.

      EXAMPLES
        novation order --account 7 --instrument BTC-PERPETUAL --side buy \\
          --quantity 100 --price 99500
        novation order --account 7 --instrument BTC-PERPETUAL --side sell \\
          --quantity 100 --type market --reduce-only
        novation order --account 7 --instrument ETH-PERPETUAL --side buy \\
          --quantity 10 --price 3900 --tif gtd --expires 30 --post-only --wait 30
      """)
  @Option(help: "The account's number; its key file must be here.") var account: UInt32
  @Option(help: "Name of the instrument.") var instrument: String
  @Option(help: "buy or sell.") var side: SideOption
  @Option(help: "Quantity, whole lots.") var quantity: String
  @Option(help: "Limit price, on the tick.") var price: String?
  @Option(help: "limit or market.") var type = OrderTicket.Kind.limit
  @Option(help: "gtc, ioc, fok, day or gtd.") var tif = OrderTicket.Validity.gtc
  @Option(help: "Life of a gtd order in seconds.") var expires: UInt32?
  @Flag(help: "Refuse it rather than trade at once.") var postOnly = false
  @Flag(help: "Only ever bring the position nearer to zero.") var reduceOnly = false
  @Option(help: "Seconds to follow an order that rests.") var wait = 0.0
  @OptionGroup var cluster: ClusterOption
  @OptionGroup var output: OutputOption

  func validate() throws {
    guard (0...86_400).contains(wait) else { throw ValidationError("--wait \(wait): it must be 0 to 86400 seconds") }
  }

  func run() throws {
    var ticket = OrderTicket(
      account: try Reading.account(account), instrument: instrument, side: side.side,
      quantity: try Reading.decimal(quantity, "--quantity", as: Quantity.self))
    ticket.price = try price.map { try Reading.decimal($0, "--price", as: Price.self) }
    ticket.kind = type
    ticket.validity = tif
    ticket.expiresSeconds = expires
    ticket.isPostOnly = postOnly
    ticket.isReduceOnly = reduceOnly
    try ticket.validate()
    try output.show(OrderPlacement(ticket, in: cluster.session(), waitSeconds: wait))
  }
}

/// Cancels orders.
struct CancelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cancel", abstract: "Cancel one order, or all of an account.",
    discussion: """
      One order is named by --nonce and --index, as novation order and novation account show print them. --all sends \
      one signed cancel-all to each shard, or with --instrument to that instrument's. Exit code 1 if the order is not \
      open.

      JSON: account, cancelled, parts [{machine, outcome, code, is_accepted, sequence, reason}].

      EXAMPLES
        novation cancel --account 7 --nonce 1795340000000000000 --index 0
        novation cancel --account 7 --all --instrument BTC-PERPETUAL
        novation cancel --account 7 --all
      """)
  @Option(help: "The account's number; its key file must be here.") var account: UInt32
  @Option(help: "Nonce of the action that placed the order.") var nonce: UInt64?
  @Option(help: "The order's place in that action.") var index: UInt16?
  @Flag(help: "Every open order.") var all = false
  @Option(help: "With --all: only of this instrument.") var instrument: String?
  @OptionGroup var cluster: ClusterOption
  @OptionGroup var output: OutputOption

  func validate() throws {
    if all, nonce != nil || index != nil {
      throw ValidationError("--all and --nonce: give either --all, or --nonce and --index of one order")
    }
    if !all, nonce == nil {
      throw ValidationError("--nonce is missing: name an order by --nonce and --index, or give --all")
    }
    if !all, instrument != nil {
      throw ValidationError("--instrument goes with --all; an order is named by --nonce and --index")
    }
  }

  func run() throws {
    let target: OrderCancellation.Target =
      nonce.map { .order(nonce: $0, index: index ?? 0) } ?? .all(instrument: instrument)
    try output.show(OrderCancellation(target, account: Reading.account(account), in: cluster.session()))
  }
}

/// Shows a book.
struct BookCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "book", abstract: "Show an instrument's book, its mark, and the band in which orders are taken.",
    discussion: """
      JSON: instrument, shard, sequence, bids and asks [{price, quantity, orders}] with the best first, mark, index, \
      band_low, band_high.

      EXAMPLES
        novation book BTC-PERPETUAL --depth 5
      """)
  @Argument(help: "Name of the instrument.") var instrument: String
  @Option(help: "Levels a side, 1 to 50.") var depth = 10
  @OptionGroup var cluster: ClusterOption
  @OptionGroup var output: OutputOption
  func validate() throws {
    guard (1...BookReport.maximumDepth).contains(depth) else {
      throw ValidationError("--depth \(depth): it must be 1 to \(BookReport.maximumDepth)")
    }
  }
  func run() throws { try output.show(BookReport(instrument, depth: depth, in: cluster.session())) }
}
