import ArgumentParser
import Foundation
import Operations

/// Starts a local cluster and keeps it up.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Start a local cluster, drive it, and audit it in the end.",
    discussion: """
      Without --load, built-in market makers quote every instrument at about \(RunSession.makersRate) orders a second. \
      Without --seconds the cluster stays up until Ctrl-C. Started again on the same data, it goes on where it was.
      """)

  @Option(help: "Length of the measured window; start-up and wind-down are not counted.") var seconds: Double?
  @Option(help: "Orders a second.") var load: Int?
  @Option(help: "Orders under one signature, 1 to 256.") var batch = 32
  @Option(help: "Accounts that trade.") var accounts = 64
  @Option(help: "Processes that host shards.") var nodes: Int?
  @Option(help: "Order-book shards in all.") var shards: Int?
  @Option(help: "The cluster's data directory.") var data = "data"
  @Option(help: "Instrument file of the first opening.") var instruments = "cluster/config/instruments.toml"
  @Option(help: "Cluster configuration file.") var config: String?
  @Flag(help: "Delete the data directory's cluster first.") var fresh = false
  @Flag(help: "Print one JSON object on the last line and no terminal codes.") var json = false

  #if NOVATION_PLANT
    @Option(help: "Plant a bug of the test build; may be repeated.") var plant: [String] = []
  #endif

  func validate() throws {
    if let seconds, seconds <= 0 { throw ValidationError("--seconds \(seconds): it must be positive") }
    if let load, !(1...10_000_000).contains(load) {
      throw ValidationError("--load \(load): it must be 1 to 10000000")
    }
    guard (1...256).contains(batch) else { throw ValidationError("--batch \(batch): it must be 1 to 256") }
    guard (1...100_000).contains(accounts) else {
      throw ValidationError("--accounts \(accounts): it must be 1 to 100000")
    }
    if let nodes, !(1...64).contains(nodes) { throw ValidationError("--nodes \(nodes): it must be 1 to 64") }
    if let shards, !(1...1_024).contains(shards) {
      throw ValidationError("--shards \(shards): it must be 1 to 1024")
    }
  }

  func run() throws {
    var options = RunSession.Options()
    options.dataDirectory = data
    if let config { options.configuration = try ClusterConfiguration.load(path: config) }
    if let nodes { options.configuration.matcherNodes = nodes }
    if let shards { options.configuration.shards = shards }
    try options.configuration.validate(source: "command line")
    options.instrumentsPath = instruments
    options.seconds = seconds
    options.load = load
    options.batch = batch
    options.accounts = accounts
    options.isFresh = fresh
    options.wantsJSON = json
    #if NOVATION_PLANT
      options.plants = try PlantedBug.check(plant)
    #endif
    throw ExitCode(try RunSession(options, executable: Executable.path).run())
  }
}

/// Where this program lies, to start it again in another role.
enum Executable {
  static var path: String {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
  }
}
