import Foundation

/// The benchmarks' command line: one of `Benchmarks.all`.
@main enum Benchmarks {
  static let all = "light, heavy, shards, streams, growth, journal, restart, takeover, standby, moves"

  static func main() {
    do {
      try run(Array(CommandLine.arguments.dropFirst()))
    } catch {
      FileHandle.standardError.write(Data("benchmarks: \(error)\n".utf8))
      exit(error is UsageError ? 2 : 1)
    }
  }

  private static func run(_ arguments: [String]) throws {
    // The floor's other process: it echoes what it gets.
    if arguments.first == "echo", arguments.count == 2 { return try Floor.echo(endpoint: arguments[1]) }
    let options = try Options(arguments)
    signal(SIGPIPE, SIG_IGN)
    switch options.benchmark {
    case "light": try LightLoad(options).run()
    case "heavy": try HeavyLoad(options).run()
    case "shards": try Shards(options).run()
    case "streams": try Streams(options).run()
    case "growth": try Growth(options).run()
    case "journal": try JournalCost(options).run()
    case "restart": try Restart(options).run()
    case "takeover": try Takeover(options).run()
    case "standby": try Standby(options).run()
    case "moves": try Moves(options).run()
    default:
      throw UsageError(reason: "'\(options.benchmark)' is none; the benchmarks are \(all)")
    }
  }

  /// Prints a benchmark's figures as the last line, if asked to.
  static func print(json figures: [String: Any], _ options: Options) throws {
    guard options.wantsJSON else { return }
    let data = try JSONSerialization.data(withJSONObject: figures, options: [.sortedKeys, .withoutEscapingSlashes])
    Swift.print(String(decoding: data, as: UTF8.self))
  }
}

/// A command line that cannot be understood.
struct UsageError: Error, CustomStringConvertible {
  var reason: String
  var description: String { reason }
}

/// What was asked for.
struct Options {
  var benchmark: String
  var novation = "novation"
  /// The benchmarks' directory.
  var here = "."
  var wantsJSON = false
  /// Runs whose median counts; 0 takes the benchmark's own number.
  var runs = 0
  /// Length of a measured window; 0 takes the benchmark's own.
  var seconds = 0
  var rate = 0
  /// The files of order streams; none takes generated ones.
  var files: [String] = []
  /// What order streams are generated from; nil takes the benchmark's own.
  var seed: UInt64?
  var operations: Int?
  /// Where generated order streams are kept; nil removes them.
  var keep: String?
  /// Where etcd lies, if it is to say who owns what.
  var etcd: String?
  /// Counts instructions and allocations instead of time.
  var countsInstructions = false

  init(_ arguments: [String]) throws {
    guard let first = arguments.first, !first.hasPrefix("-") else {
      throw UsageError(
        reason: "which benchmark? \(Benchmarks.all); see benchmarks/README.md for the options")
    }
    benchmark = first
    var rest = arguments.dropFirst()
    func value(_ name: String) throws -> String {
      guard let value = rest.popFirst() else { throw UsageError(reason: "\(name) wants a value") }
      return value
    }
    func number(_ name: String, upTo most: Int = 1_000_000) throws -> Int {
      let text = try value(name)
      guard let number = Int(text), (1...most).contains(number) else {
        throw UsageError(reason: "\(name) \(text): it must be 1 to \(most)")
      }
      return number
    }
    func seed(_ name: String) throws -> UInt64 {
      let text = try value(name)
      guard let number = UInt64(text) else {
        throw UsageError(reason: "\(name) \(text): it must be 0 or a natural number")
      }
      return number
    }
    while let argument = rest.popFirst() {
      switch argument {
      case "--novation": novation = try value(argument)
      case "--here": here = try value(argument)
      case "--json": wantsJSON = true
      case "--runs": runs = try number(argument)
      case "--seconds": seconds = try number(argument)
      case "--rate": rate = try number(argument)
      case "--operations": operations = try number(argument, upTo: 100_000_000)
      case "--seed": self.seed = try seed(argument)
      case "--keep": keep = try value(argument)
      case "--etcd":
        guard let path = Program.find("etcd") else {
          throw UsageError(reason: "--etcd: etcd is not installed; it is in the Debian package etcd-server")
        }
        etcd = path
      case "--instructions": countsInstructions = true
      default:
        guard !argument.hasPrefix("-") else { throw UsageError(reason: "\(argument) is no option") }
        files.append(argument)
      }
    }
  }
}

extension [Double] {
  /// The middle one, or the mean of the two in the middle; 0 of none.
  var median: Double {
    let ordered = sorted()
    guard let last = ordered.indices.last else { return 0 }
    return (ordered[last / 2] + ordered[(last + 1) / 2]) / 2
  }
}
