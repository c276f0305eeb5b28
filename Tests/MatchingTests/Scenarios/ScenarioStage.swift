import Bytes
import Machine
import Market

/// One engine on the scenario market, spoken to line by line.
struct ScenarioStage<Engine: EngineUnderTest & ~Copyable>: ~Copyable {
  var engine = Engine(id: .shard(ShardID(0)))
  var journal = Journalist()
  var output = OutputBuffer()
  var now = ScenarioMarket.start
  var nonce: UInt64 = 0
  var marksVersion: UInt64 = 0
  var creditVersion: UInt64 = 0
  var lastAction: [UInt8] = []
  /// Labels of orders, as `#a`: who placed them and under what name.
  var names: [(label: String, account: UInt32, nonce: UInt64, index: UInt16)] = []
  var ear = ScenarioEar()

  init(settings: [String]) {
    var parameters = MarketParameters()
    parameters.takerFee = 0
    parameters.makerFee = 0
    parameters.heartbeatLapse = .seconds(3_600)
    parameters.heartbeatInterval = .seconds(3_600)
    parameters.operatorAddress = ScenarioMarket.owner(0)
    var ceiling: Int64 = 1_000_000_000
    for setting in settings {
      let parts = setting.split(separator: "=")
      let value = Int64(parts[1])!
      switch parts[0] {
      case "step": parameters.stepBound = UInt32(value)
      case "taker": parameters.takerFee = UInt32(value)
      case "maker": parameters.makerFee = UInt32(value)
      case "lapse": parameters.heartbeatLapse = .milliseconds(value)
      case "beat": parameters.heartbeatInterval = .milliseconds(value)
      case "open": parameters.openOrdersPerAccount = UInt32(value)
      case "held": parameters.heldOrdersPerAccount = UInt32(value)
      case "queue": parameters.queuedOperations = UInt32(value)
      case "nonces": parameters.liveNonces = UInt32(value)
      case "indicative": parameters.indicativeInterval = .milliseconds(value)
      case "credit": ceiling = value
      default: fatalError("no such setting: \(setting)")
      }
    }
    _ = give(.genesis, ScenarioMarket.market(parameters).encoded)
    _ = say(["marks", "100"])
    _ = risk(Heartbeat(number: 1, stamp: now))
    for account in 1..<ScenarioMarket.accounts.count where ceiling > 0 {
      _ = credit(ScenarioMarket.accounts[account], Money(whole: ceiling), [])
    }
  }

  /// Does what a line asks for and tells what the engine said, events apart by bars.
  mutating func say(_ line: String) -> String { say(line.split(separator: " ").map(String.init)) }

  private mutating func say(_ words: [String]) -> String {
    let rest = Array(words.dropFirst())
    if ScenarioMarket.accounts.contains(words[0]) { return act(words[0], rest) }
    switch words[0] {
    case "marks": return marks(rest)
    case "beat": return risk(Heartbeat(number: 1, stamp: now))
    case "wait":
      now = now + .milliseconds(Int64(rest[0])!)
      return give(.tick, [])
    case "later":
      now = now + .milliseconds(Int64(rest[0])!)
      return ""
    case "tick": return give(.tick, [])
    case "continue": return give(.continuation, [])
    case "book": return ear.book(instrument(rest.first ?? "P"))
    case "position": return "\(ear.position(number(rest[0]), instrument(rest.count > 1 ? rest[1] : "P")))"
    case "repeat": return give(.action, lastAction)
    case "credit": return credit(rest[0], Money(whole: Int64(rest[1])!), Array(rest.dropFirst(2)))
    case "grant": return risk(Grant(account: account(rest[0]), request: UInt64(rest[1])!, charge: money(rest[2])))
    case "refuse":
      return risk(
        CreditRefused(account: account(rest[0]), request: UInt64(rest[1])!, outcome: .insufficientCredit))
    case "freeze": return risk(Freeze(account: account(rest[0]), id: UInt64(rest[1])!))
    case "release": return risk(Release(account: account(rest[0]), id: UInt64(rest[1])!))
    case "liquidate":
      return risk(
        Liquidate(
          account: account(rest[0]), id: UInt64(rest[1])!, step: UInt64(rest[2])!, instrument: instrument(rest[3]),
          lots: Lots(Int64(rest[4])!), limit: Price(rest[5])!))
    case "settle": return risk(Settle(instrument: instrument(rest[0]), index: Price(rest[1])!))
    case "stop-all": return risk(Halt(isHalted: true))
    case "go-on": return risk(Halt(isHalted: false))
    case "tripped-elsewhere":
      return risk(ProtectionFreeze(account: account(rest[0]), until: now + .milliseconds(Int64(rest[1])!)))
    case "list": return list(rest[0], shard: UInt16(rest[1])!)
    case "gone": return give(.sessionEnd, SessionEnd(session: UInt64(rest[0])!, generation: UInt64(rest[1])!).encoded)
    case "seal":
      let seal = Seal(
        epoch: engine.epoch, term: Term(1), firstSequence: SequenceNumber(1), lastSequence: SequenceNumber(1),
        chainHead: .zero, entryRoot: .zero)
      return give(.seal, seal.encoded)
    default: fatalError("no such line: \(words)")
    }
  }

  // MARK: - Inputs

  private mutating func give(
    _ kind: InputKind, _ payload: [UInt8], source: MachineID = .none, count: UInt16 = 0
  ) -> String {
    let input = RecordedInput(kind: kind, stamp: now, payload: payload, source: source, count: count)
    journal.apply(input, to: &engine, into: &output)
    return ear.hear(output, names)
  }

  private mutating func risk(_ message: some StreamMessage) -> String {
    give(.stream, World.message(message), source: .risk, count: 1)
  }

  private mutating func credit(_ name: String, _ ceiling: Money, _ words: [String]) -> String {
    creditVersion += 1
    var credit = Credit(
      account: account(name), owner: ScenarioMarket.owner(Int(number(name))), version: creditVersion,
      ceiling: ceiling, isForced: words.contains("forced"))
    // G and H are one group.
    if name == "H" { credit.group = account("G") }
    for word in words where word.hasPrefix("times=") { credit.chargeMultiplier = UInt32(word.dropFirst(6))! }
    return risk(credit)
  }

  private mutating func marks(_ words: [String]) -> String {
    marksVersion += 1
    var mark = Price(words[0])!
    var (low, high, margin, delta, vega) = (Price(whole: 50), Price(whole: 150), Money.zero, Int64(0), Int64(0))
    var index = mark
    var absent: [String] = []
    for word in words.dropFirst() {
      let value = String(word.split(separator: "=").last!)
      if word.hasPrefix("low=") { low = Price(value)! }
      if word.hasPrefix("high=") { high = Price(value)! }
      if word.hasPrefix("margin=") { margin = money(value) }
      if word.hasPrefix("index=") { index = Price(value)! }
      if word.hasPrefix("delta=") { delta = Price(value)!.units }
      if word.hasPrefix("vega=") { vega = Price(value)!.units }
      if word.hasPrefix("without=") { absent = value.split(separator: ",").map(String.init) }
    }
    if mark.units < 0 { mark = .zero }
    let entries = ScenarioMarket.letters.indices.filter { !absent.contains(ScenarioMarket.letters[$0]) }.map {
      ShardMarks.Entry(
        instrument: InstrumentID(UInt32($0)), mark: mark, marginToBuy: margin, marginToSell: margin, bandLow: low,
        bandHigh: high, delta: delta, vega: vega)
    }
    return give(
      .marks, ShardMarks(version: marksVersion, stamp: now, index: index, entries: entries).encoded)
  }

  private mutating func list(_ letter: String, shard: UInt16) -> String {
    let id = UInt32(letter)!
    return risk(
      InstrumentListing(
        instrument: Instrument(
          id: InstrumentID(id), name: "new", kind: .future, settlement: .linear, underlying: UnderlyingID(0),
          settlementCurrency: Currency(0), shard: ShardID(shard), expiry: now + .seconds(60), strike: .zero,
          tickSize: Price(whole: 1), lotSize: Quantity(whole: 1), maximumOrder: Lots(100))))
  }

  // MARK: - Words

  func number(_ name: String) -> UInt32 { UInt32(ScenarioMarket.accounts.firstIndex(of: name)!) }
  func account(_ name: String) -> AccountID { AccountID(number(name)) }
  func money(_ word: String) -> Money { Money(word)! }
  func instrument(_ word: String) -> InstrumentID {
    if word == "all" { return Market.Operation.allInstruments }
    if let number = UInt32(word) { return InstrumentID(number) }
    return InstrumentID(UInt32(ScenarioMarket.letters.firstIndex(of: word)!))
  }

  /// An action of one or more operations, apart by semicolons.
  private mutating func act(_ name: String, _ words: [String]) -> String {
    nonce += 1
    let owner = ScenarioMarket.owner(Int(number(name)))
    var header = SignedActionHeader(
      module: .batch, operationCount: 0, account: account(name), nonce: nonce,
      expiry: UInt64(now.seconds) + 60, underlying: UnderlyingID(0),
      signer: owner, owner: owner,
      signature: RecoverableSignature(r: .zero, s: .zero, recoveryID: 0)
    )
    var operations: [Market.Operation] = []
    for part in words.split(separator: ";") {
      let index = UInt16(operations.count)
      var reader = ScenarioOperation(words: Array(part), names: names, now: now)
      operations.append(reader.read())
      if let label = reader.label {
        names.append((label, number(name), nonce, index))
        names.append((label + "-ask", number(name), nonce, index | Market.Operation.askIndexBit))
      }
      reader.adjust(&header)
    }
    header.operationCount = UInt16(operations.count)
    lastAction = SignedAction(header: header, operations: operations).encoded
    return give(.action, lastAction)
  }
}
