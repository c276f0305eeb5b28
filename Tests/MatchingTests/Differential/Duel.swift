import Bytes
import Foundation
import Machine
import Market

@testable import Matching

/// Where two engines stopped agreeing.
struct Divergence: Equatable {
  /// 1 for the first input.
  var input: Int
  var what: String
}

/// The same inputs through two engines, compared after each.
struct Duel<First: EngineUnderTest & ~Copyable, Second: EngineUnderTest & ~Copyable>: ~Copyable {
  private var first = First(id: .shard(ShardID(0)))
  private var second = Second(id: .shard(ShardID(0)))
  private var firstJournal = Journalist()
  private var secondJournal = Journalist()
  private var firstSaid = OutputBuffer()
  private var secondSaid = OutputBuffer()
  private(set) var inputs = 0
  /// Outputs seen so far, for tests that must not pass on silence.
  private(set) var records = 0
  private(set) var promises = PromiseWatch()

  /// Gives both the input; says what differs afterwards. The state hash is compared if `hashes`.
  mutating func step(_ input: RecordedInput, hashes: Bool = true) -> Divergence? {
    inputs += 1
    firstJournal.apply(input, to: &first, into: &firstSaid)
    secondJournal.apply(input, to: &second, into: &secondSaid)
    records += firstSaid.count
    let (a, b) = (firstSaid.writer.bytes, secondSaid.writer.bytes)
    if !Self.areEqual(a, b) { return Divergence(input: inputs, what: "outputs differ") }
    if let broken = promises.hear(input, secondSaid) { return Divergence(input: inputs, what: broken) }
    if first.nextDeadline != second.nextDeadline { return Divergence(input: inputs, what: "next deadlines differ") }
    if hashes, first.stateHash() != second.stateHash() { return Divergence(input: inputs, what: "state hashes differ") }
    return nil
  }

  private static func areEqual(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
    guard a.count == b.count, let first = a.baseAddress, let second = b.baseAddress else { return a.count == b.count }
    return memcmp(first, second, a.count) == 0
  }

  var deadline: Timestamp { first.nextDeadline }

  /// What both said to the last input, in words.
  func saidLast() -> String {
    let (mine, theirs) = (Spoken.lines(firstSaid), Spoken.lines(secondSaid))
    if mine == theirs {
      return """
        both said:
        \(mine.joined(separator: "\n"))
        next deadlines: \(first.nextDeadline) and \(second.nextDeadline)
        """
    }
    return """
      the first said:
      \(mine.joined(separator: "\n"))
      the second said:
      \(theirs.joined(separator: "\n"))
      """
  }
}

/// Finds a short list of inputs on which two engines still disagree.
enum Shrinker {
  /// Drops chunks of inputs, then single ones, as long as the rest still diverges, and for as many inputs as `effort`
  /// allows: a divergence late in a run must not keep its finder waiting.
  static func shrink(
    _ inputs: [RecordedInput], effort: Int = 2_000_000, diverges: ([RecordedInput]) -> Divergence?
  ) -> [RecordedInput] {
    guard let found = diverges(inputs) else { return inputs }
    var kept = Array(inputs.prefix(found.input))
    var left = effort
    var chunk = max(1, kept.count / 2)
    while left > 0 {
      var place = 0
      var hasShrunk = false
      while place < kept.count, left > 0 {
        var fewer = kept
        fewer.removeSubrange(place..<min(kept.count, place + chunk))
        left -= fewer.count + 1
        if let found = diverges(fewer) {
          kept = Array(fewer.prefix(found.input))
          hasShrunk = true
        } else {
          place += chunk
        }
      }
      if chunk == 1 && !hasShrunk { break }
      chunk = max(1, chunk / 2)
    }
    return kept
  }
}

/// Runs a mix through two engines and tells the first divergence as a short script.
enum Differential {
  /// `nil` if the engines agree on `length` inputs of the seed; `hashEvery` inputs their state hashes are compared.
  static func run<First: EngineUnderTest & ~Copyable, Second: EngineUnderTest & ~Copyable>(
    _ first: First.Type, _ second: Second.Type, _ mix: Mix, seed: UInt64, length: Int, hashEvery: Int = 1,
    records: inout Int
  ) -> String? {
    var source = RandomInputs(mix, seed: seed)
    var duel = Duel<First, Second>()
    for number in 1...length {
      let input = source.next(deadline: duel.deadline)
      if let divergence = duel.step(input, hashes: number % hashEvery == 0) {
        return explain(first, second, mix, seed: seed, divergence)
      }
    }
    records += duel.records
    return nil
  }

  private static func explain<First: EngineUnderTest & ~Copyable, Second: EngineUnderTest & ~Copyable>(
    _ first: First.Type, _ second: Second.Type, _ mix: Mix, seed: UInt64, _ divergence: Divergence
  ) -> String {
    // The same inputs once more, this time to keep.
    var source = RandomInputs(mix, seed: seed)
    var duel = Duel<First, Second>()
    var inputs: [RecordedInput] = []
    var said = ""
    for _ in 0..<divergence.input {
      let input = source.next(deadline: duel.deadline)
      inputs.append(input)
      if duel.step(input) != nil {
        said = duel.saidLast()
        break
      }
    }
    let few = Shrinker.shrink(inputs) { diverge(first, second, $0) }
    return """
      mix \(mix.name), seed \(seed), input \(divergence.input): \(divergence.what)
      \(Spoken.line(inputs[inputs.count - 1]))
      \(said)
      \(few.count) inputs suffice:
      \(few.map(Spoken.line).joined(separator: "\n"))
      \(lastWords(first, second, few))
      """
  }

  static func diverge<First: EngineUnderTest & ~Copyable, Second: EngineUnderTest & ~Copyable>(
    _ first: First.Type, _ second: Second.Type, _ inputs: [RecordedInput]
  ) -> Divergence? {
    var duel = Duel<First, Second>()
    for input in inputs {
      if let divergence = duel.step(input) { return divergence }
    }
    return nil
  }

  private static func lastWords<First: EngineUnderTest & ~Copyable, Second: EngineUnderTest & ~Copyable>(
    _ first: First.Type, _ second: Second.Type, _ inputs: [RecordedInput]
  ) -> String {
    var duel = Duel<First, Second>()
    for input in inputs {
      if let divergence = duel.step(input) { return "\(divergence.what); \(duel.saidLast())" }
    }
    return ""
  }
}
