import Bytes
import Foundation
import Machine
import Market
import Testing

@testable import Matching

/// The same journal gives the same hashes: in another process, in another build, and after any restart.
@Suite struct DeterminismTests {
  private static let seeds: Range<UInt64> = 0..<3
  private static let length = 4_000

  /// One number over every output and every state hash of some seeds of a mix.
  private func trace(of mix: Mix, restarts: Bool = false) -> UInt64 {
    var hasher = StateHasher()
    for seed in Self.seeds {
      var source = RandomInputs(mix, seed: seed)
      var machine = ShardMachine(id: .shard(ShardID(0)))
      var journal = Journalist()
      var output = OutputBuffer()
      var dice = Seeded(seed)
      for _ in 0..<Self.length {
        journal.apply(source.next(deadline: machine.nextDeadline), to: &machine, into: &output)
        hasher.combine(output.writer.bytes)
        hasher.combine(machine.stateHash())
        if restarts, dice.next() % 40 == 0 { restart(&machine) }
      }
    }
    return hasher.value
  }

  private func restart(_ machine: inout ShardMachine) {
    var writer = ByteWriter()
    machine.writeSnapshot(to: &writer)
    var reader = ByteReader(writer.bytes)
    let restored = ShardMachine(id: machine.id, snapshot: &reader)
    #expect(reader.isExhausted)
    #expect(restored.stateHash() == machine.stateHash() && restored.nextDeadline == machine.nextDeadline)
    machine = restored
  }

  @Test(arguments: Mix.all)
  func restoredAtRandomPointsItGoesOnAsTheSame(_ mix: Mix) {
    #expect(trace(of: mix, restarts: true) == trace(of: mix))
  }

  /// Set in the process that another one has started: print the traces and stand back.
  private static let childMark = "NOVATION_DETERMINISM_CHILD"
  private static let traceMark = "trace of "

  @Test func anotherProcessComesToTheSame() throws {
    let mine = Mix.all.map { "\(Self.traceMark)\($0): \(trace(of: $0))" }
    if ProcessInfo.processInfo.environment[Self.childMark] != nil {
      // Written at once, so that no other line of the test run comes between.
      FileHandle.standardError.write(Data((mine.joined(separator: "\n") + "\n").utf8))
      return
    }
    let theirs = try childrensTraces()
    #expect(theirs == mine)
  }

  /// The test executable of another build, say of debug beside release, if one is given; else this one again.
  private static let otherBuild = ProcessInfo.processInfo.environment["NOVATION_OTHER_BUILD"]

  /// The traces of this same test in a process of its own, with memory of its own.
  private func childrensTraces() throws -> [String] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Self.otherBuild ?? "/proc/self/exe").resolvingSymlinksInPath()
    var arguments = Array(CommandLine.arguments.dropFirst())
    arguments.removeAll { $0.contains("--filter") || $0.contains("--skip") }
    process.arguments =
      arguments.filter { $0.hasPrefix("--testing-library") || $0 == "swift-testing" }
      + ["--filter", "anotherProcessComesToTheSame"]
    var environment = ProcessInfo.processInfo.environment
    environment[Self.childMark] = "1"
    // Another malloc arena layout: nothing may hang on an address.
    environment["MALLOC_PERTURB_"] = "165"
    environment["SWIFT_DETERMINISTIC_HASHING"] = nil
    process.environment = environment
    let pipe = Pipe()
    process.standardError = pipe
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    let said = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: said, as: UTF8.self).split(separator: "\n").map(String.init)
      .filter { $0.hasPrefix(Self.traceMark) }
  }
}
