import ArgumentParser
import Foundation
import Simulation

/// Whole clusters from seeds.
struct SimulateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate", abstract: "Run whole clusters on a simulated network, disk and clock, from seeds.",
    discussion: """
      Each seed is a cluster of the real machines on the real runtime, with clients: for so many events with faults, \
      then without until all is settled. After each event the checkers of the twelve invariants look at it; at the \
      end every journal is executed again and audited. The last line is one JSON object. The exit code is 1 if an \
      invariant was breached: then the last events before it are printed, and the command of the smallest run that \
      still fails.
      """)

  @Option(help: "The first seed.") var seed: UInt64
  @Option(help: "Events of each seed before its faults are healed.") var steps = SimulationOptions().steps
  @Option(help: "Seeds to run; without --minutes one, with it as many as fit.") var seeds: Int?
  @Option(help: "Minutes after which no other seed is begun.") var minutes: Double?
  @Option(help: "Clients of each cluster.") var clients = SimulationOptions().clients
  @Option(
    help: ArgumentHelp(
      "The only faults that are made, by their places in the seed's list.", valueName: "place,place,… or none"))
  var only: String?
  @Option(
    help: ArgumentHelp("Faults that are left out, by their places in the seed's list.", valueName: "place,place,…"))
  var without: String?
  @Flag(help: "Print nothing but the object.") var json = false
  #if NOVATION_PLANT
    @Option(help: "Plant a bug of the test build; may be repeated.") var plant: [String] = []
  #endif

  func validate() throws {
    guard (1...100_000_000).contains(steps) else {
      throw ValidationError("--steps \(steps): it must be 1 to 100000000")
    }
    if let seeds, seeds < 1 { throw ValidationError("--seeds \(seeds): it must be at least 1") }
    if let minutes, minutes <= 0 { throw ValidationError("--minutes \(minutes): it must be positive") }
    guard (1...64).contains(clients) else { throw ValidationError("--clients \(clients): it must be 1 to 64") }
    _ = try places(only, "--only")
    _ = try places(without, "--without")
  }

  private func places(_ text: String?, _ option: String) throws -> Set<Int>? {
    guard let text else { return nil }
    if text == "none" { return [] }
    return Set(
      try text.split(separator: ",").map { part in
        guard let place = Int(part), place >= 0 else {
          throw ValidationError("\(option) \(text): '\(part)' is no place in a list")
        }
        return place
      })
  }

  func run() throws {
    var run = SimulationRun(firstSeed: seed)
    run.seeds = seeds ?? (minutes == nil ? 1 : nil)
    run.seconds = minutes.map { $0 * 60 }
    run.options.steps = steps
    run.options.clients = clients
    run.options.only = try places(only, "--only")
    run.options.without = try places(without, "--without") ?? []
    #if NOVATION_PLANT
      run.options.plants = plant
    #endif
    let isQuiet = json
    let report = try run.run { line in if !isQuiet { print(line) } }
    print(Output.json(report))
    if !report.isSound { throw ExitCode(1) }
  }
}
