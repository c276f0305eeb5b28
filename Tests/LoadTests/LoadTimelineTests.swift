import Foundation
import Market
import Testing

@testable import Operations

struct LoadTimelineTests {
  private static let second: Int64 = 1_000_000_000

  private static func reply(_ shard: UInt16, sequence: UInt64, _ outcomes: [Outcome]) -> ActionReply {
    ActionReply(
      machine: .shard(ShardID(shard)), account: AccountID(1), key: KeyID(0), nonce: sequence, term: Term(1),
      sequence: SequenceNumber(sequence), stamp: Timestamp(nanoseconds: 1), isRepeated: false,
      results: outcomes.map { ActionReply.Result(outcome: $0) })
  }

  @Test func answersAreCountedInTheSliceAndShardInWhichTheyCame() throws {
    let path = "\(NSTemporaryDirectory())/timeline-\(UUID().uuidString)"
    defer { unlink(path) }
    let timeline = try LoadTimeline(path: path, sliceMilliseconds: 100, shards: 2, now: Self.second)
    let reader = TimelineReader(path: path)
    func at(_ milliseconds: Int64) -> Int64 { Self.second + milliseconds * 1_000_000 }
    try timeline.answered(Self.reply(0, sequence: 7, [.resting, .filled, .expired]), intended: at(0), now: at(20))
    try timeline.answered(Self.reply(1, sequence: 4, [.resting]), intended: at(10), now: at(99))
    reader.refresh()
    #expect(reader.slices.isEmpty, "a slice is written when it is over")
    try timeline.answered(Self.reply(1, sequence: 5, [.resting]), intended: at(100), now: at(320))
    try timeline.refused(2, now: at(330))
    try timeline.deferred(3, now: at(340))
    try timeline.advance(to: at(400))
    reader.refresh()
    #expect(reader.slices.map(\.at_ms) == [1_100, 1_200, 1_300, 1_400])
    #expect(reader.slices.map(\.accepted) == [[2, 1], [0, 0], [0, 0], [0, 1]])
    #expect(reader.slices.map(\.rejected) == [1, 0, 0, 2])
    #expect(reader.slices.map(\.deferred) == [0, 0, 0, 3])
    #expect(reader.slices.map(\.acknowledged_through) == [[7, 4], [7, 4], [7, 4], [7, 5]])
    #expect(reader.slices[0].max_us == 89_000)
    #expect(reader.accepted(after: 1_100, through: 1_400) == 1)
    #expect(reader.accepted(after: 0, through: 1_400, shards: [0]) == 2)
  }

  @Test func aReaderTakesOnlyWholeLines() throws {
    let path = "\(NSTemporaryDirectory())/timeline-\(UUID().uuidString)"
    defer { unlink(path) }
    let timeline = try LoadTimeline(path: path, sliceMilliseconds: 100, shards: 1, now: 0)
    try timeline.advance(to: 200_000_000)
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    let half = whole.count * 3 / 4
    try whole[..<half].write(to: URL(fileURLWithPath: path))
    let reader = TimelineReader(path: path)
    reader.refresh()
    #expect(reader.slices.count == 1)
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.seekToEnd()
    try file.write(contentsOf: whole[half...])
    reader.refresh()
    #expect(reader.slices.map(\.at_ms) == [100, 200])
  }
}
