import Foundation
public enum Entry {
  public static func main() {
    let first = UInt64(CommandLine.arguments.dropFirst().first ?? "1")!
    let count = UInt64(CommandLine.arguments.dropFirst(2).first ?? "1")!
    var options = SimulationOptions()
    if let s = ProcessInfo.processInfo.environment["STEPS"] { options.steps = Int(s)! }
    if let s = ProcessInfo.processInfo.environment["NOFAULTS"], s == "1" { options.only = [] }
    let V2 = ProcessInfo.processInfo.environment["V"] != nil
    for seed in first..<(first + count) {
      let begin = Date()
      let outcome = try! Simulation(seed: seed, options: options).run()
      print(
        outcome.seed, outcome.steps, outcome.simulatedNanoseconds / 1_000_000, outcome.inputs, outcome.acknowledged,
        outcome.fills, outcome.epochs, String(outcome.trace, radix: 16), Date().timeIntervalSince(begin))
      if ProcessInfo.processInfo.environment["V"] == "1" { print(outcome.injections, outcome.checks) }
      for b in outcome.breaches.prefix(8) { print("  ", b.invariant, b.step, b.what) }
      if V2, !outcome.breaches.isEmpty { for l in outcome.lastEvents.suffix(25) { print("     ", l) } }
    }
  }
}
