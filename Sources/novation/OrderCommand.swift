import ArgumentParser
import Foundation
import Market
import Operations

extension OrderTicket.Kind: ExpressibleByArgument {}
extension OrderTicket.Validity: ExpressibleByArgument {}
extension OrderTicket.Trigger: ExpressibleByArgument {}
extension OrderTicket.SelfTrade: ExpressibleByArgument {}
extension MassCancel.Kind: ExpressibleByArgument {}

/// Which way an order goes, as an option reads it.
enum SideOption: String, ExpressibleByArgument, CaseIterable {
  case buy, sell
  var side: Side { self == .buy ? .buy : .sell }
}

/// What new orders and those that replace others have in common.
struct OrderTermsOptions: ParsableArguments {
  @Option(help: "Limit price, on the tick.") var price: String?
  @Option(help: "gtc, ioc, fok, day or gtd.") var tif = OrderTicket.Validity.gtc
  @Option(help: "Life of a gtd order in seconds.") var expires: UInt32?
  @Flag(help: "Refuse it rather than trade at once.") var postOnly = false
  @Flag(help: "With --post-only: slide to the best price that does not cross, rather than refuse.") var slide = false
  @Flag(help: "Only ever bring the position nearer to zero.") var reduceOnly = false
  @Option(help: "Iceberg: the quantity that shows at a time.") var display: String?
  @Option(help: "Fill at least so much at once, or refuse.") var minimum: String?
  @Option(help: "What goes when it meets an order of its own: taker, maker, both or decrement.")
  var stp: OrderTicket.SelfTrade?
  @Option(help: "A number of your own on it, for mass cancels.") var label: UInt32?
  @Flag(help: "Cancel it when this command ends, or is cut off; see --wait.") var cancelOnDisconnect = false
  @Option(help: "Seconds to follow an order that stays open.") var wait = 0.0

  func validate() throws {
    guard (0...86_400).contains(wait) else { throw ValidationError("--wait \(wait): it must be 0 to 86400 seconds") }
  }

  func fill(_ ticket: inout OrderTicket) throws {
    ticket.price = try price.map { try Reading.decimal($0, "--price", as: Price.self) }
    ticket.validity = tif
    ticket.expiresSeconds = expires
    ticket.isPostOnly = postOnly
    ticket.isSliding = slide
    ticket.isReduceOnly = reduceOnly
    ticket.display = try display.map { try Reading.decimal($0, "--display", as: Quantity.self) }
    ticket.minimum = try minimum.map { try Reading.decimal($0, "--minimum", as: Quantity.self) }
    ticket.selfTrade = stp
    ticket.label = label
    ticket.isCancelledOnDisconnect = cancelOnDisconnect
  }
}

/// Places one order.
struct OrderCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "order", abstract: "Sign one order, place it, and say what became of it.",
    discussion: """
      Price and quantity are checked against the instrument's tick and lot before anything is signed. The order's name \
      is account/key/nonce/index; novation cancel, amend and replace take it as --order. A refusal prints code and \
      reason, exit code 1; options that contradict each other are exit code 2.

      Types (--type): limit; market, up to the band around the mark; stop-limit and stop-market, which wait until the \
      price goes against you to --trigger-price (a buy's rises to it, a sell's falls to it); take-profit-limit and \
      take-profit-market, which wait for the other direction; trailing-stop, a stop-market that follows the best price \
      since by --trail. --trigger says which price: mark (unless said otherwise), index or last.

      Validity (--tif): gtc until cancelled; ioc what trades at once, the rest dropped; fok whole at once or not at \
      all; day until 08:00 UTC; gtd for --expires seconds.

      JSON: outcome, code, is_accepted, order, nonce, index, instrument, side, quantity, price, trigger_price, \
      client_id, label, filled, fills [{number, price, quantity, fee, is_maker}], machine, term, sequence, reason.

      EXAMPLES
        novation order --account 7 --instrument BTC-PERPETUAL --side buy \\
          --quantity 100 --price 99500
        novation order --account 7 --instrument BTC-PERPETUAL --side sell \\
          --quantity 100 --type market --reduce-only
        novation order --account 7 --instrument ETH-PERPETUAL --side buy \\
          --quantity 10 --price 3900 --tif gtd --expires 30 --post-only --wait 30
        novation order --account 7 --instrument BTC-PERPETUAL --side sell \\
          --quantity 100 --type stop-market --trigger-price 95000 --trigger index
        novation order --account 7 --instrument BTC-PERPETUAL --side buy \\
          --quantity 1000 --price 99500 --display 100 --label 12 --client-id 34
      """)
  @Option(help: "The account's number; its key file must be here.") var account: UInt32
  @Option(help: "Name of the instrument.") var instrument: String
  @Option(help: "buy or sell.") var side: SideOption
  @Option(help: "Quantity, whole lots.") var quantity: String
  @Option(
    help: "limit, market, stop-limit, stop-market, take-profit-limit, take-profit-market or trailing-stop.")
  var type = OrderTicket.Kind.limit
  @Option(help: "A stop's trigger price.") var triggerPrice: String?
  @Option(help: "Price that a stop watches: mark, index or last.") var trigger: OrderTicket.Trigger?
  @Option(help: "Distance that a trailing stop keeps from the best price.") var trail: String?
  @Option(help: "An id of your own for it; no two open orders may share one.") var clientId: UInt64?
  @OptionGroup var terms: OrderTermsOptions
  @OptionGroup var cluster: ClusterOption
  @OptionGroup var output: OutputOption

  func run() throws {
    var ticket = OrderTicket(
      account: try Reading.account(account), instrument: instrument, side: side.side,
      quantity: try Reading.decimal(quantity, "--quantity", as: Quantity.self))
    ticket.kind = type
    ticket.triggerPrice = try triggerPrice.map { try Reading.decimal($0, "--trigger-price", as: Price.self) }
    ticket.trigger = trigger
    ticket.trail = try trail.map { try Reading.decimal($0, "--trail", as: Price.self) }
    ticket.clientID = clientId
    try terms.fill(&ticket)
    try ticket.validate()
    try output.show(OrderPlacement(ticket, in: cluster.session(), waitSeconds: terms.wait))
  }
}
