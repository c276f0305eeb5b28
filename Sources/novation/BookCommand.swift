import ArgumentParser
import Foundation
import Operations

/// Shows a book, or follows it.
struct BookCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "book", abstract: "Show an instrument's book, or follow it and prove every change.",
    discussion: """
      Without options: the best levels, the mark, and the band in which orders are taken. --orders shows the orders \
      of those levels in priority, by their public numbers (L3). Sequence and checksum name the book's state: whoever \
      sums lots times weight over a copy of it gets the same checksum.

      --follow keeps a copy from a snapshot and every change after it, prints each new best bid and ask and each \
      trade, and holds the copy's checksum against the one that comes with the change; --seconds ends it, else Ctrl-C. \
      With --orders the copy is kept order by order, else by levels. Exit code 1 when a change is missing or the \
      checksums differ.

      JSON: instrument, shard, sequence, checksum, bids and asks [{price, quantity, orders}] with the best first, \
      mark, index, band_low, band_high; with --orders orders [{side, price, number, quantity}]. With --follow one \
      object a line: {event, sequence, …} of event l1 (bid, bid_quantity, ask, ask_quantity), trade (price, quantity, \
      taker) or state (state, price, quantity); at the end instrument, first_sequence, sequence, checksum, deltas, \
      trades, is_proven, reason.

      EXAMPLES
        novation book BTC-PERPETUAL --depth 5
        novation book BTC-PERPETUAL --orders --json
        novation book BTC-PERPETUAL --follow --seconds 10
      """)
  @Argument(help: "Name of the instrument.") var instrument: String
  @Option(help: "Levels a side, 1 to 50.") var depth: Int?
  @Flag(help: "Show, or follow, the book order by order.") var orders = false
  @Flag(help: "Keep a copy and print what changes.") var follow = false
  @Option(help: "With --follow: how long.") var seconds: Double?
  @OptionGroup var cluster: ClusterOption
  @OptionGroup var output: OutputOption

  func validate() throws {
    if let depth, !(1...BookReport.maximumDepth).contains(depth) {
      throw ValidationError("--depth \(depth): it must be 1 to \(BookReport.maximumDepth)")
    }
    if follow, let depth { throw ValidationError("--depth \(depth): --follow keeps the whole book; leave it out") }
    if let seconds {
      guard follow else { throw ValidationError("--seconds \(seconds): it goes with --follow") }
      guard seconds > 0 else { throw ValidationError("--seconds \(seconds): it must be positive") }
    }
  }

  func run() throws {
    let session = try cluster.session()
    guard follow else {
      return try output.show(BookReport(instrument, depth: depth ?? 10, hasOrders: orders, in: session))
    }
    Interruption.watch()
    let isJSON = output.json
    let report = try BookFollow(instrument, isByOrders: orders, seconds: seconds, in: session) { event in
      // Written at once, so that whoever reads a pipe need not wait for a buffer to fill.
      FileHandle.standardOutput.write(Data("\(isJSON ? event.json : event.text)\n".utf8))
    }
    try output.show(report)
  }
}
