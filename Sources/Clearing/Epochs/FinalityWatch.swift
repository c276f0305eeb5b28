import Bytes
import Machine
import Market

/// How far the settlement layer is behind. Halting beats minting: trading stops when it is too far.
struct FinalityWatch: Sendable, Hashable {
  var lastFinal = Epoch(0)
  /// Our stamp when we heard of it; at first that of the opening.
  var lastFinalAt = Timestamp.zero
  var isHalted = false

  func write(to writer: inout ByteWriter) {
    lastFinal.write(to: &writer)
    lastFinalAt.write(to: &writer)
    writer.bool(isHalted)
  }
  init() {}
  init(from reader: inout ByteReader) {
    lastFinal = Epoch(from: &reader)
    lastFinalAt = Timestamp(from: &reader)
    isHalted = reader.bool()
    if lastFinalAt < .zero { reader.fail() }
  }
}

extension RiskMachine {
  /// The settlement layer has made an epoch final; an older one says nothing new, one not sealed yet is no epoch.
  mutating func consume(_ final: EpochFinal, into output: inout OutputBuffer) -> Bool {
    guard final.epoch > finality.lastFinal, final.epoch < epoch else { return false }
    finality.lastFinal = final.epoch
    finality.lastFinalAt = now
    watchFinality(into: &output)
    return true
  }

  /// Halts when the last final epoch is `haltAfterEpochs` old, in epochs or in epoch lengths by our stamps; lifts the
  /// halt when it is less than half as old by both.
  mutating func watchFinality(into output: inout OutputBuffer) {
    let limit = Int128(max(2, parameters.haltAfterEpochs))
    let length = Int128(max(1, parameters.epochLength.nanoseconds))
    let epochs = Int128(epoch.rawValue) - 1 - Int128(finality.lastFinal.rawValue)
    let elapsed = Int128((now - finality.lastFinalAt).nanoseconds)
    if !finality.isHalted && (epochs >= limit || elapsed >= limit * length) {
      finality.isHalted = true
      sendToShards(Halt(isHalted: true), into: &output)
    } else if finality.isHalted && epochs * 2 < limit && elapsed * 2 < limit * length {
      finality.isHalted = false
      sendToShards(Halt(isHalted: false), into: &output)
    }
  }
}
