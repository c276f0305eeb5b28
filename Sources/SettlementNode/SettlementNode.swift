import Bytes
import Cluster
import Foundation
import Journal
import Logging
import Machine
import Market
import Messaging
import Settlement
import Synchronization
import Wire

/// Wires the coordinator to its sockets and to the settlement layer. It holds no rule of its own.
public enum SettlementNode {
  #if NOVATION_PLANT
    /// Bugs of a test build for the hosts made from now on.
    public static let faults = Mutex<SettlementFaults>([])
  #endif

  /// The coordinator's host, with the embedded ledger behind it.
  public static func host(
    on loop: SocketLoop, map: ClusterMap, node: String, market: MarketDefinition, transport: Transport,
    authority: NodeAuthority?, configuration: HostConfiguration, log: Logger
  ) throws -> MachineHost<SettlementMachine> {
    let ledger = try LedgerStore(directory: map.ledgerDirectory, rules: VaultRules(market))
    return try MachineHost(
      .settlement, role: role(market: market, layer: ledger), on: loop, map: map, node: node, genesis: market,
      transport: transport, authority: authority, configuration: configuration, log: log)
  }

  /// What the coordinator adds to the common host.
  /// - Parameter ledger: the settlement layer behind it.
  public static func role(
    market: MarketDefinition, layer ledger: any SettlementLayer
  ) -> HostRole<SettlementMachine> {
    var role = HostRole<SettlementMachine>(
      sources: market.committingMachines, admits: [.attestation: .verifier],
      figures: { figures(of: $0, ledger) },
      answer: { try answer($1, $0, ledger) },
      effect: { try carryOut($0, $1, ledger) },
      catchUp: { machine in ledger.read { $0.events(from: machine.nextDeposit) }.map { (.settlementEvent, $0.encoded) }
      })
    #if NOVATION_PLANT
      role.plant = { machine in machine.faults = faults.withLock { $0 } }
    #endif
    return role
  }

  private static func figures(
    of machine: borrowing SettlementMachine, _ ledger: any SettlementLayer
  ) -> (figures: [String: Int64], texts: [String: String]) {
    let status = machine.status
    return (
      [
        "finalEpoch": Int64(status.lastFinalEpoch.rawValue), "appliedEpoch": Int64(status.lastAppliedEpoch.rawValue),
        "unfinishedEpochs": Int64(status.unfinished.count), "accounts": Int64(status.accounts),
        "deposits": Int64(status.depositsForwarded), "totalPositiveEquity": status.totalPositiveEquity.units,
      ],
      [
        "finalRoot": status.lastFinalRoot.description, "root": status.root.description,
        "stopped": status.stopReason?.description ?? "",
      ]
    )
  }

  /// Settles with the layer: attestations are asked of whoever listens, posts go to the ledger, whose word comes back
  /// as inputs.
  private static func carryOut(_ code: UInt32, _ payload: [UInt8], _ ledger: any SettlementLayer) throws -> HostReaction
  {
    switch SettlementEffect(rawValue: code) {
    case .attest: return HostReaction(frames: [(.attestationRequest, payload)])
    case .post:
      let post = try EpochPost(decoding: payload)
      switch try ledger.apply(.post(post)) {
      case .success(let receipt): return HostReaction(inputs: inputs(of: receipt, ledger))
      case .failure(let refusal): throw LedgerRefused(refusal: refusal)
      }
    case nil: return HostReaction()
    }
  }

  private static func inputs(
    of receipt: VaultReceipt, _ ledger: any SettlementLayer
  ) -> [(kind: InputKind, payload: [UInt8])] {
    let events: [SettlementEvent]
    switch receipt {
    case .deposited(let deposit): events = [.deposit(deposit)]
    case .posted(let epoch, let headerHash, _), .alreadyPosted(let epoch, let headerHash):
      let final = ledger.read { $0.finalHeader }.map { SettlementEvent.final($0.epoch, root: $0.root) }
      events = [.posted(epoch, headerHash: headerHash)] + (final.map { [$0] } ?? [])
    case .paid: events = []
    }
    return events.map { (.settlementEvent, $0.encoded) }
  }

  // MARK: Questions

  private static func answer(
    _ query: Query, _ machine: borrowing SettlementMachine, _ ledger: any SettlementLayer
  ) throws -> HostAnswer {
    switch query.kind {
    case .transaction:
      let transaction = try VaultTransaction(decoding: query.body)
      if case .post = transaction { throw ClientMistake("only the coordinator posts") }
      switch try ledger.apply(transaction) {
      case .success(let receipt):
        return HostAnswer(try json(ReceiptText(receipt)), inputs: inputs(of: receipt, ledger))
      case .failure(let refusal): throw LedgerRefused(refusal: refusal)
      }
    case .proof:
      let account = try AccountID(decoding: query.body)
      guard let proof = machine.proof(of: account) else { throw ClientMistake("account \(account) is in no epoch yet") }
      return HostAnswer(proof.encoded)
    case .epoch:
      let epoch = try Epoch(decoding: query.body)
      return HostAnswer(try json(EpochText(epoch, machine.status, ledger)))
    default: throw UnansweredQuery(machine: .settlement, kind: query.kind)
    }
  }

  private static func json(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return [UInt8](try encoder.encode(value))
  }
}

/// A refusal of the settlement layer, in words.
struct LedgerRefused: Error, CustomStringConvertible {
  var refusal: VaultRefusal
  var description: String { "the settlement layer refuses: \(refusal)" }
}

/// A question that cannot be answered as put.
struct ClientMistake: Error, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }
}
