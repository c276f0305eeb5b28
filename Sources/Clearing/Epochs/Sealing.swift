import Bytes
import Machine
import Market

extension RiskMachine {
  /// Ends the epoch and commits to it. The state hash is that of the machine after this input, the commitment's own
  /// stream number included.
  mutating func seal(_ payload: UnsafeRawBufferPointer, into output: inout OutputBuffer) {
    guard let seal = try? Seal(decoding: payload), seal.epoch == epoch, epoch.rawValue < .max else {
      refusals &+= 1
      return
    }
    concludeInput(into: &output)
    var commitment = Commitment(machine: id, seal: seal)
    ledgers.close(into: &commitment, board)
    epoch = epoch.next
    watchFinality(into: &output)
    book.settleHashes()
    let before = streams
    _ = streams.takeNext(to: .settlement)
    commitment.stateHash = stateHash()
    streams = before
    output.send(commitment, to: .settlement, &streams)
  }
}
