import Bytes
import Machine
import Market

/// Seeded random inputs of every kind. What comes next depends on the seed and on the deadlines that the machine names,
/// on nothing else.
struct RandomInputs {
  let mix: Mix
  var random: Seeded
  let market: MarketDefinition
  private(set) var now = World.start
  private var opening = 0
  private var nonce: UInt64 = 0
  private var marksVersion: UInt64 = 0
  private var creditVersion: UInt64 = 0
  private var freezes: UInt64 = 0
  private var steps: UInt64 = 0
  var middle: Int64 = 1_000
  var listed = UInt32(World.instruments.count)
  /// Names given lately: account, nonce, index.
  var names: [(account: UInt32, nonce: UInt64, index: UInt16)] = []
  private var lastAction: [UInt8] = []
  /// What undoes a freeze, a kill, a halt: without it most of a run would be refusals.
  private var repairs: [(due: Int, repair: Repair)] = []

  private enum Repair {
    case release(AccountID, UInt64)
    case resume
    case operation(account: UInt32, Market.Operation)
  }

  init(_ mix: Mix, seed: UInt64) {
    self.mix = mix
    random = Seeded(seed &* 0x9E37_79B9_7F4A_7C15 &+ 77)
    var parameters = MarketParameters()
    parameters.stepBound = mix.stepBounds[Int(seed % UInt64(mix.stepBounds.count))]
    parameters.makerFee = [0, 100][Int(seed / 3 % 2)]
    parameters.takerFee = 300
    parameters.heldOrderTimeout = .milliseconds(300)
    parameters.heldOrdersPerAccount = 3
    parameters.openOrdersPerAccount = 14
    parameters.liveNonces = 160
    parameters.queuedOperations = 6
    parameters.indicativeInterval = .milliseconds(70)
    parameters.operatorAddress = World.owner(0)
    market = World.market(parameters)
  }

  mutating func pick(_ bound: Int) -> Int { Int(random.next() >> 33) % bound }
  mutating func oneIn(_ bound: Int) -> Bool { pick(bound) == 0 }
  mutating func between(_ low: Int64, _ high: Int64) -> Int64 { low + Int64(pick(Int(high - low + 1))) }

  /// The next input; `deadline` is when the machine wants a tick.
  mutating func next(deadline: Timestamp) -> RecordedInput {
    opening += 1
    switch opening {
    case 1: return RecordedInput(kind: .genesis, stamp: now, payload: market.encoded)
    case 2: return marks()
    case 3: return heartbeat()
    case 4...9: return credit(UInt32(opening - 3), Money(whole: mix.ceiling))
    default: break
    }
    if !oneIn(4) { now = now + .milliseconds(between(0, mix.pause)) }
    if opening % 24 == 0 { return heartbeat() }
    if opening % 24 == 12 { return marks() }
    if opening % 300 == 0 { return seal() }
    if let place = repairs.firstIndex(where: { $0.due <= opening }) { return mend(repairs.remove(at: place).repair) }
    let weights = [
      mix.actions, mix.marks, mix.credits, mix.liquidations, mix.ticks, mix.others, mix.malformed, mix.quarantined,
    ]
    var dice = pick(weights.reduce(0, +))
    var choice = 0
    while dice >= weights[choice] {
      dice -= weights[choice]
      choice += 1
    }
    switch choice {
    case 0: return action()
    case 1: return marks()
    case 2: return creditMessage()
    case 3: return liquidation()
    case 4:
      if deadline != .never, deadline > now, deadline - now < .seconds(2) { now = deadline }
      return RecordedInput(kind: oneIn(5) ? .continuation : .tick, stamp: now)
    case 5: return other()
    case 6: return malformed()
    default: return putAside(oneIn(3) ? risk(Halt(isHalted: true)) : action())
    }
  }

  private mutating func schedule(_ repair: Repair) { repairs.append((opening + 5 + pick(40), repair)) }

  private mutating func mend(_ repair: Repair) -> RecordedInput {
    switch repair {
    case .release(let account, let id): return risk(Release(account: account, id: id))
    case .resume: return risk(Halt(isHalted: false))
    case .operation(let account, let operation):
      nonce += 1
      return action(of: account, [operation])
    }
  }

  // MARK: - Users

  private mutating func action() -> RecordedInput {
    if oneIn(40), !lastAction.isEmpty { return input(.action, lastAction) }
    let isHouse = pick(1_000) < mix.states
    let account = isHouse ? 0 : UInt32(1 + pick(Int(World.accounts)))
    nonce += 1
    var count = oneIn(5) ? 2 + pick(3) : 1
    if oneIn(400) { count = 12 }
    var operations: [Market.Operation] = []
    for place in 0..<count {
      operations.append(isHouse ? houseOperation() : operation(account))
      if !isHouse { remember(account, UInt16(place), operations[place]) }
    }
    return action(of: account, operations)
  }

  private mutating func action(of account: UInt32, _ operations: [Market.Operation]) -> RecordedInput {
    let count = operations.count
    let module: SignedActionHeader.Module = count == 1 && oneIn(12) ? .trade : .batch
    let key = World.owner(account)
    var header = SignedActionHeader(
      module: module, operationCount: UInt16(count), account: AccountID(account), nonce: nonce,
      expiry: UInt64(now.seconds + between(0, 2)), underlying: UnderlyingID(0), signer: key, owner: key,
      signature: RecoverableSignature(r: .zero, s: .zero, recoveryID: 0), session: UInt64(pick(3)),
      sessionGeneration: UInt64(pick(3)), maximumFee: Money(units: oneIn(2) ? .max : between(0, 60_000_000)))
    if oneIn(150) { spoil(&header) }
    for operation in operations { planRepair(of: operation, account) }
    lastAction = SignedAction(header: header, operations: operations).encoded
    return input(.action, lastAction)
  }

  private mutating func planRepair(of operation: Market.Operation, _ account: UInt32) {
    if operation.kind == .killSwitch, operation.rawType == 1 {
      var lift = operation
      lift.rawType = 0
      schedule(.operation(account: account, lift))
    }
    if operation.kind == .tradingState, operation.rawType == 1 {
      var open = operation
      open.rawType = oneIn(2) ? 0 : 2
      open.targetNonce = open.rawType == 0 ? 0 : 100
      schedule(.operation(account: account, open))
    }
    if operation.kind == .protection {
      schedule(.operation(account: account, Market.Operation(kind: .resetProtection, instrument: InstrumentID(0))))
    }
  }

  private mutating func spoil(_ header: inout SignedActionHeader) {
    switch pick(7) {
    case 0: header.signer = World.owner(9)
    case 1: header.owner = World.owner(9)
    case 2: header.key = KeyID(1)
    case 3: header.expiry = UInt64(now.seconds) - 1
    case 4: header.expiry = oneIn(2) ? .max : UInt64(now.seconds) + 86_400 * 40
    case 5: header.account = AccountID(UInt32(20 + pick(3)))
    default: header.nonce = nonce > 4 ? nonce - UInt64(1 + pick(4)) : 1
    }
  }

  private mutating func remember(_ account: UInt32, _ index: UInt16, _ operation: Market.Operation) {
    switch operation.kind {
    case .new: names.append((account, nonce, index))
    case .quote:
      names.append((account, nonce, index))
      names.append((account, nonce, index | Market.Operation.askIndexBit))
    default: break
    }
    if names.count > 60 { names.removeFirst(20) }
  }

  // MARK: - Machines

  private func input(_ kind: InputKind, _ payload: [UInt8]) -> RecordedInput {
    RecordedInput(kind: kind, stamp: now, payload: payload)
  }

  func risk(_ message: some StreamMessage) -> RecordedInput {
    RecordedInput(kind: .stream, stamp: now, payload: World.message(message), source: .risk, count: 1)
  }

  private mutating func heartbeat() -> RecordedInput { risk(Heartbeat(number: UInt64(opening), stamp: now)) }

  private mutating func marks() -> RecordedInput {
    marksVersion += 1
    middle = min(1_012, max(990, middle + between(-3, 3)))
    var entries: [ShardMarks.Entry] = []
    for id in 0..<listed where !oneIn(60) {
      let isSmall = id == 2 || id == 5
      let mark = id == 2 ? Price("0.05")! : Price(whole: id == 5 ? 30 : middle)
      let width = Price(whole: between(14, 30)).units
      entries.append(
        ShardMarks.Entry(
          instrument: InstrumentID(id), mark: mark, marginToBuy: Money(whole: between(0, 9)),
          marginToSell: Money(whole: between(0, 9)), bandLow: isSmall ? .zero : Price(units: mark.units - width),
          bandHigh: id == 2 ? Price("0.1")! : Price(units: mark.units + width), delta: between(-5, 9) * 1_000_000,
          vega: between(0, 5) * 1_000))
    }
    let publication = ShardMarks(
      version: oneIn(40) ? marksVersion / 2 : marksVersion, stamp: now, index: Price(whole: middle + between(-1, 1)),
      entries: entries)
    return input(.marks, publication.encoded)
  }

  private mutating func credit(_ account: UInt32, _ ceiling: Money) -> RecordedInput {
    creditVersion += 1
    // Accounts 5 and 6 are of one group.
    return risk(
      Credit(
        account: AccountID(account), owner: World.owner(account), version: creditVersion, ceiling: ceiling,
        isForced: opening > 10 && oneIn(3), chargeMultiplier: oneIn(4) ? 1_100_000 : 1_000_000,
        group: AccountID(account == 6 ? 5 : account)))
  }

  private mutating func creditMessage() -> RecordedInput {
    let account = AccountID(UInt32(1 + pick(Int(World.accounts) + (oneIn(50) ? 2 : 0))))
    switch pick(9) {
    case 0: return risk(Grant(account: account, request: UInt64(pick(40)), charge: Money(whole: between(0, 90))))
    case 1: return risk(CreditRefused(account: account, request: UInt64(pick(60)), outcome: .insufficientCredit))
    case 2: return risk(ProtectionFreeze(account: account, until: now + .milliseconds(between(-100, 300))))
    default:
      // Charges consumed add up, so what is scarce must grow with them.
      let scarce = mix.ceiling + Int64(opening) * mix.growth
      return credit(account.rawValue, Money(whole: between(scarce / 3, scarce)))
    }
  }

  private mutating func liquidation() -> RecordedInput {
    let account = AccountID(UInt32(1 + pick(Int(World.accounts))))
    switch pick(6) {
    case 0:
      freezes += 1
      schedule(.release(account, freezes))
      return risk(Freeze(account: account, id: freezes))
    case 1, 2: return risk(Release(account: account, id: freezes - min(freezes, UInt64(pick(3)))))
    default:
      steps += oneIn(5) ? 0 : 1
      return risk(
        Liquidate(
          account: account, id: freezes - min(freezes, UInt64(pick(2))), step: steps, instrument: instrument(),
          lots: Lots(between(-9, 9)), limit: Price(whole: middle + between(-6, 6))))
    }
  }

  private mutating func seal() -> RecordedInput {
    let payload = Seal(
      epoch: Epoch(0), term: Term(1), firstSequence: SequenceNumber(1), lastSequence: SequenceNumber(1),
      chainHead: .zero, entryRoot: .zero)
    return input(.seal, payload.encoded)
  }

  private mutating func other() -> RecordedInput {
    switch pick(12) {
    case 0: return seal()
    case 1:
      schedule(.resume)
      return risk(Halt(isHalted: oneIn(2)))
    case 2, 3, 4:
      return input(.sessionEnd, SessionEnd(session: UInt64(pick(3)), generation: UInt64(pick(3))).encoded)
    case 5:
      if now < World.expiry, !oneIn(20) { return heartbeat() }
      return risk(Settle(instrument: instrument(), index: Price(whole: middle)))
    case 6:
      guard listed < 9, oneIn(4) else { return risk(Halt(isHalted: false)) }
      let id = oneIn(4) ? listed + 1 : listed
      listed = max(listed, id == listed ? listed + 1 : listed)
      return risk(
        InstrumentListing(
          instrument: World.instrument(
            id, oneIn(2) ? .future : .call, .linear, shard: UInt16(pick(2)), expiry: now + .seconds(between(1, 30)),
            strike: 1_000, tick: "1", lot: "1")))
    default:
      now = now + .milliseconds(between(0, oneIn(40) ? 3_000 : 200))
      return RecordedInput(kind: .tick, stamp: now)
    }
  }

  /// The same input, kept from the machine.
  private func putAside(_ input: RecordedInput) -> RecordedInput {
    let quarantine = Quarantine(
      machine: .shard(ShardID(0)), kind: input.kind, source: input.source, digest: .zero, deaths: 3, decided: now,
      signature: RecoverableSignature(r: .zero, s: .zero, recoveryID: 0))
    var kept = input
    kept.kind = .quarantined
    kept.payload = input.payload.withUnsafeBytes { QuarantinedInput.payload(quarantine, $0) }
    return kept
  }

  private mutating func malformed() -> RecordedInput {
    switch pick(6) {
    case 0, 1, 2:
      var bytes = lastAction
      if bytes.isEmpty { return RecordedInput(kind: .action, stamp: now) }
      if oneIn(3) { bytes.removeLast(1 + pick(min(200, bytes.count))) }
      for _ in 0...pick(3) where !bytes.isEmpty { bytes[pick(bytes.count)] = UInt8(truncatingIfNeeded: random.next()) }
      return input(.action, bytes)
    case 3:
      var bytes = World.message(Grant(account: AccountID(1), request: 1, charge: .zero))
      bytes[pick(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
      return RecordedInput(kind: .stream, stamp: now, payload: bytes, source: .risk, count: UInt16(pick(3)))
    case 4:
      return RecordedInput(
        kind: .stream, stamp: now, payload: World.message(Halt(isHalted: true)),
        source: oneIn(2) ? .risk : .marks, numbering: .fixed(UInt64(pick(100))), count: 1)
    default:
      let kinds: [InputKind] = [.marks, .sessionEnd, .seal, .genesis, .attestation, .action]
      return input(kinds[pick(kinds.count)], (0..<pick(260)).map { _ in UInt8(truncatingIfNeeded: random.next()) })
    }
  }
}
