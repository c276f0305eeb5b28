import ArgumentParser
import Foundation
import Operations

/// The command line. Exit code 0: done. 1: asked rightly, and the answer is no. 2: asked wrongly, and nothing was done;
/// either failure is one line on standard error.
@main struct Novation: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "novation",
    abstract: "An off-chain derivatives exchange that settles on-chain.",
    discussion: """
      A cluster of processes matches signed orders, nets every account's margin in one place, and every second commits \
      what happened to a vault that holds the users' money. Start one, and look at it from a second terminal:

        novation run                   a cluster in ./data, with market makers
        novation status                every process, shard and epoch
        novation account create        a key, and an account opened by a deposit
        novation book BTC-PERPETUAL    prices to trade at
        novation order --account 1 --instrument BTC-PERPETUAL --side buy \\
          --quantity 100 --type market
        novation withdraw --account 1 --currency USDC --amount 1000
        novation proof 1 --out proof.json; novation verify-proof proof.json

      A cluster is found through its data directory: --data DIR, ./data unless said otherwise. With --json a command \
      prints one object on one line; its keys stand in the command's own help, and amounts are decimal text.

      Exit codes: 0 done; 1 the answer is no (refused, down, breached, not proven, no answer); 2 asked wrongly, \
      nothing was done. What went wrong is one line on standard error.
      """,
    version: BuildVersion.current,
    groupedSubcommands: [
      CommandGroup(
        name: "Operators",
        subcommands: [
          RunCommand.self, StatusCommand.self, StopCommand.self, EpochCommand.self, ConfigCommand.self,
          PrepareCommand.self, ShardCommand.self, NodeCommand.self, RestartCommand.self, InstrumentCommand.self,
          JournalCommand.self, BackupCommand.self, RestoreCommand.self,
        ]),
      CommandGroup(name: "Load generators and replays", subcommands: [LoadCommand.self, ReplayCommand.self]),
      CommandGroup(name: "Drills", subcommands: [DrillCommand.self, SimulateCommand.self]),
      CommandGroup(
        name: "Traders",
        subcommands: [
          AccountCommand.self, DepositCommand.self, WithdrawCommand.self, InstrumentsCommand.self, BookCommand.self,
          OrderCommand.self, CancelCommand.self, AmendCommand.self, ReplaceCommand.self, QuoteCommand.self,
          ProtectionCommand.self, DeadManCommand.self, KillSwitchCommand.self, SignatureDebugCommand.self,
        ]),
      CommandGroup(name: "Auditors", subcommands: [AuditCommand.self, ProofCommand.self, VerifyProofCommand.self]),
      CommandGroup(name: "Everybody", subcommands: [OutcomesCommand.self, VersionCommand.self]),
    ])

  static func main() {
    // A file that may not grow is an error of the write, to be dealt with like a full disk, and no reason to die.
    signal(SIGXFSZ, SIG_IGN)
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let exit as ExitCode {
      Foundation.exit(exit.rawValue)
    } catch {
      if exitCode(for: error) == .success {
        print(fullMessage(for: error))
        Foundation.exit(0)
      }
      Output.note("novation: \(Complaint.line(for: error))")
      Foundation.exit(error is CommandRefused || error is ClientError ? 1 : 2)
    }
  }
}

/// What was wrong with a command, in one line.
enum Complaint {
  static func line(for error: any Error) -> String {
    let message = Novation.message(for: error)
    let whole = Novation.fullMessage(for: error)
    var line = message.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
      .joined(separator: " ")
    if let unknown = unknownCommand(message) {
      let names = Novation.configuration.subcommands.filter { $0.configuration.shouldDisplay }
        .compactMap { $0.configuration.commandName }
      let near = NearNames.of(unknown, among: names)
      line = "unknown command '\(unknown)'" + (near.isEmpty ? "" : ", did you mean \(near.joined(separator: " or "))?")
      return "\(line); see novation help"
    }
    // Words that end a sentence of the parser's do not end ours.
    if line.hasSuffix(".") { line.removeLast() }
    for part in whole.split(whereSeparator: \.isNewline) {
      let part = part.trimmingCharacters(in: .whitespaces)
      // The parser's own words about the option, and where its command is described.
      if part.hasPrefix("Help:"), let help = part.range(of: "  ", options: .backwards) {
        if !line.contains("Please provide") { line += ": \(part[help.upperBound...].drop(while: { $0 == " " }))" }
        if line.hasSuffix(".") { line.removeLast() }
      } else if part.hasPrefix("See '"), part.hasSuffix(" --help' for more information.") {
        let command = part.dropFirst(5).dropLast(30).split(separator: " ").dropFirst()
        line += "; see novation help" + command.map { " \($0)" }.joined()
      }
    }
    return line
  }

  /// The first argument, when it is no command.
  private static func unknownCommand(_ message: String) -> String? {
    guard let first = CommandLine.arguments.dropFirst().first, !first.hasPrefix("-"),
      message.hasPrefix("Unexpected argument '\(first)'") || message.contains("unexpected arguments: '\(first)'"),
      !Novation.configuration.subcommands.contains(where: { $0.configuration.commandName == first })
    else { return nil }
    return first
  }
}

/// Hosts one node; the supervisor starts it.
struct HostCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "host", abstract: "Host one node of a cluster; started by the supervisor.", shouldDisplay: false)
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
