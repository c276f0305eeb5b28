import Foundation
import Machine
import Market
import Testing

@testable import Matching

/// The fast engine against the naive one.
@Suite struct DifferentialTests {
  /// Inputs a mix; the long run takes twenty times as many.
  static let length = 640_000 * (ProcessInfo.processInfo.environment["NOVATION_LONG_TESTS"] == nil ? 1 : 20)
  /// Inputs of one seed.
  static let episode = 16_000

  @Test(arguments: Mix.all)
  func bothEnginesSayTheSame(_ mix: Mix) {
    var records = 0
    for seed in 0..<UInt64(Self.length / Self.episode) {
      let divergence = Differential.run(
        ShardMachine.self, NaiveEngine.self, mix, seed: seed, length: Self.episode, hashEvery: 1, records: &records)
      #expect(divergence == nil, "\(divergence ?? "")")
      if divergence != nil { return }
    }
    #expect(records > Self.length)
  }
}
