import Bytes
import Cryptography
import Journal
import Machine
import Market
import Wire

/// A machine of type `M`, re-executed from its journal.
public final class Replica<M: Machine & ~Copyable>: Reexecutable {
  public let id: MachineID
  public internal(set) var entries: UInt64 = 0
  public internal(set) var firstSequence = SequenceNumber(1)
  public internal(set) var firstEpoch = Epoch(0)
  public var effects: [(code: UInt32, payload: [UInt8])] = []
  /// By epoch, as far as nobody has asked.
  var consumedAtSeals: [Epoch: [MachineID: UInt64]] = [:]
  /// Sees every entry and output; set before the first advance.
  public weak var observer: (any ReexecutionObserver)?

  var machine: M
  public let copies: JournalCopies
  var reader: (any ReadableJournal)?
  let genesis: MarketDefinition
  private let encodedGenesis: [UInt8]
  /// Of the market as this machine knows it by now.
  var signing: ActionSigning
  var market: MarketDefinition
  var position = JournalPosition()
  var output = OutputBuffer()
  var sent: [MachineID: SentMessages] = [:]
  var consumed: [MachineID: MessageLog] = [:]
  /// What had been sent and consumed where the re-execution began.
  var start = StreamNumbers()
  /// A later snapshot of the journal that it began in the midst of: what that says must be what it comes to.
  var awaited: JournalSnapshot?
  private var breach: ReexecutionBreach?

  /// - Parameter directory: of the machine's journal.
  public convenience init(_ id: MachineID, directory: String, market: MarketDefinition, signing: ActionSigning) throws {
    try self.init(id, copies: JournalCopies(of: id, in: [directory]), market: market, signing: signing)
  }

  /// - Parameter copies: the machine's journals.
  public convenience init(
    _ id: MachineID, copies: JournalCopies, market: MarketDefinition, signing: ActionSigning
  ) throws {
    self.init(
      id, copies: copies, journal: try copies.best(after: JournalPosition()), market: market, signing: signing)
  }

  /// From a journal that is kept elsewhere than in a directory.
  public convenience init(
    _ id: MachineID, journal: any ReadableJournal, market: MarketDefinition, signing: ActionSigning
  ) {
    self.init(id, copies: JournalCopies(of: id, in: []), journal: journal, market: market, signing: signing)
  }

  private init(
    _ id: MachineID, copies: JournalCopies, journal: (any ReadableJournal)?, market: MarketDefinition,
    signing: ActionSigning
  ) {
    self.id = id
    self.copies = copies
    reader = journal
    genesis = market
    encodedGenesis = market.encoded
    self.market = market
    self.signing = signing
    machine = M(id: id)
  }

  public var epoch: Epoch { machine.epoch }
  public var lastSequence: SequenceNumber { position.sequence }
  public var stateHash: UInt64 { machine.stateHash() }
  /// Reads the re-executed machine.
  public func read<R>(_ body: (borrowing M) throws -> R) rethrows -> R { try body(machine) }

  public func advance(past epoch: Epoch?) throws -> Bool {
    try open()
    while epoch.map({ machine.epoch <= $0 }) ?? true {
      if try advanceOneBatch() { continue }
      // Another copy may go on where this one ends.
      let ended = position
      try open()
      guard try advanceOneBatch() || position != ended else { return epoch == nil }
    }
    return true
  }

  /// Opens the copy of the journal to read on from.
  public func open() throws {
    // A handle on what was replaced goes before the next is opened.
    if let own = reader as? JournalReader, !own.isCurrent { reader = nil }
    if let found = try copies.best(after: position) {
      reader = found
    } else if position.isBeginning, reader == nil || reader is JournalReader {
      try beginAfterSnapshot()
    }
  }

  public func advanceOneBatch() throws -> Bool {
    let before = position.sequence
    guard let reader else { return false }
    do throws(JournalError) {
      position = try reader.walk(from: position, batches: 1) { header, payload, before in
        take(header, payload, before)
      }
    } catch {
      switch error {
      case .damaged, .damagedRecord:
        throw ReexecutionBreach(machine: id, sequence: position.sequence.next, rule: .journal, detail: "\(error)")
      default:
        // A journal that was truncated, or cannot be read now, contradicts nobody: another copy may go on.
        self.reader = nil
        throw error
      }
    }
    if let breach { throw breach }
    try compareWithAwaited()
    return position.sequence > before
  }

  private func take(_ header: InputHeader, _ payload: UnsafeRawBufferPointer, _ before: JournalPosition) {
    guard breach == nil else { return }
    if header.stamp < before.stamp || header.term < before.term {
      return fail(header, .order, "stamp or term is below that of the entry before")
    }
    switch header.kind {
    case .genesis:
      if header.sequence != SequenceNumber(1) || !payload.elementsEqual(encodedGenesis) {
        return fail(header, .genesis, "not the market's definition, or not the first entry")
      }
    case .seal: checkSeal(header, payload, before)
    case .action: checkSignature(header, payload)
    case .quarantined: checkQuarantine(header, payload)
    case .stream:
      consumed[header.source, default: MessageLog()].append(framed: payload, count: UInt64(header.count))
      if header.source == .risk { learnListings(header, payload) }
    case .tick, .marks, .sessionEnd, .attestation, .settlementEvent, .continuation, .handOver: break
    }
    observer?.observe(id, header, payload)
    let epoch = machine.epoch
    machine.apply(header, payload, into: &output)
    entries += 1
    if header.kind == .seal {
      for (peer, number) in machine.streams.received { consumedAtSeals[epoch, default: [:]][peer] = number }
    }
    output.forEach { record in
      observer?.observe(id, header, record)
      switch record.kind {
      case .stream:
        sent[MachineID(rawValue: record.destination), default: SentMessages(log: MessageLog())].log.append(
          record.payload)
      case .effect: effects.append((record.destination, [UInt8](record.payload)))
      case .reply, .report, .book, .status: break
      }
    }
    output.clear()
  }

  private func fail(_ header: InputHeader, _ rule: ReexecutionBreach.Rule, _ detail: String) {
    breach = breach ?? ReexecutionBreach(machine: id, sequence: header.sequence, rule: rule, detail: detail)
  }

  /// The seal must say what the journal before it says.
  private func checkSeal(_ header: InputHeader, _ payload: UnsafeRawBufferPointer, _ before: JournalPosition) {
    let own = Seal(
      epoch: machine.epoch, term: header.term, firstSequence: before.epochFirstSequence,
      lastSequence: before.sequence, chainHead: before.chainHead, entryRoot: before.entryRoot)
    guard let stated = try? Seal(decoding: payload), stated == own else {
      return fail(header, .seal, "it does not commit to the entries before it")
    }
  }

  /// What is kept from the machine must be what the operator has signed; a stream's messages are its source's all the
  /// same, and an action is its signer's.
  private func checkQuarantine(_ header: InputHeader, _ payload: UnsafeRawBufferPointer) {
    guard let input = QuarantinedInput(payload), input.quarantine.machine == id else {
      return fail(header, .quarantine, "it is no quarantined input of \(id)")
    }
    let quarantine = input.quarantine
    guard
      quarantine.names(quarantine.kind, input.payload, from: header.source, firstNumber: header.firstNumber),
      header.count == (quarantine.kind == .stream ? 1 : 0)
    else { return fail(header, .quarantine, "it is not the input that its quarantine names") }
    guard QuarantineDigest(market.parameters).isSigned(quarantine) else {
      return fail(header, .quarantine, "the operator has not signed that it is kept from the machine")
    }
    switch quarantine.kind {
    case .stream: consumed[header.source, default: MessageLog()].append(framed: input.payload, count: 1)
    case .action: checkSignature(header, input.payload)
    default: break
    }
  }

  /// Takes up a market that the machine has come to know.
  func learn(_ known: MarketDefinition) {
    market = known
    signing = ActionSigning(
      market: market, domainName: signing.domain.name, domainVersion: signing.domain.version,
      decimals: signing.decimals)
  }

  /// Trades name instruments that risk has listed since the genesis by asset and sub-id, too.
  private func learnListings(_ header: InputHeader, _ payload: UnsafeRawBufferPointer) {
    var messages = StreamMessages(header, payload)
    while var message = messages.next() {
      guard message.kind == .listing else { continue }
      let instrument = InstrumentListing(from: &message.body).instrument
      guard message.body.isExhausted, Int(instrument.id.rawValue) == market.instruments.count else { continue }
      var known = market
      known.instruments.append(instrument)
      learn(known)
    }
  }

  private func checkSignature(_ header: InputHeader, _ payload: UnsafeRawBufferPointer) {
    // The aggregator itself checks who signed a listing, and refuses what is not the operator's.
    if id == .risk && SignedListing.isMeant(by: payload) { return }
    do throws(SigningError) {
      try signing.verify(SignedActionView(payload))
    } catch {
      fail(header, .signature, "\(error)")
    }
  }

  // MARK: Streams

  public func takeConsumed(atSealOf epoch: Epoch) -> [MachineID: UInt64] {
    let consumed = consumedAtSeals[epoch] ?? [:]
    consumedAtSeals = consumedAtSeals.filter { $0.key > epoch }
    return consumed
  }

  public func withSent(to consumer: MachineID, _ body: (inout SentMessages) -> Void) {
    body(&sent[consumer, default: SentMessages(log: MessageLog())])
  }

  public func reconcile(with source: any Reexecutable) throws {
    var own = consumed.removeValue(forKey: source.id) ?? MessageLog()
    var difference: UInt64?
    source.withSent(to: id) { difference = MessageLog.reconcile(&$0.log, &own) }
    consumed[source.id] = own
    if let difference {
      throw ReexecutionBreach(
        machine: id, sequence: position.sequence, rule: .stream,
        detail: "message \(difference) from \(source.id) is not what \(source.id) sent")
    }
  }

  public func reconciled(from source: MachineID) -> UInt64 { (consumed[source]?.firstNumber ?? 1) - 1 }
  public func startNumber(from source: MachineID) -> UInt64 { start.lastReceived(from: source) }
}
