import Market

/// How a machine's clock stands against those of the machines that it listens to.
///
/// A peer's clock is read at some moment between the question and the answer, so both bounds are certain, however long
/// either was under way: what is told as ahead or behind is so by at least that much.
struct PeerClocks {
  private struct Reading {
    var heardAt: Int64
    /// Nanoseconds by which the own clock is at least ahead of the peer's, and behind it; negative if it may not be.
    var ahead: Int64
    var behind: Int64
  }

  /// A reading counts for so long, in nanoseconds.
  private static let lifetime: Int64 = 2_000_000_000

  private var readings: [Int: Reading] = [:]

  /// Takes note of an answer.
  /// - Parameters:
  ///   - peer: its place among the sources.
  ///   - asked: the own clock when it was asked; `own`, as it is now.
  mutating func heard(_ peer: Int, _ stamp: Timestamp, asked: Timestamp, own: Timestamp, at now: Int64) {
    readings[peer] = Reading(
      heardAt: now, ahead: (asked - stamp).nanoseconds, behind: (stamp - own).nanoseconds)
  }

  /// Peers of which there is a reading that still counts.
  func count(at now: Int64) -> Int { fresh(at: now).count }

  /// Nanoseconds by which the own clock is ahead of the peers' middle one; of two, the one further ahead.
  func ahead(at now: Int64) -> Int64 {
    let all = fresh(at: now).map(\.ahead).sorted()
    return all.isEmpty ? 0 : all[(all.count - 1) / 2]
  }

  /// Nanoseconds by which the own clock is behind the middle one of all, itself among them; of an even number, the one
  /// less ahead.
  func behind(at now: Int64) -> Int64 {
    let all = (fresh(at: now).map(\.behind) + [0]).sorted()
    return max(0, all[(all.count - 1) / 2])
  }

  /// Forgets all: the own clock has moved.
  mutating func forget() { readings.removeAll() }

  private func fresh(at now: Int64) -> [Reading] { readings.values.filter { now - $0.heardAt <= Self.lifetime } }
}
