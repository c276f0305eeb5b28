import ArgumentParser
import Foundation
import Operations

/// The command line. Whatever is wrong with what was asked is one line on standard error and exit code 2.
@main struct Novation: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "novation",
    abstract: "An off-chain derivatives exchange that settles on-chain.",
    subcommands: [RunCommand.self, LoadCommand.self, DrillCommand.self, NodeCommand.self])

  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let exit as ExitCode {
      Foundation.exit(exit.rawValue)
    } catch {
      let code = Self.exitCode(for: error)
      if code == .success {
        print(Self.fullMessage(for: error))
        Foundation.exit(0)
      }
      FileHandle.standardError.write(Data("novation: \(Self.message(for: error))\n".utf8))
      Foundation.exit(2)
    }
  }
}

/// Hosts one node; the supervisor starts it.
struct NodeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "node", abstract: "Host one node of a cluster; started by the supervisor.", shouldDisplay: false)
  @Argument(help: "The node's name in the cluster map.") var name: String
  @Option(help: "The cluster's data directory.") var data: String
  #if NOVATION_PLANT
    @Option(help: "Plant a bug of the test build; may be repeated.") var plant: [String] = []
  #endif

  func run() throws {
    #if NOVATION_PLANT
      try NodeProcess.run(name: name, dataDirectory: data, bugs: PlantedBug.parse(plant))
    #else
      try NodeProcess.run(name: name, dataDirectory: data)
    #endif
  }
}
