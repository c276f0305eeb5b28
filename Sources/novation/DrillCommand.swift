import ArgumentParser
import Foundation
import Operations

/// Failure drills.
struct DrillCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drill", abstract: "Break a cluster on purpose and prove that nothing was lost.",
    discussion: """
      A drill starts a cluster of its own, drives load, injects a fault, heals it, winds the cluster down and has the \
      journals audited against the clients' own logs by a process of its own. It fails if an invariant is breached, if \
      a counter that should prove the fault is zero, or if there was no traffic before and after. Ctrl-C heals and \
      stops in order.

      Exit codes: 0 passed; 1 failed, also for want of something that the drill needs of this machine; 2 asked wrongly.
      """,
    subcommands: [DrillListCommand.self, DrillRunCommand.self, DrillAllCommand.self, KillDrillCommand.self])
}

/// Names the drills.
struct DrillListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the drills.",
    discussion: "With --json: one array of {name, what}.")

  @Flag(help: "Print one JSON array on one line.") var json = false

  private struct Entry: Encodable {
    var name: String
    var what: String
  }

  func run() throws {
    let entries = DrillTable.drills.map { Entry(name: $0.name, what: $0.what) }
    if json { return print(Output.json(entries)) }
    let width = (entries.map(\.name.count).max() ?? 0) + 2
    for entry in entries { print(entry.name.padding(toLength: width, withPad: " ", startingAt: 0) + entry.what) }
  }
}

/// What all ways of running drills share.
struct DrillArguments: ParsableArguments {
  @Option(help: "Fixes the drill's own choices: victims, times, cut points.") var seed: UInt64 = 1
  @Option(help: "Seconds of load, at least.") var seconds = 8.0
  @Option(help: "Orders a second.") var load = 1_000
  @Option(help: "Instrument file.") var instruments = "cluster/config/instruments.toml"
  @Flag(help: "Leave every fault out, to see that the drill fails then.") var disarmed = false
  @Flag(help: "Print JSON, on the last line.") var json = false
  #if NOVATION_PLANT
    @Option(help: "Plant a bug of the test build; may be repeated.") var plant: [String] = []
  #endif

  func validate() throws {
    guard seconds > 0, seconds <= 3_000 else {
      throw ValidationError("--seconds \(seconds): it must be positive and at most 3000")
    }
    guard (1...1_000_000).contains(load) else { throw ValidationError("--load \(load): it must be 1 to 1000000") }
  }

  func options() throws -> DrillOptions {
    var options = DrillOptions()
    options.seed = seed
    options.seconds = seconds
    options.rate = load
    options.instrumentsPath = instruments
    options.isDisarmed = disarmed
    options.say = { Output.note($0) }
    #if NOVATION_PLANT
      options.plants = try PlantedBug.check(plant)
    #endif
    return options
  }
}

/// Runs one drill.
struct DrillRunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run one drill.",
    discussion: """
      With --data, the directory is used and kept; if a cluster runs there already, that cluster is drilled, by the \
      drills that can (those that only kill, stop, or come as clients). Its report's keys: drill, what, seed, passed, \
      problems, injections (at_seconds, healed_seconds, what, proof, traffic_before, traffic_after, recovery_ms), \
      traffic_before, traffic_after, recovery_ms, recovery_ms_median, figures, seconds, load, invariants, epochs, \
      state_root, svg.
      """)

  @Argument(help: "A name that `drill list` knows.") var name: String
  @OptionGroup var arguments: DrillArguments
  @Option(help: "Write the timeline's picture there (.svg); without it to drills/NAME.svg.") var svg: String?
  @Option(help: "Write a JUnit report there (.xml).") var junit: String?
  @Option(help: "Data directory to use and keep; without it a temporary one.") var data: String?

  func run() throws {
    let names = DrillTable.drills.map(\.name)
    guard let drill = DrillTable.drill(named: name) else {
      let near = NearNames.of(name, among: names)
      throw ValidationError(
        "no drill '\(name)'" + (near.isEmpty ? "" : ", did you mean \(near.joined(separator: " or "))?")
          + "; see novation drill list")
    }
    var options = try arguments.options()
    options.dataDirectory = data
    options.svgPath = svg ?? "\(DrillSeries.defaultDirectory)/\(name).svg"
    let report = DrillRunner(drill, options, executable: Executable.path).run()
    if let junit {
      try DrillSeries.Report([report], of: 1, seed: arguments.seed, seconds: report.seconds).writeJUnit(to: junit)
    }
    print(arguments.json ? Output.json(report) : report.text)
    if !report.passed { throw ExitCode(1) }
  }
}

/// Runs them all.
struct DrillAllCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "all", abstract: "Run every drill, one after the other.",
    discussion: """
      Those that need a planted bug are left out by a build that can carry none.

      With --json: one object of passed, seed, seconds, failed (names) and drills (their reports).
      """)

  @OptionGroup var arguments: DrillArguments
  @Option(help: "Only these, by name; may be repeated.") var only: [String] = []
  @Option(help: "Write a JUnit report there (.xml).") var junit: String?
  @Option(help: "Directory for each drill's report (.json) and timeline (.svg).")
  var out = DrillSeries.defaultDirectory

  func validate() throws {
    for name in only where DrillTable.drill(named: name) == nil {
      throw ValidationError("--only \(name): no such drill; see novation drill list")
    }
  }

  func run() throws {
    let wanted = DrillTable.drills.filter { only.isEmpty || only.contains($0.name) }
    let drills = only.isEmpty ? DrillTable.runnable : wanted
    for drill in wanted where !drills.contains(where: { $0.name == drill.name }) {
      Output.note("\(drill.name): left out: \(DrillNeed.testBuild.complaint ?? "")")
    }
    let series = DrillSeries(drills, try arguments.options(), executable: Executable.path, outputDirectory: out)
    if !arguments.json { print(DrillReport.rowTitle) }
    let report = try series.run { drill in
      if !arguments.json { print(drill.row) }
      fflush(nil)
    }
    if let junit { try report.writeJUnit(to: junit) }
    if arguments.json {
      print(Output.json(report))
    } else {
      print("\(report.drills.count - report.failed.count) of \(drills.count) passed in \(Int(report.seconds)) s")
    }
    if !report.passed { throw ExitCode(1) }
  }
}
