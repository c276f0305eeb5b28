import ArgumentParser
import Operations

/// Replays recorded order streams.
struct ReplayCommand: ParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case obs, lobster
  }
  static let configuration = CommandConfiguration(
    commandName: "replay", abstract: "Drive one matching shard in this process with a recorded order stream.",
    discussion: """
      The stream goes through the same code that a matcher process runs, without sockets and without a journal.

      --format obs FILE takes a neutral order stream. JSON: operations, trades, volume, notional (modulo 2^64), \
      tape_hash (16 hexadecimal digits), final_orders, final_levels, final_qty, final_pq, ns_per_op (after the warm-up).

      --format lobster takes a LOBSTER recording: a ten-level book as one continuous book, a one-level book row by \
      row, each message a real input whose outcome is compared with the recorded row. JSON: rows_checked, \
      rows_disagreeing. Exit code 1 if a row disagrees.

      EXAMPLES
        novation replay --format obs stream.obs --json
        novation replay --format lobster --messages message_10.csv --book orderbook_10.csv
      """)
  @Option(help: "obs or lobster.") var format: Format
  @Argument(help: "With --format obs: the stream.") var file: String?
  @Option(help: "With --format lobster: the message file.") var messages: String?
  @Option(help: "With --format lobster: the order book file.") var book: String?
  @OptionGroup var output: OutputOption

  func validate() throws {
    switch format {
    case .obs:
      if file == nil { throw ValidationError("--format obs needs the stream's file") }
      if messages != nil || book != nil {
        throw ValidationError("--messages and --book go with --format lobster; --format obs takes one file")
      }
    case .lobster:
      if messages == nil || book == nil { throw ValidationError("--format lobster needs --messages and --book") }
      if let file { throw ValidationError("\(file): --format lobster takes only --messages and --book") }
    }
  }

  func run() throws {
    switch format {
    case .obs: try output.show(StreamReplay.obs(file: file ?? ""))
    case .lobster: try output.show(StreamReplay.lobster(messages: messages ?? "", book: book ?? ""))
    }
  }
}
