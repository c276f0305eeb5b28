import ArgumentParser
import Market
import Operations

/// Quotes both sides.
struct QuoteCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quote", abstract: "Quote both sides of an instrument, or of many in one atomic set a shard.",
    discussion: """
      A quote replaces the account's earlier quote in the instrument in one step; a side that is left out is emptied. \
      Each side is an order like any other, named account/key/nonce/index, and is refused alone if it must be; quotes \
      do not wait for credit. Market-maker protection counts what they trade: see novation protection.

      --file takes a quote a line: instrument,bid price,bid quantity,ask price,ask quantity (CSV, with or without a \
      heading) or {"instrument": …, "bid": "PRICE@QUANTITY", "ask": "PRICE@QUANTITY"}. The quotes of a shard are one \
      signed action, at most 256. Exit code 1 if any of them is refused.

      JSON: account, quotes [{instrument, outcome, code, is_accepted, bid, ask, machine, reason}], parts [{machine, \
      outcome, code, is_accepted, sequence, reason}].

      EXAMPLES
        novation quote BTC-PERPETUAL --account 7 --bid 99500@100 --ask 99520@100 --post-only
        novation quote BTC-PERPETUAL --account 7
        novation quote --account 7 --file quotes.csv --expires 60
        novation quote --account 7 --file quotes.csv --cancel-on-disconnect --wait 3600
      """)
  @Argument(help: "Name of the instrument; not with --file.") var instrument: String?
  @Option(help: "The account's number; its key file must be here.") var account: UInt32
  @Option(help: "The bid, PRICE@QUANTITY; left out, that side is empty.") var bid: String?
  @Option(help: "The ask, PRICE@QUANTITY; left out, that side is empty.") var ask: String?
  @Option(help: "A file of quotes, a line each.") var file: String?
  @Flag(help: "Refuse a side rather than trade at once.") var postOnly = false
  @Flag(help: "With --post-only: slide to the best price that does not cross, rather than refuse.") var slide = false
  @Option(help: "Seconds after which the quotes end.") var expires: UInt32?
  @Option(help: "A number of your own on them, for mass cancels.") var label: UInt32?
  @Flag(help: "Cancel them when this command ends, or is cut off; see --wait.") var cancelOnDisconnect = false
  @Option(help: "Seconds to stay connected once they stand.") var wait = 0.0
  @OptionGroup var cluster: ClusterOption
  @OptionGroup var output: OutputOption

  func validate() throws {
    guard (0...86_400).contains(wait) else { throw ValidationError("--wait \(wait): it must be 0 to 86400 seconds") }
    if file != nil, instrument != nil || bid != nil || ask != nil {
      throw ValidationError("--file and a quote of one instrument: give either")
    }
    if file == nil, instrument == nil {
      throw ValidationError("name the instrument to quote, or give --file")
    }
  }

  func run() throws {
    let account = try Reading.account(account)
    var terms = QuoteRequest.Terms()
    terms.isPostOnly = postOnly
    terms.isSliding = slide
    terms.isCancelledOnDisconnect = cancelOnDisconnect
    terms.expiresSeconds = expires
    terms.label = label
    try terms.validate()
    let quotes: [QuoteRequest] =
      if let file {
        try QuoteFile.load(file)
      } else {
        [
          QuoteRequest(
            instrument: instrument ?? "", bid: try bid.map { try QuoteRequest.Side(reading: $0, "--bid") },
            ask: try ask.map { try QuoteRequest.Side(reading: $0, "--ask") })
        ]
      }
    try output.show(QuotePlacement(quotes, terms, account: account, in: cluster.session(), waitSeconds: wait))
  }
}
