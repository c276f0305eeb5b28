import Bytes
import Market

/// One account's liquidation: the freeze barrier, then one reducing order after another.
struct Liquidation: Sendable, Hashable {
  /// A shard's word that the freeze holds there.
  struct Barrier: Sendable, Hashable, BitwiseCopyable {
    var shard: ShardID
    var fillNumber: UInt64
  }
  /// A `Liquidate` that has not been answered.
  struct Step: Sendable, Hashable, BitwiseCopyable {
    var number: UInt64
    var instrument: InstrumentID
  }

  /// Names the freeze.
  var id: UInt64
  /// In order of shard.
  var taken: [Barrier] = []
  /// True once every live shard's word was heard and its fills consumed.
  var isBehindBarrier = false
  var step: Step?
  /// Instruments where the last try filled nothing, in order of trial: the others come first.
  var barren: [InstrumentID] = []
  /// Instruments that could not trade when they were tried since the timer last fired, in order of trial: the timer
  /// tries them again.
  var postponed: [InstrumentID] = []

  init(id: UInt64) { self.id = id }

  mutating func take(_ barrier: Barrier) {
    taken.removeAll { $0.shard == barrier.shard }
    let place = taken.firstIndex { $0.shard > barrier.shard } ?? taken.endIndex
    taken.insert(barrier, at: place)
  }
}

extension Liquidation {
  func write(to writer: inout ByteWriter) {
    writer.u64(id)
    writer.u32(UInt32(taken.count))
    for barrier in taken {
      barrier.shard.write(to: &writer)
      writer.u64(barrier.fillNumber)
    }
    writer.bool(isBehindBarrier)
    writer.bool(step != nil)
    if let step {
      writer.u64(step.number)
      step.instrument.write(to: &writer)
    }
    writer.u32(UInt32(barren.count))
    for instrument in barren { instrument.write(to: &writer) }
    writer.u32(UInt32(postponed.count))
    for instrument in postponed { instrument.write(to: &writer) }
  }
  init(from reader: inout ByteReader, board: RiskBoard) {
    id = reader.u64()
    taken = (0..<reader.itemCount(minimumSize: 10)).map { _ in
      Barrier(shard: ShardID(from: &reader), fillNumber: reader.u64())
    }
    isBehindBarrier = reader.bool()
    if reader.bool() { step = Step(number: reader.u64(), instrument: InstrumentID(from: &reader)) }
    barren = (0..<reader.itemCount(minimumSize: 4)).map { _ in InstrumentID(from: &reader) }
    postponed = (0..<reader.itemCount(minimumSize: 4)).map { _ in InstrumentID(from: &reader) }
    if step.map({ board.definition[$0.instrument] == nil }) ?? false { reader.fail() }
  }
}
