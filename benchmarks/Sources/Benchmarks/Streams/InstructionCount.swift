import Foundation

/// Instructions and heap allocations of an operation, counted inside `ShardMachine.apply` by valgrind's callgrind.
///
/// Two replays of the same stream differ by 80,000 operations; each holds just one seal. So their difference is those
/// operations and nothing else: no start, no warm-up, no seal.
struct InstructionCount {
  private let options: Options
  private static let limits = (less: 110_000, more: 190_000)

  init(_ options: Options) { self.options = options }

  func run(_ files: StreamFiles) throws {
    guard let valgrind = Program.find("valgrind") else {
      throw UsageError(reason: "valgrind is not installed; Debian's package is valgrind (apt-get install valgrind)")
    }
    guard let strip = Program.find("strip") else {
      throw UsageError(reason: "strip is not installed; Debian's package is binutils (apt-get install binutils)")
    }
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("novation-callgrind-\(getpid())")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    // Valgrind cannot read the compiler's debug information; the symbols stay.
    let binary = directory.appendingPathComponent("novation").path
    _ = try Program(strip, ["-g", "-o", binary, options.novation], keepsErrors: true).lastLine()
    let operations = Self.limits.more - Self.limits.less
    print("matching: inside ShardMachine.apply, by callgrind, the difference of two replays")
    var rows: [[String: Any]] = []
    try files.forEach { file, name, _ in
      func count(_ limit: Int) throws -> CallgrindFile {
        let out = directory.appendingPathComponent("callgrind.out")
        return try replay([valgrind, binary], file, name, limit: limit, out: out)
      }
      let less = try count(Self.limits.less)
      let more = try count(Self.limits.more)
      let instructions = Double(more.instructions - less.instructions) / Double(operations)
      let callers = more.allocations.merging(less.allocations.mapValues { -$0 }, uniquingKeysWith: +)
        .filter { $0.value != 0 }
      let allocations = callers.values.reduce(0, +)
      print(
        "  \(name): \(String(format: "%.1f", instructions)) instructions an operation; "
          + "allocations: \(allocations) in 80,000 operations")
      for (chain, count) in callers.sorted(by: { $0.value > $1.value }) {
        // A function that was specialised or split in several stands there once.
        let names = try readable(chain).reduce(into: [String]()) { if $0.last != $1 { $0.append($1) } }
        print("    \(count) of \(names.joined(separator: ", called by "))")
      }
      rows.append(["stream": name, "instructions_per_op": instructions, "allocations": allocations])
    }
    try Benchmarks.print(
      json: ["benchmark": "streams --instructions", "operations": operations, "streams": rows], options)
  }

  /// The names as the source has them, without types.
  private func readable(_ names: [Substring]) throws -> [String] {
    guard let swift = Program.find("swift") else { return names.map(String.init) }
    return try Program(swift, ["demangle", "--compact", "--simplified"] + names.map(String.init)).lines()
  }

  private struct Replay: Decodable { var operations: Int }

  private func replay(_ command: [String], _ file: URL, _ name: String, limit: Int, out: URL) throws -> CallgrindFile {
    let callers = CallgrindFile.allocators.sorted().map { "--separate-callers\(CallgrindFile.depth)=\($0)" }
    let program = try Program(
      command[0],
      ["--quiet", "--tool=callgrind", "--dump-instr=yes", "--toggle-collect=*ShardMachineV5apply*"] + callers + [
        "--callgrind-out-file=\(out.path)", command[1], "replay", "--format", "obs", file.path, "--limit", "\(limit)",
        "--json",
      ], keepsErrors: true)
    let replay = try JSONDecoder().decode(Replay.self, from: Data(program.lastLine().utf8))
    guard replay.operations == limit else {
      throw UsageError(reason: "\(name) has \(replay.operations) records; counting wants at least \(limit)")
    }
    let counted = try CallgrindFile(String(contentsOf: out, encoding: .utf8))
    guard counted.instructions > 0 else {
      throw StreamError(reason: "callgrind found no function ShardMachine.apply in novation")
    }
    return counted
  }
}
