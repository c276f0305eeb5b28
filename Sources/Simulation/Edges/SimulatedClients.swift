import Bytes
import Cryptography
import Machine
import Market
import Operations
import Settlement
import Wire

/// All clients of a simulation, behind one gateway. What they know survives the gateway's process: it is theirs.
final class SimulatedClients {
  private static let patience: Int64 = 400_000_000
  private static let mostPending = 8

  private unowned let cluster: SimulatedCluster
  private let signing: ActionSigning
  private var random: SeededGenerator
  private(set) var clients: [SimulatedClient]
  private var quotes: [ShardQuotes]
  private var lastMarks: [[ShardMarks.Entry]]
  private var mix = LoadMix()
  /// Mean time between two actions of one client.
  private let pace: Int64
  /// Nothing new is begun.
  var isWindingDown = false
  private(set) var actions = 0
  private(set) var refusals = 0

  init(_ count: Int, on cluster: SimulatedCluster, seed: UInt64, pace: Int64) {
    self.cluster = cluster
    self.pace = pace
    random = SeededGenerator(seed: seed)
    signing = ActionSigning(market: cluster.market)
    clients = (0..<count).map { SimulatedClient(number: $0) }
    quotes = cluster.market.shards.map { ShardQuotes($0, cluster.market) }
    lastMarks = cluster.market.shards.map { _ in [] }
    mix.new = 35
    mix.cancel = 18
    mix.replace = 7
    mix.crossing = 25
    mix.stop = 5
    mix.iceberg = 5
    mix.quote = 5
  }

  /// Actions that have no answer.
  var waiting: Int { clients.reduce(0) { $0 + $1.pending.count } }

  func generation(of place: UInt16) -> UInt64 { clients[Int(place)].generation }

  /// What the newest marks leave out is still traded at the last: not everybody sees an expiry come.
  func take(_ marks: ShardMarks, of shard: ShardID) {
    let place = Int(shard.rawValue)
    var known = marks
    for entry in lastMarks[place] where !known.entries.contains(where: { $0.instrument == entry.instrument }) {
      known.entries.append(entry)
    }
    lastMarks[place] = known.entries
    quotes[place].take(known)
  }

  // MARK: What they do

  func work(through gateway: SimulatedGateway) {
    let now = cluster.time.now
    for index in clients.indices {
      askAgain(index, gateway)
      guard !isWindingDown, now >= clients[index].nextActionAt else { continue }
      clients[index].nextActionAt = now + pace / 2 + Int64(random.below(Int(pace)))
      guard let account = account(of: index) else {
        deposit(index, gateway)
        continue
      }
      act(index, account, gateway)
    }
  }

  /// Anybody can look at the settlement layer.
  private func account(of index: Int) -> AccountID? {
    if clients[index].account == nil {
      clients[index].account = cluster.layer.read { $0.account(of: clients[index].key.address) }
      if let account = clients[index].account {
        clients[index].bot = cluster.market.shards.map { _ in Workload(account: account) }
      }
    }
    return clients[index].account
  }

  private func act(_ index: Int, _ account: AccountID, _ gateway: SimulatedGateway) {
    let draw = random.below(1_000)
    switch draw {
    case ..<12: deposit(index, gateway)
    case ..<24: withdraw(index, account, gateway)
    case ..<34: gateway.ask(Query(tag: UInt64(index), kind: .proof, machine: .settlement, body: account.encoded))
    case ..<38:
      gateway.end(place: clients[index].place)
      clients[index].generation += 1
    case ..<44: gateway.ask(Query(tag: 1_000, kind: .account, machine: .risk, body: account.encoded))
    default: trade(index, account, gateway)
    }
  }

  private func deposit(_ index: Int, _ gateway: SimulatedGateway) {
    let isCoin = random.below(3) == 0 && clients[index].account != nil
    let dollars = [2_000, 20_000, 200_000, 2_000_000][random.below(4)]
    let transaction = VaultTransaction.deposit(
      owner: clients[index].key.address, account: clients[index].account, currency: Currency(isCoin ? 1 : 0),
      amount: Money(whole: Int64(isCoin ? dollars / 10_000 + 1 : dollars)))
    gateway.ask(Query(tag: 1_000, kind: .transaction, machine: .settlement, body: transaction.encoded))
  }

  private func withdraw(_ index: Int, _ account: AccountID, _ gateway: SimulatedGateway) {
    let withdrawal = Withdrawal(
      currency: Currency(random.below(4) == 0 ? 1 : 0), amount: Money(whole: Int64(1 + random.below(100_000))),
      recipient: clients[index].key.address, maximumFee: .zero)
    guard let operation = try? Market.Operation(decoding: withdrawal.encoded) else { return }
    submit(index, account, [operation], .withdrawal, to: .risk, gateway)
  }

  private func trade(_ index: Int, _ account: AccountID, _ gateway: SimulatedGateway) {
    let shard = random.below(quotes.count)
    guard quotes[shard].isQuoted, clients[index].pending.count < Self.mostPending else { return }
    let count = 1 + (random.below(4) == 0 ? random.below(6) : 0)
    var operations = clients[index].bot[shard].operations(count, mix: mix, quotes: &quotes[shard], &random)
    for place in operations.indices where random.below(4) == 0 { vary(&operations[place], index, shard) }
    if random.below(20) == 0 { operations.append(contentsOf: special(index, shard)) }
    guard !operations.isEmpty else { return }
    submit(index, account, operations, .batch, to: .shard(quotes[shard].shard), gateway)
  }

  /// Other kinds of orders than a load's bots send.
  private func vary(_ operation: inout Market.Operation, _ index: Int, _ shard: Int) {
    guard operation.kind == .new, operation.type == .limit else { return }
    switch random.below(9) {
    case 0: operation.flags.insert(.postOnly)
    case 1: operation.flags.formUnion([.postOnly, .slide])
    case 2: operation.flags.insert(.reduceOnly)
    case 3: operation.flags.insert(.cancelOnDisconnect)
    case 4: operation.rawTimeInForce = Market.Operation.TimeInForce.fillOrKill.rawValue
    case 5:
      operation.rawTimeInForce = Market.Operation.TimeInForce.goodTillDate.rawValue
      operation.expiry = UInt32(clamping: cluster.time.wall.seconds + 1 + Int64(random.below(3)))
    case 6:
      operation.rawType = Market.Operation.OrderType.market.rawValue
      operation.rawTimeInForce = Market.Operation.TimeInForce.immediateOrCancel.rawValue
      operation.price = Price(units: 0)
      operation.displayQuantity = Quantity(units: 0)
    case 7: operation.selfTradePrevention = UInt8(1 + random.below(4))
    default:
      if let listed = cluster.market[operation.instrument] {
        operation.quantity = listed.quantity(Lots(1 + Int64(random.below(200)))) ?? operation.quantity
        operation.displayQuantity = Quantity(units: 0)
      }
    }
  }

  private func special(_ index: Int, _ shard: Int) -> [Market.Operation] {
    let instruments = quotes[shard].quotes.map(\.instrument.id)
    let instrument = instruments[random.below(instruments.count)]
    switch random.below(4) {
    case 0: return [Market.Operation(kind: .cancelAll, instrument: Market.Operation.allInstruments)]
    case 1: return [Market.Operation(kind: .cancelAll, instrument: instrument)]
    case 2:
      let own = clients[index].named.last { $0.shard == quotes[shard].shard }
      guard let own, let listed = cluster.market[own.instrument] else { return [] }
      return [
        Market.Operation(
          kind: .amend, instrument: own.instrument, quantity: listed.quantity(Lots(1)) ?? listed.lotSize,
          targetNonce: own.nonce, targetIndex: own.index)
      ]
    default:
      return [
        Market.Operation(
          kind: .deadMan, instrument: Market.Operation.allInstruments,
          targetNonce: random.below(2) == 0 ? 0 : UInt64(500 + random.below(3_000)))
      ]
    }
  }

  // MARK: Asking

  private func submit(
    _ index: Int, _ account: AccountID, _ operations: [Market.Operation], _ module: SignedActionHeader.Module,
    to machine: MachineID, _ gateway: SimulatedGateway
  ) {
    guard clients[index].pending.count < Self.mostPending else { return }
    clients[index].nonce += 1
    let owner = clients[index].key.address
    let header = SignedActionHeader(
      module: module, operationCount: UInt16(operations.count), account: account, nonce: clients[index].nonce,
      expiry: UInt64(cluster.time.wall.seconds + 60), underlying: UnderlyingID(0), signer: owner, owner: owner,
      signature: RecoverableSignature(r: .zero, s: .zero, recoveryID: 0))
    var action = SignedAction(header: header, operations: operations)
    do throws(SigningError) {
      try signing.sign(&action, with: clients[index].key)
    } catch {
      refusals += 1
      return
    }
    actions += 1
    let pending = SimulatedClient.Pending(
      machine: machine, action: action.encoded, operations: operations, askedAt: cluster.time.now)
    clients[index].pending.append((clients[index].nonce, pending))
    gateway.submit(pending.action, to: machine, place: clients[index].place)
    // Now and then a client is impatient, and now and then it repeats itself long after.
    if random.below(25) == 0 { gateway.submit(pending.action, to: machine, place: clients[index].place) }
  }

  private func askAgain(_ index: Int, _ gateway: SimulatedGateway) {
    let now = cluster.time.now
    for place in clients[index].pending.indices {
      let pending = clients[index].pending[place].action
      guard now - pending.askedAt > Self.patience else { continue }
      clients[index].pending[place].action.askedAt = now
      clients[index].pending[place].action.tries += 1
      gateway.submit(pending.action, to: pending.machine, place: clients[index].place)
    }
  }

  // MARK: Answers

  func replied(_ reply: ActionReply) {
    guard let index = clients.firstIndex(where: { $0.account == reply.account }),
      let place = clients[index].pending.firstIndex(where: {
        $0.nonce == reply.nonce && $0.action.machine == reply.machine
      })
    else { return }
    if reply.results.contains(where: { $0.outcome == .pending }) { return }
    let pending = clients[index].pending.remove(at: place)
    guard let shard = reply.machine.shard else { return }
    let number = Int(shard.rawValue)
    if number < clients[index].bot.count {
      clients[index].bot[number].learn(reply.nonce, pending.action.operations, reply.results, quotes[number])
    }
    for (place, result) in reply.results.enumerated() where result.outcome == .resting {
      clients[index].named.append(
        (shard, reply.nonce, UInt16(place), pending.action.operations[place].instrument))
    }
    if clients[index].named.count > 16 { clients[index].named.removeFirst(8) }
  }

  /// A proof: it is taken to the layer, which pays what was granted.
  /// - Returns: the proof, if the answer is one.
  func answered(_ answer: Answer) -> AccountProof? {
    guard answer.isAnswered, answer.tag < UInt64(clients.count), let proof = try? AccountProof(decoding: answer.body)
    else { return nil }
    for currency in cluster.market.currencies.indices {
      _ = cluster.layer.apply(.withdraw(proof, currency: Currency(UInt8(currency))))
    }
    return proof
  }
}
