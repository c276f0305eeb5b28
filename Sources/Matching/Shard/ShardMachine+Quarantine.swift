import Bytes
import Machine
import Market

extension ShardMachine {
  /// Takes note of an input that is kept from it: its stream goes on, its nonce is spent, and nothing else is done.
  mutating func passOver(_ header: InputHeader, _ payload: UnsafeRawBufferPointer, into output: inout OutputBuffer) {
    guard let input = QuarantinedInput(payload) else { return }
    switch input.quarantine.kind {
    case .stream:
      if header.source == .risk || header.source == .settlement {
        _ = streams.consume(from: header.source, first: header.firstNumber, count: header.count)
      }
    case .action: act(input.payload, isPutAside: true, into: &output)
    default: break
    }
  }
}
