import Machine
import Market
import Testing

@testable import Matching

/// The rules as tables, a line a step; both engines must say the same words.
@Suite struct ScenarioTests {
  static let cases = ScenarioTables.all

  @Test(arguments: cases)
  func theNaiveEngineFollowsTheTable(_ scenario: ScenarioCase) { play(scenario, NaiveEngine.self) }

  @Test(arguments: cases)
  func theFastEngineFollowsTheTable(_ scenario: ScenarioCase) { play(scenario, ShardMachine.self) }

  @Test func theTablesAreNotEmptyAndTheirNamesAreTheirOwn() {
    #expect(Self.cases.count >= 120)
    #expect(Set(Self.cases.map(\.description)).count == Self.cases.count)
    #expect(Self.cases.allSatisfy { !$0.lines.isEmpty })
  }

  private func play<Engine: EngineUnderTest & ~Copyable>(_ scenario: ScenarioCase, _ engine: Engine.Type) {
    var stage = ScenarioStage<Engine>(settings: scenario.settings)
    for (input, expected) in scenario.lines {
      let said = stage.say(input)
      #expect(expected.isEmpty || said == expected, "\(scenario): \(input)\n  said     \(said)\n  expected \(expected)")
      if !expected.isEmpty && said != expected { return }
    }
  }
}
