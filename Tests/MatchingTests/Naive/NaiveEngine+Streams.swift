import Bytes
import Cryptography
import Machine
import Market

// What other machines say, and the end of an epoch.
extension NaiveEngine {
  mutating func consume(_ header: InputHeader, _ payload: UnsafeRawBufferPointer, into output: inout OutputBuffer) {
    guard header.source == .risk || header.source == .settlement,
      streams.consume(from: header.source, first: header.firstNumber, count: header.count)
    else { return }
    var messages = StreamMessages(header, payload)
    while let (_, kind, body) = messages.next() {
      guard let kind, header.source == .risk else { continue }
      var body = body
      receive(kind, &body, into: &output)
      goOn(into: &output)
    }
  }

  private mutating func receive(_ kind: MessageKind, _ body: inout ByteReader, into output: inout OutputBuffer) {
    func read<Message: StreamMessage>(_ type: Message.Type) -> Message? {
      let message = Message(from: &body)
      return body.isExhausted ? message : nil
    }
    switch kind {
    case .heartbeat: if let message = read(Heartbeat.self) { riskHeard = max(riskHeard, message.stamp) }
    case .credit: if let message = read(Credit.self) { take(message, into: &output) }
    case .grant: if let message = read(Grant.self) { take(message, into: &output) }
    case .creditRefused: if let message = read(CreditRefused.self) { take(message, into: &output) }
    case .freeze: if let message = read(Freeze.self) { take(message, into: &output) }
    case .release: if let message = read(Release.self) { take(message) }
    case .liquidate: if let message = read(Liquidate.self) { take(message, into: &output) }
    case .settle: if let message = read(Settle.self) { take(message) }
    case .halt: if let message = read(Halt.self) { isHalted = message.isHalted }
    case .protectionFreeze: if let message = read(ProtectionFreeze.self) { take(message) }
    case .listing: if let message = read(InstrumentListing.self) { take(message) }
    case .fill, .creditTaken, .creditRequest, .freezeTaken, .liquidationResult, .grantClosed, .protectionTripped,
      .commitment, .deposit, .epochFinal:
      break
    }
  }

  /// Ends the epoch and answers with its commitment, whose state hash is taken before it is numbered itself.
  mutating func seal(_ payload: UnsafeRawBufferPointer, into output: inout OutputBuffer) {
    guard let seal = try? Seal(decoding: payload), seal.epoch == epoch, epoch.rawValue < .max else { return }
    var commitment = Commitment(machine: id, seal: seal)
    commitment.fillNumber = fillNumber
    let fills = stride(from: 0, to: epochFills.count, by: Fill.byteCount).map {
      RFC6962Keccak.leaf([UInt8](epochFills[$0..<$0 + Fill.byteCount]))
    }
    commitment.fillRoot = fills.isEmpty ? .zero : MerkleTree<RFC6962Keccak>.root(fills)
    commitment.ledger =
      ledgers.filter { $0.amount != 0 }.map {
        Commitment.LedgerDelta(
          account: accounts[$0.account].id, currency: $0.currency, amount: Money(units: $0.amount))
      }.sorted { ($0.account, $0.currency) < ($1.account, $1.currency) }
    commitment.positions =
      positions.filter { $0.lots != $0.lotsAtEpochStart }.map {
        Commitment.PositionDelta(
          account: accounts[$0.account].id, instrument: books[$0.book].instrument.id,
          lots: Lots($0.lots - $0.lotsAtEpochStart))
      }.sorted { ($0.account, $0.instrument) < ($1.account, $1.instrument) }
    ledgers = []
    for place in positions.indices { positions[place].lotsAtEpochStart = positions[place].lots }
    epochFills = []
    epoch = epoch.next
    commitment.stateHash = stateHash()
    output.send(commitment, to: .settlement, &streams)
  }
}
