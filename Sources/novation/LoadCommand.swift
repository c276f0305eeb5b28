import ArgumentParser
import Foundation
import Operations

/// Drives a running cluster.
struct LoadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "load", abstract: "Drive a running cluster with an open-loop load and report latencies.",
    discussion: """
      Orders are offered at their intended times whatever the exchange does, so that waiting is not hidden. An order is \
      one signed operation of the mix; --batch of them share a signature.
      """)

  @Option(help: "The cluster's data directory.") var data = "data"
  @Option(help: "Orders a second.") var rate = 1_000
  @Option(help: "Orders under one signature, 1 to 256.") var batch = 32
  @Option(help: "Accounts that trade.") var accounts = 64
  @Option(help: "Shares in percent, as new=45,cancel=40,replace=5,crossing=10.") var mix: String?
  @Option(help: "Seed of the load.") var seed: UInt64 = 1
  @Option(help: "Length of the measured window.") var seconds = 10.0
  @Option(help: "Seconds of load before the window.") var warmup = 2.0
  @Flag(help: "Print one JSON object on the last line.") var json = false

  func validate() throws {
    guard (1...10_000_000).contains(rate) else { throw ValidationError("--rate \(rate): it must be 1 to 10000000") }
    guard (1...256).contains(batch) else { throw ValidationError("--batch \(batch): it must be 1 to 256") }
    guard (1...100_000).contains(accounts) else {
      throw ValidationError("--accounts \(accounts): it must be 1 to 100000")
    }
    guard seconds > 0 else { throw ValidationError("--seconds \(seconds): it must be positive") }
    guard warmup >= 0 else { throw ValidationError("--warmup \(warmup): it must not be negative") }
  }

  func run() throws {
    Interruption.watch()
    var configuration = LoadConfiguration()
    configuration.rate = rate
    configuration.batch = batch
    configuration.accounts = accounts
    if let mix { configuration.mix = try LoadMix(parsing: mix) }
    configuration.seed = seed
    configuration.seconds = seconds
    configuration.warmup = warmup
    let outcome = try LoadSession(dataDirectory: data, configuration: configuration).run()
    print(Output.json(outcome.report))
  }
}
