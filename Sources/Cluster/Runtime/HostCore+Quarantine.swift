import Bytes
import Journal
import Logging
import Machine
import Market
import Wire

/// Inputs that are kept from the machine, because processes died of them.
extension HostCore where M: ~Copyable {
  /// Reads which they are, at the beginning of a reign; what the operator has not signed is none.
  func readQuarantines() {
    attempt("reading the quarantines") {
      let digest = QuarantineDigest(genesis.parameters)
      quarantines = try world.quarantines().filter { quarantine in
        let isSigned = quarantine.machine == id && digest.isSigned(quarantine)
        if !isSigned {
          log.error("a quarantine that the operator has not signed", metadata: ["machine": "\(id)"])
        }
        return isSigned
      }
    }
  }

  /// Journals one input, put aside if it is in quarantine.
  func take(
    _ kind: InputKind, _ payload: UnsafeRawBufferPointer, from source: MachineID = .none, epoch: Epoch = Epoch(0),
    firstNumber: UInt64 = 0, count: UInt16 = 0
  ) -> SequenceNumber {
    inputs += 1
    let quarantine = quarantines.first { $0.names(kind, payload, from: source, firstNumber: firstNumber) }
    guard let quarantine else {
      return sequencer.submit(kind, payload, from: source, epoch: epoch, firstNumber: firstNumber, count: count)
    }
    let sequence = QuarantinedInput.payload(quarantine, payload).withUnsafeBytes {
      sequencer.submit(.quarantined, $0, from: source, epoch: epoch, firstNumber: firstNumber, count: count)
    }
    log.warning("put aside", metadata: ["machine": "\(id)", "kind": "\(kind)", "sequence": "\(sequence)"])
    return sequence
  }

  /// Journals messages of a stream: each by itself where one of them is in quarantine, or some were being applied when
  /// the process died, so that the next death tells which.
  func take(_ chunk: StreamChunk) {
    let range = chunk.firstNumber..<chunk.firstNumber + UInt64(chunk.count)
    let isSuspect =
      quarantines.contains { $0.kind == .stream && $0.source == chunk.source && range.contains($0.firstNumber) }
      || world.lastDeath.map {
        $0.isSeveralMessages && $0.source == chunk.source
          && range.overlaps($0.firstNumber..<$0.firstNumber &+ UInt64($0.count))
      } ?? false
    guard isSuspect else {
      _ = take(
        .stream, chunk.messages, from: chunk.source, epoch: chunk.epoch, firstNumber: chunk.firstNumber,
        count: chunk.count)
      return
    }
    var reader = ByteReader(chunk.messages)
    for number in range {
      let start = reader.offset
      _ = reader.blob()
      guard !reader.hasFailed else { return refuse("\(chunk.source)", "a malformed chunk") }
      let message = UnsafeRawBufferPointer(rebasing: chunk.messages[start..<reader.offset])
      _ = take(.stream, message, from: chunk.source, epoch: chunk.epoch, firstNumber: number, count: 1)
    }
  }
}
