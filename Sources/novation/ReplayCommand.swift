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
      tape_hash (16 hexadecimal digits), final_orders, final_levels, final_qty, final_pq, ns_per_op (after the \
      warm-up). --latency times every single operation after the warm-up and adds p50_ns, p99_ns, p999_ns and max_ns, \
      from all samples, and clock_ns: what the clock alone tells, which is in each of them (and in ns_per_op).

      --format lobster takes a LOBSTER recording: a ten-level book as one continuous book, a one-level book row by \
      row, each message a real input whose outcome is compared with the recorded row. JSON: rows_checked, \
      rows_disagreeing. Exit code 1 if a row disagrees.

      EXAMPLES
        novation replay --format obs stream.obs --json
        novation replay --format obs stream.obs --latency --limit 1000000
        novation replay --format lobster --messages message_10.csv --book orderbook_10.csv
      """)
  @Option(help: "obs or lobster.") var format: Format
  @Argument(help: "With --format obs: the stream.") var file: String?
  @Flag(help: "With --format obs: time every single operation.") var latency = false
  @Option(help: "With --format obs: replay only the first so many records.") var limit: Int?
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
      if let limit, limit < 1 { throw ValidationError("--limit \(limit): at least one record must be replayed") }
    case .lobster:
      if messages == nil || book == nil { throw ValidationError("--format lobster needs --messages and --book") }
      if let file { throw ValidationError("\(file): --format lobster takes only --messages and --book") }
      if latency || limit != nil { throw ValidationError("--latency and --limit go with --format obs") }
    }
  }

  func run() throws {
    switch format {
    case .obs: try output.show(StreamReplay.obs(file: file ?? "", limit: limit, latency: latency))
    case .lobster: try output.show(StreamReplay.lobster(messages: messages ?? "", book: book ?? ""))
    }
  }
}
