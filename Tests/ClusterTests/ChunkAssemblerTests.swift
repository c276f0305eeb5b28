import Market
import Testing

@testable import Cluster

struct ChunkAssemblerTests {
  private struct Seen: Equatable {
    var destination: MachineID
    var first: UInt64
    var count: UInt16
    var bytes: Int
  }

  private func chunks(_ assembler: borrowing ChunkAssembler) -> [Seen] {
    var seen: [Seen] = []
    assembler.forEach {
      seen.append(
        Seen(destination: $0.destination, first: $0.firstNumber, count: $0.count, bytes: $0.messages.count))
    }
    return seen
  }

  private func append(_ assembler: inout ChunkAssembler, _ number: UInt64, to destination: MachineID, size: Int = 3) {
    [UInt8](repeating: 7, count: size).withUnsafeBytes {
      assembler.append($0, number: number, to: destination, epoch: Epoch(1))
    }
  }

  @Test func interleavedDestinationsMakeOneRunEach() {
    var assembler = ChunkAssembler()
    for number in 1...3 as ClosedRange<UInt64> {
      append(&assembler, number, to: .risk)
      append(&assembler, number + 10, to: .settlement)
    }
    #expect(
      chunks(assembler) == [
        Seen(destination: .risk, first: 1, count: 3, bytes: 21),
        Seen(destination: .settlement, first: 11, count: 3, bytes: 21),
      ])
  }

  @Test func aGapInNumbersStartsAnotherRun() {
    var assembler = ChunkAssembler()
    append(&assembler, 1, to: .risk)
    append(&assembler, 3, to: .risk)
    #expect(chunks(assembler).map(\.first) == [1, 3])
  }

  @Test func noRunGrowsBeyondItsBounds() {
    var assembler = ChunkAssembler()
    for number in 1...UInt64(ChunkAssembler.maximumMessages + 1) { append(&assembler, number, to: .risk) }
    #expect(chunks(assembler).map(\.count) == [UInt16(ChunkAssembler.maximumMessages), 1])
    assembler.clear()
    append(&assembler, 1, to: .risk, size: ChunkAssembler.maximumBytes)
    append(&assembler, 2, to: .risk)
    #expect(chunks(assembler).count == 2)
  }
}
