import ArgumentParser
import Bytes
import Foundation
import Market
import Operations

/// Which cluster.
struct ClusterOption: ParsableArguments {
  @Option(name: .customLong("data"), help: ArgumentHelp("The cluster's data directory.", valueName: "dir"))
  var directory = "data"

  /// The cluster, if one was opened there.
  func session() throws -> ClusterSession { try ClusterSession(dataDirectory: directory) }
}

/// How results are printed.
struct OutputOption: ParsableArguments {
  @Flag(help: "Print one JSON object on one line.") var json = false

  /// Prints the report; exit code 1 if what was asked for is not so.
  func show(_ report: some CommandReport) throws {
    print(json ? report.json : report.text)
    if !report.isGood { throw ExitCode(1) }
  }
}

/// Decimals and identifiers of options, with a refusal that says what would be right.
enum Reading {
  static func decimal<Value: FixedPoint>(_ text: String, _ option: String, as type: Value.Type) throws -> Value {
    guard let value = Value(text) else {
      throw CommandMistake("\(option) \(text): it must be a decimal of at most 8 places, such as 12.5")
    }
    return value
  }

  static func account(_ number: UInt32, _ option: String = "--account") throws -> AccountID {
    guard number != AccountID.house.rawValue else {
      throw CommandMistake("\(option) 0: that is the house, which has no key; accounts begin with 1")
    }
    return AccountID(number)
  }

  static func digest(_ text: String, _ option: String) throws -> Digest {
    guard let digest = Digest(hexadecimal: text) else {
      throw CommandMistake("\(option) \(text): it must be 64 hexadecimal digits, with or without 0x")
    }
    return digest
  }
}
