import ArgumentParser
import Foundation
import Operations

/// Drives a running cluster.
struct LoadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "load", abstract: "Drive a running cluster with an open-loop load and report latencies.",
    discussion: """
      Orders are offered at their intended times whatever the exchange does, so that waiting is not hidden: a latency \
      runs from the time an order was due to its durable answer. An order is one signed operation of the mix; --batch \
      of them share a signature and are due together. Ctrl-C ends early, with a report of what was measured.

      --sweep runs several rates one after the other, each with its own warm-up and window. --hdr writes \
      HdrHistogram's percentile text (.hgrm, milliseconds), which its plotters read; a sweep writes one file a rate \
      (FILE-20000.hgrm). --plot draws latency by percentile, and for a sweep latency and CPU against the offered rate.

      The cluster is found through --data. For one on another machine, copy its cluster.json and give it as --map, \
      with --keys for a directory of account key files; accounts that are missing are opened by depositing. Any client \
      may connect: what it may do is proved by its signatures. --gateway replaces the gateways' addresses in the map. \
      CPU and memory are those of processes on this machine.
      """)

  @Option(help: "The cluster's data directory.") var data = "data"
  @Option(help: "A cluster's cluster.json, instead of its data directory.") var map: String?
  @Option(help: "Directory of the accounts' key files.") var keys: String?
  @Option(parsing: .upToNextOption, help: "Endpoints of the gateways, such as tcp://10.0.0.5:7000.")
  var gateway: [String] = []
  @Option(help: "Orders a second.") var rate = 1_000
  @Option(help: "Rates one after the other, as RATE,RATE,… or FROM:TO:STEP; instead of --rate.") var sweep: String?
  @Option(help: "Orders under one signature, 1 to 256.") var batch = 32
  @Option(help: "Accounts that trade.") var accounts = 64
  @Option(help: "Open orders of an account in a shard, beyond which it cancels instead of placing more.")
  var open = 512
  @Option(help: "Shares in percent, as new=45,cancel=40,replace=5,crossing=10; stop, iceberg and quote are kinds too.")
  var mix: String?
  @Option(help: "Seed of the load.") var seed: UInt64 = 1
  @Option(help: "Length of the measured window.") var seconds = 10.0
  @Option(help: "Seconds of load before the window.") var warmup = 2.0
  @Option(help: "Write the latencies' percentiles there (.hgrm).") var hdr: String?
  @Option(help: "Draw the latencies there (.svg).") var plot: String?
  @Option(help: "Drive this shard only.") var shard: Int?
  @Option(help: "Write what was answered, slice by slice of time, there (.jsonl), as it happens.")
  var timeline: String?
  @Option(help: "Milliseconds of a slice.") var slice = 100
  @Flag(help: "Print one JSON object on the last line.") var json = false

  func validate() throws {
    guard SweepRates.limits.contains(rate) else {
      throw ValidationError("--rate \(rate): it must be 1 to \(SweepRates.limits.upperBound)")
    }
    guard (1...256).contains(batch) else { throw ValidationError("--batch \(batch): it must be 1 to 256") }
    guard (1...100_000).contains(accounts) else {
      throw ValidationError("--accounts \(accounts): it must be 1 to 100000")
    }
    guard (1...1_000_000).contains(open) else {
      throw ValidationError("--open \(open): it must be 1 to 1000000")
    }
    guard seconds > 0 else { throw ValidationError("--seconds \(seconds): it must be positive") }
    guard (1...10_000).contains(slice) else { throw ValidationError("--slice \(slice): it must be 1 to 10000") }
    if let shard, shard < 0 { throw ValidationError("--shard \(shard): it must not be negative") }
    guard warmup >= 0 else { throw ValidationError("--warmup \(warmup): it must not be negative") }
  }

  func run() throws {
    Interruption.watch()
    Lifeline.follow()
    var configuration = LoadConfiguration()
    configuration.batch = batch
    configuration.accounts = accounts
    configuration.maximumOpen = open
    if let mix { configuration.mix = try LoadMix(parsing: mix) }
    configuration.seed = seed
    configuration.seconds = seconds
    configuration.warmup = warmup
    configuration.onlyShard = shard
    configuration.timelinePath = timeline
    configuration.timelineSliceMilliseconds = slice
    let rates = try sweep.map { try SweepRates(parsing: $0).rates } ?? [rate]
    for path in [hdr, plot, timeline].compactMap({ $0 }) { try requireWritable(path) }
    var target = LoadTarget(dataDirectory: data)
    target.mapPath = map
    target.accountDirectory = keys
    target.gateways = gateway
    let bar = ProgressBar(isWanted: !json)
    let outcomes = try LoadSession(target: target, configuration: configuration).sweep(rates) { bar.show($0) }
    bar.close()
    if let hdr { try writePercentiles(outcomes, hdr) }
    if let plot { try write(LoadPlots.svg(outcomes), to: plot) }
    report(outcomes.map(\.report))
  }

  private func report(_ reports: [LoadReport]) {
    if sweep == nil, let report = reports.first {
      print(json ? Output.json(report) : LoadTable.text(report))
    } else {
      print(json ? Output.json(["sweep": reports]) : LoadTable.text(reports))
    }
  }

  private func writePercentiles(_ outcomes: [LoadSession.Outcome], _ path: String) throws {
    for outcome in outcomes {
      let file = sweep == nil ? path : Self.path(path, for: outcome.report.rate)
      try write(PercentileDistribution.text(outcome.latencies), to: file)
    }
  }

  /// `latency.hgrm` as `latency-20000.hgrm`.
  private static func path(_ path: String, for rate: Int) -> String {
    let url = URL(fileURLWithPath: path)
    let stem = url.deletingPathExtension().path
    return url.pathExtension.isEmpty ? "\(stem)-\(rate)" : "\(stem)-\(rate).\(url.pathExtension)"
  }

  /// Asked before the load, not after it.
  private func requireWritable(_ path: String) throws {
    let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
    guard FileManager.default.isWritableFile(atPath: directory) else {
      throw ValidationError("\(path): \(directory) is no directory that can be written to")
    }
  }

  private func write(_ text: String, to path: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
  }
}
