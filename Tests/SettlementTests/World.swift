import Bytes
import Cryptography
import Machine
import Market
import Settlement

/// A coordinator with everything around it: machines that commit, verifiers that sign, a vault. Every input is kept, so
/// that a test can replay it; a process can be killed at any of them.
final class World {
  struct Input {
    var header: InputHeader
    var payload: [UInt8]
  }
  /// One thing that the coordinator said.
  struct Said: Hashable {
    var kind: OutputBuffer.Kind
    var destination: UInt32
    var number: UInt64
    var payload: [UInt8]
  }

  let market: MarketDefinition
  var machine: SettlementMachine
  var vault: Vault
  private(set) var journal: [Input] = []
  /// Everything on the streams, in order.
  private(set) var sent: [Said] = []
  /// Every effect in order, those said again on resuming included.
  private(set) var effects: [Said] = []
  /// Effects not acted upon yet.
  var owed: [Said] = []
  /// Kills the process after this many inputs: what it asked of its edge is lost.
  var killAfter: (Int) -> Bool = { _ in false }
  /// Verifiers that answer.
  var answeringVerifiers: [UInt16]
  var now = Timestamp(seconds: 1_000)
  private var isRestarting = false
  private var output = OutputBuffer()
  private var streamNumbers: [MachineID: UInt64] = [:]
  private var nextFirst: [MachineID: UInt64] = [:]
  /// Every deposit, and how many of them risk has consumed.
  private(set) var deposits: [Deposit] = []
  private var consumedDeposits = 0

  init(_ market: MarketDefinition = Fixture.market(), finalityDelay: UInt32 = 0) {
    self.market = market
    machine = SettlementMachine(id: .settlement)
    vault = Vault(VaultRules(market, finalityDelay: finalityDelay))
    answeringVerifiers = (0..<UInt16(market.parameters.verifiers.count)).map { $0 }
    input(.genesis, market.encoded)
  }

  // MARK: Inputs

  func input(
    _ kind: InputKind, _ payload: [UInt8] = [], source: MachineID = .none, firstNumber: UInt64 = 0, count: UInt16 = 0
  ) {
    let header = InputHeader(
      sequence: SequenceNumber(UInt64(journal.count + 1)), stamp: now, term: Term(1), kind: kind, source: source,
      epoch: machine.epoch, firstNumber: firstNumber, count: count)
    journal.append(Input(header: header, payload: payload))
    output.clear()
    payload.withUnsafeBytes { machine.apply(header, $0, into: &output) }
    let said = Self.read(output)
    sent += said.filter { $0.kind == .stream }
    if !isRestarting, killAfter(journal.count) { return restart() }
    take(said)
  }

  private func take(_ said: [Said]) {
    effects += said.filter { $0.kind == .effect }
    owed += said.filter { $0.kind == .effect }
  }

  /// The process is killed and comes back from its snapshot: what its edge had not done yet is gone.
  func restart() {
    isRestarting = true
    defer { isRestarting = false }
    owed = []
    var writer = ByteWriter()
    machine.writeSnapshot(to: &writer)
    var reader = ByteReader(writer.bytes)
    #if NOVATION_PLANT
      let faults = machine.faults
    #endif
    machine = SettlementMachine(id: .settlement, snapshot: &reader)
    precondition(reader.isExhausted, "a snapshot reads back")
    #if NOVATION_PLANT
      machine.faults = faults
    #endif
    output.clear()
    machine.resume(into: &output)
    take(Self.read(output))
    for event in vault.events(from: machine.nextDeposit) { input(.settlementEvent, event.encoded) }
  }

  static func read(_ output: borrowing OutputBuffer) -> [Said] {
    var said: [Said] = []
    func append(_ record: OutputBuffer.Record) {
      said.append(
        Said(
          kind: record.kind, destination: record.destination, number: record.number,
          payload: [UInt8](record.payload)))
    }
    output.forEach(append)
    return said
  }

  func event(_ event: SettlementEvent) { input(.settlementEvent, event.encoded) }

  @discardableResult
  func deposit(_ owner: UInt8, _ currency: UInt8 = 0, _ amount: Int64) -> AccountID {
    let transaction = VaultTransaction.deposit(
      owner: Fixture.owner(owner), account: nil, currency: Currency(currency), amount: Money(units: amount))
    guard case .success(.deposited(let deposit)) = vault.apply(transaction) else { preconditionFailure("deposit") }
    deposits.append(deposit)
    event(.deposit(deposit))
    return deposit.account
  }

  /// Lets an epoch's length pass and seals it.
  func sealEpoch() {
    now = now + market.parameters.epochLength
    input(.tick)
    sealIfWanted()
  }

  func sealIfWanted() {
    guard machine.wantsSeal else { return }
    let sequence = SequenceNumber(UInt64(journal.count))
    let seal = Seal(
      epoch: machine.epoch, term: Term(1), firstSequence: SequenceNumber(1), lastSequence: sequence, chainHead: .zero,
      entryRoot: .zero)
    input(.seal, seal.encoded)
  }

  /// A commitment of `machine` to `epoch` in which nothing happened but that risk consumed all deposits; its journal
  /// went on by ten entries.
  func emptyCommitment(_ machine: MachineID, _ epoch: UInt32) -> Commitment {
    let first = nextFirst[machine] ?? 1
    nextFirst[machine] = first + 11
    let seal = Seal(
      epoch: Epoch(epoch), term: Term(1), firstSequence: SequenceNumber(first),
      lastSequence: SequenceNumber(first + 9),
      chainHead: Keccak256.hash([UInt8(epoch % 256), UInt8(machine.rawValue % 256)]), entryRoot: .zero)
    var commitment = Commitment(machine: machine, seal: seal)
    guard machine == .risk else { return commitment }
    commitment.consume(Array(deposits[consumedDeposits...]))
    consumedDeposits = deposits.count
    commitment.depositCursor = UInt64(consumedDeposits)
    commitment.indices = market.underlyings.map(\.openingIndex)
    return commitment
  }

  func send(_ commitment: Commitment) { send(commitment, from: commitment.machine) }
  func send(_ message: some StreamMessage, from source: MachineID) {
    send(message: [type(of: message).kind.rawValue] + message.encoded, from: source)
  }
  /// A kind byte and a layout, as the next message of the source's stream.
  func send(message: [UInt8], from source: MachineID) {
    let number = (streamNumbers[source] ?? 0) + 1
    streamNumbers[source] = number
    var writer = ByteWriter()
    message.withUnsafeBytes { writer.blob($0) }
    input(.stream, writer.array, source: source, firstNumber: number, count: 1)
  }

  /// Everybody commits to `epoch`; `change` may say what happened in it.
  func commitAll(_ epoch: UInt32, _ change: (inout Commitment) -> Void = { _ in }) {
    for machine in market.committingMachines {
      var commitment = emptyCommitment(machine, epoch)
      change(&commitment)
      send(commitment)
    }
  }

  // MARK: The edges

  func attestation(_ verifier: UInt16, _ request: AttestationRequest, agrees: Bool = true) -> Attestation {
    AttestationDigest(market.parameters).attestation(
      by: verifier, key: Fixture.verifierKeys[Int(verifier)], epoch: request.epoch, headerHash: request.headerHash,
      agrees: agrees)
  }

  /// Does what is owed until nothing is: verifiers sign, the vault takes posts.
  func settle() {
    while !owed.isEmpty {
      let effect = owed.removeFirst()
      switch SettlementEffect(rawValue: effect.destination) {
      case .attest:
        let request = try! AttestationRequest(decoding: effect.payload)
        for verifier in answeringVerifiers { input(.attestation, attestation(verifier, request).encoded) }
      case .post:
        switch vault.apply(.post(try! EpochPost(decoding: effect.payload))) {
        case .success(.posted(let epoch, let headerHash, let final)):
          event(.posted(epoch, headerHash: headerHash))
          if let header = vault.finalHeader, header.epoch == final { event(.final(final, root: header.root)) }
        case .success(.alreadyPosted(let epoch, let headerHash)): event(.posted(epoch, headerHash: headerHash))
        case .success, .failure: break
        }
      case nil: preconditionFailure("unknown effect")
      }
    }
  }

  /// One whole epoch: sealed, committed to, attested, posted, final.
  func epoch(_ change: (inout Commitment) -> Void = { _ in }) {
    let epoch = machine.epoch.rawValue
    sealEpoch()
    commitAll(epoch, change)
    settle()
  }

  // MARK: What was said

  var wantsSeal: Bool { machine.wantsSeal }

  func effects<Payload: ByteCodable>(_ effect: SettlementEffect, as type: Payload.Type) -> [Payload] {
    effects.filter { $0.destination == effect.rawValue }.map { try! Payload(decoding: $0.payload) }
  }
  var posts: [EpochPost] { effects(.post, as: EpochPost.self) }

  func messages<Message: StreamMessage>(_ type: Message.Type, to machine: MachineID) -> [Message] {
    sent.filter { $0.destination == machine.rawValue && $0.payload[0] == Message.kind.rawValue }
      .map { try! Message(decoding: Array($0.payload.dropFirst())) }
  }
}

extension Commitment {
  /// Moves one account's ledger.
  mutating func move(_ account: AccountID, _ currency: UInt8, _ amount: Int64) {
    ledger.append(LedgerDelta(account: account, currency: Currency(currency), amount: Money(units: amount)))
  }
  mutating func consume(_ deposits: [Deposit]) {
    for deposit in deposits { move(deposit.account, deposit.currency.rawValue, deposit.amount.units) }
  }
  mutating func trade(_ buyer: AccountID, _ seller: AccountID, _ instrument: UInt32, _ lots: Int64) {
    positions.append(PositionDelta(account: buyer, instrument: InstrumentID(instrument), lots: Lots(lots)))
    positions.append(PositionDelta(account: seller, instrument: InstrumentID(instrument), lots: Lots(-lots)))
  }
  mutating func withdraw(_ account: AccountID, _ currency: UInt8, _ amount: Int64, nonce: UInt64 = 1) {
    move(account, currency, -amount)
    withdrawals.append(
      GrantedWithdrawal(
        account: account, currency: Currency(currency), amount: Money(units: amount),
        recipient: Fixture.owner(9), nonce: nonce))
  }
  mutating func mark(_ instrument: UInt32, _ price: Price) {
    marks.append(Mark(instrument: InstrumentID(instrument), price: price))
  }
}
