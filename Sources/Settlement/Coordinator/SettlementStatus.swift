import Bytes
import Market

/// How far an unfinished epoch has come.
public enum EpochPhase: Sendable, Hashable {
  /// Commitments are missing.
  case collecting(missing: [MachineID])
  /// Complete, but one before it is not applied, or posting has stopped.
  case waiting
  /// So many agreeing attestations of so many are there.
  case attesting(agreeing: Int, quorum: Int)
  /// A quorum is there; the settlement layer does not hold it yet.
  case posting
  /// On the settlement layer, not final yet.
  case posted
}

/// What an operator asks of the coordinator.
public struct SettlementStatus: Sendable, Hashable {
  public struct Unfinished: Sendable, Hashable {
    public var epoch: Epoch
    public var phase: EpochPhase
  }
  /// The epoch now open.
  public var epoch: Epoch
  public var lastAppliedEpoch: Epoch
  public var lastFinalEpoch: Epoch
  /// Root of the last final epoch, and of the last applied one.
  public var lastFinalRoot: Digest
  public var root: Digest
  /// Leaves in the tree, the house's included.
  public var accounts: Int
  /// Σ max(0, equity) over users after the last epoch applied, USD.
  public var totalPositiveEquity: Money
  /// Deposits forwarded to risk, and those consumed by the last epoch applied.
  public var depositsForwarded: UInt64
  public var depositCursor: UInt64
  /// Sealed and not final, in order.
  public var unfinished: [Unfinished]
  /// Why it posts no more; `nil` while all is well.
  public var stopReason: StopReason?
}

extension SettlementMachine {
  public var status: SettlementStatus {
    SettlementStatus(
      epoch: epoch, lastAppliedEpoch: lastAppliedEpoch, lastFinalEpoch: lastFinalEpoch, lastFinalRoot: lastFinalRoot,
      root: root, accounts: book.accounts.count, totalPositiveEquity: lastHeader?.totalPositiveEquity ?? .zero,
      depositsForwarded: depositsForwarded, depositCursor: depositCursor,
      unfinished: openEpochs.map { SettlementStatus.Unfinished(epoch: $0.epoch, phase: phase(of: $0)) },
      stopReason: stopReason)
  }

  private borrowing func phase(of open: OpenEpoch) -> EpochPhase {
    guard let computed = open.computed else {
      let missing = machines.indices.filter { open.commitments[$0] == nil }.map { machines[$0] }
      return missing.isEmpty ? .waiting : .collecting(missing: missing)
    }
    if computed.isPosted { return .posted }
    let quorum = Int(market?.parameters.attestationQuorum ?? 1)
    if open.hasQuorum(quorum) { return .posting }
    let agreeing = open.attestations.count { $0.agrees && $0.headerHash == computed.headerHash }
    return .attesting(agreeing: agreeing, quorum: quorum)
  }

  /// The account as of the last epoch applied; `nil` for one that no consumed deposit has opened.
  public func leaf(of account: AccountID) -> PublishedLeaf? { book[account] }

  /// The account's proof under the last epoch applied, which may not be final yet.
  public func proof(of account: AccountID) -> AccountProof? {
    guard let lastHeader, let published = book[account], let siblings = book.tree.proof(of: account) else { return nil }
    #if NOVATION_PLANT
      if faults.contains(.wrongProof) {
        return AccountProof(header: lastHeader, account: published, siblings: siblings.reversed())
      }
    #endif
    return AccountProof(header: lastHeader, account: published, siblings: siblings)
  }
}
