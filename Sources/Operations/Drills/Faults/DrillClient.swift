import Bytes
import Cluster
import Foundation
import Market
import Messaging
import Wire

/// A client of the drill's own, with an account that nobody else uses and a log for the auditor.
final class DrillClient {
  /// A signed action, as it goes over the wire.
  struct Action {
    var bytes: [UInt8]
    var nonce: UInt64
    var shard: Int
    var operations: [Market.Operation]
  }

  let gateway: GatewayClient
  let market: MarketDefinition
  let credentials: AccountCredentials
  private let signing: ActionSigning
  private let log: ClientLog
  private var quotes: [ShardQuotes]
  private var workloads: [Workload]
  private var random: SeededGenerator
  private var nextNonce = ActionSubmission.nonce()

  private static let creditSeconds = 60.0

  /// Opens an account by a deposit and waits until it has credit in every shard.
  init(_ stage: DrillStage) throws {
    let cluster = stage.cluster
    gateway = try cluster.client.gateway()
    let market = try MarketDefinition(decoding: gateway.query(.market, MachineID(.gateway, 0)))
    self.market = market
    signing = ActionSigning(market: market)
    let funding = AccountFunding(
      client: gateway, store: AccountStore(directory: cluster.map.accountDirectory), market: market)
    guard let own = try funding.traders(stage.options.accounts + 1).last else {
      throw ClientError(reason: "no account was opened")
    }
    credentials = own
    try funding.waitForCredit([own], seconds: Self.creditSeconds)
    log = try ClientLog(path: "\(cluster.map.clientLogDirectory)/drill-\(getpid()).log")
    quotes = market.shards.map { ShardQuotes($0, market) }
    workloads = market.shards.map { _ in Workload(account: own.account) }
    random = SeededGenerator(seed: stage.options.seed)
  }

  /// A few new orders near the mark of one shard, signed.
  /// - Parameters:
  ///   - expiry: Unix seconds after which the signature is void; a minute from now without it.
  ///   - label: put onto each of them.
  func orders(_ count: Int, shard: Int, expiry: UInt64? = nil, label: UInt32? = nil) throws -> Action {
    try quotes[shard].take(
      ShardMarks(decoding: gateway.query(.marks, .marks, quotes[shard].shard.encoded)))
    var mix = LoadMix()
    (mix.new, mix.cancel, mix.replace, mix.crossing) = (100, 0, 0, 0)
    var operations = workloads[shard].operations(count, mix: mix, quotes: &quotes[shard], &random)
    if let label { for index in operations.indices { operations[index].label = label } }
    return try sign(operations, shard: shard, nonce: nil, expiry: expiry)
  }

  /// Other orders under a nonce that was used.
  func forgery(of action: Action) throws -> Action {
    var operations = action.operations
    for index in operations.indices { operations[index].label += 1 }
    return try sign(operations, shard: action.shard, nonce: action.nonce)
  }

  private func sign(_ operations: [Market.Operation], shard: Int, nonce: UInt64?, expiry: UInt64? = nil) throws
    -> Action
  {
    guard let underlying = quotes[shard].quotes.first?.instrument.underlying, !operations.isEmpty else {
      throw ClientError(reason: "shard \(shard) has no instrument with a mark")
    }
    let used = nonce ?? nextNonce
    if nonce == nil { nextNonce += 1 }
    let action = try signing.signedBatch(
      operations, account: credentials.account, nonce: used, expiry: expiry ?? ActionSubmission.expiry(),
      underlying: underlying,
      key: credentials.key)
    return Action(bytes: action.encoded, nonce: used, shard: shard, operations: operations)
  }

  /// Hands an action to the gateway; false when the transport cannot take it now.
  func submit(_ action: Action, to shard: ShardID? = nil) throws -> Bool {
    try log.append(
      .submitted(
        account: credentials.account, nonce: action.nonce, operations: UInt16(action.operations.count)))
    return gateway.submit(action.bytes, to: shard)
  }

  /// Takes what has come.
  func poll(milliseconds: Int, _ each: (GatewayClient.Event) -> Void) throws {
    var heard: [GatewayClient.Event] = []
    gateway.poll(waitMicroseconds: milliseconds * 1_000) { heard.append($0) }
    for event in heard {
      switch event {
      case .reply(let reply): try log.append(.acknowledged(reply))
      case .refusal(let refusal) where refusal.retryAfterMilliseconds == 0: try log.append(.refused(refusal))
      default: break
      }
      each(event)
    }
    try log.flush()
  }

  /// Sends an action and waits for its answer, `nil` if none comes.
  func ask(_ action: Action, to shard: ShardID? = nil, seconds: Double = 5) throws -> GatewayClient.Event? {
    var answer: GatewayClient.Event?
    let end = MachineClock.monotonic() + Int64(seconds * 1e9)
    _ = try submit(action, to: shard)
    while answer == nil, MachineClock.monotonic() < end {
      try poll(milliseconds: 20) { event in
        switch event {
        case .reply(let reply) where reply.nonce == action.nonce: answer = event
        case .refusal(let refusal) where refusal.nonce == action.nonce: answer = event
        default: break
        }
      }
    }
    return answer
  }
}
