import Bytes
import Machine
import Market

// What other machines say.
extension ShardMachine {
  /// Takes messages of risk or settlement if they are the next ones of that stream; otherwise the input counts for
  /// nothing. A malformed message is passed over.
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
    switch kind {
    case .heartbeat:
      if let message = read(Heartbeat.self, &body) {
        riskHeard = max(riskHeard, message.stamp)
        updateHeard()
      }
    case .credit: if let message = read(Credit.self, &body) { take(message, into: &output) }
    case .grant: if let message = read(Grant.self, &body) { take(message, into: &output) }
    case .creditRefused: if let message = read(CreditRefused.self, &body) { take(message, into: &output) }
    case .freeze: if let message = read(Freeze.self, &body) { take(message, into: &output) }
    case .release: if let message = read(Release.self, &body) { take(message) }
    case .liquidate: if let message = read(Liquidate.self, &body) { take(message, into: &output) }
    case .settle: if let message = read(Settle.self, &body) { take(message, into: &output) }
    case .halt:
      if let message = read(Halt.self, &body) {
        isHalted = message.isHalted
        updateHeard()
      }
    case .protectionFreeze: if let message = read(ProtectionFreeze.self, &body) { take(message) }
    case .listing: if let message = read(InstrumentListing.self, &body) { take(message) }
    case .fill, .creditTaken, .creditRequest, .freezeTaken, .liquidationResult, .grantClosed, .commitment, .deposit,
      .epochFinal, .protectionTripped:
      break
    }
  }

  private func read<Message: StreamMessage>(_ type: Message.Type, _ body: inout ByteReader) -> Message? {
    let message = Message(from: &body)
    return body.isExhausted ? message : nil
  }

  /// Replaces the marks in force by a newer publication: instruments that it leaves out have none.
  mutating func takeMarks(_ payload: UnsafeRawBufferPointer) {
    guard let marks = try? ShardMarks(decoding: payload) else { return }
    marksHeard = max(marksHeard, marks.stamp)
    updateHeard()
    guard marks.version > marksVersion else { return }
    marksVersion = marks.version
    index = marks.index.units
    for entry in marks.entries {
      let (book, absent) = book(of: entry.instrument)
      if absent != nil || entry.mark.units == 0 && books[book].contract.settlement == .inverse { continue }
      books[book].marksVersion = marks.version
      books[book].mark = entry.mark.units
      books[book].marginToBuy = entry.marginToBuy.units
      books[book].marginToSell = entry.marginToSell.units
      books[book].bandLow = entry.bandLow.units
      books[book].bandHigh = entry.bandHigh.units
      books[book].delta = entry.delta
      books[book].vega = entry.vega
    }
    for book in 0..<books.count {
      updateGate(book)
      if books[book].stops != 0, books[book].marksVersion == marksVersion {
        fireTriggers(book, 0, 1)
      }
    }
  }

  /// Appends an instrument to the market, with a book if it is this shard's.
  mutating func take(_ listing: InstrumentListing) {
    let instrument = listing.instrument
    guard Int(instrument.id.rawValue) == bookOfInstrument.count, bookOfInstrument.count < Int(UInt32.max) else {
      return
    }
    let isHosted =
      instrument.shard == shard && books.count < BookSet.mostBooks && Self.isHostable(instrument)
      && (underlying == nil || underlying == instrument.underlying)
      && (currencies.contains(instrument.settlementCurrency) || currencies.count < ledger.currencies)
    listings.append(instrument)
    bookOfInstrument.append(isHosted ? UInt32(books.count + 1) : 0)
    placements.append(Placement(underlying: instrument.underlying, shard: instrument.shard))
    if isHosted { host(instrument) }
    countNeighbours()
  }

  mutating func endSession(_ payload: UnsafeRawBufferPointer, into output: inout OutputBuffer) {
    guard let end = try? SessionEnd(decoding: payload) else { return }
    start(
      Job(
        kind: .sessionEnd, arrival: arrivals, number: end.session, generation: end.generation,
        outcome: .cancelledByDisconnect))
  }
}
