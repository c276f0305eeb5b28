import Bytes
import Market

/// Posting: one epoch on top of the other, with the verifiers' quorum, from leaves that reproduce the root.
extension Vault {
  mutating func post(_ post: EpochPost) throws(VaultRefusal) -> VaultReceipt {
    let header = post.header
    if header.epoch <= postedEpoch, header.epoch.rawValue > 0 {
      guard let known = self.header(of: header.epoch) else { throw .forgotten(header.epoch) }
      guard known == header else { throw .conflictingHeader(header.epoch) }
      return .alreadyPosted(header.epoch, headerHash: header.headerHash)
    }
    guard postedEpoch.rawValue < .max, header.epoch == postedEpoch.next else {
      throw .wrongEpoch(expected: Epoch(postedEpoch.rawValue &+ 1))
    }
    guard header.previousRoot == postedRoot else { throw .wrongPreviousRoot }
    try checkQuorum(post)
    guard header.depositCursor >= depositCursor, header.depositCursor <= depositCount else {
      throw .depositCursor(header.depositCursor)
    }
    let next = try successor(post)
    try checkLeaves(post.changed)
    let consumed = Int(header.depositCursor - depositCursor)
    try checkLedgers(post.changed, pendingDeposits[..<consumed])
    try checkPositions(post.changed)

    ledger = next
    pendingDeposits.removeFirst(consumed)
    headers.append(header)
    if headers.count > Self.rememberedHeaders { headers.removeFirst() }
    return .posted(header.epoch, headerHash: header.headerHash, final: finalHeader?.epoch ?? Epoch(0))
  }

  /// Distinct verifiers whose signed agreement to this very header is there.
  private func checkQuorum(_ post: EpochPost) throws(VaultRefusal) {
    let signing = AttestationDigest(chainID: rules.chainID, verifyingContract: rules.verifyingContract)
    let headerHash = post.header.headerHash
    var valid: [UInt16] = []
    for attestation in post.attestations.prefix(rules.verifiers.count) {
      guard attestation.agrees, attestation.epoch == post.header.epoch, attestation.headerHash == headerHash,
        !valid.contains(attestation.verifier), signing.isSigned(attestation, by: rules.verifiers)
      else { continue }
      valid.append(attestation.verifier)
    }
    let needed = max(1, Int(rules.quorum))
    guard valid.count >= needed else { throw .noQuorum(valid: valid.count, needed: needed) }
  }

  private func successor(_ post: EpochPost) throws(VaultRefusal) -> PublishedLedger {
    do throws(PublishedLedger.Refusal) {
      return try ledger.applying(post)
    } catch {
      switch error {
      case .wrongEpoch(let expected): throw .wrongEpoch(expected: expected)
      case .wrongPreviousRoot: throw .wrongPreviousRoot
      case .misplacedLeaf: throw .misplacedLeaf
      case .inconsistentLeaf(let account): throw .inconsistentLeaf(account)
      case .wrongRoot: throw .wrongRoot
      case .wrongTotalPositiveEquity: throw .wrongTotalPositiveEquity
      }
    }
  }

  /// Each leaf has the owner whom the vault knows, and takes no granted withdrawal back.
  private func checkLeaves(_ changed: [PublishedLeaf]) throws(VaultRefusal) {
    for published in changed {
      let leaf = published.leaf
      guard Int(leaf.account.rawValue) < owners.count, owners[Int(leaf.account.rawValue)] == leaf.owner else {
        throw .wrongOwner(leaf.account)
      }
      let before = ledger.book[leaf.account]?.leaf.withdrawn ?? Array(repeating: .zero, count: rules.currencies)
      guard zip(before, leaf.withdrawn).allSatisfy({ $0 <= $1 }) else { throw .withdrawnFell(leaf.account) }
    }
  }

  /// Per currency: what the balances and the granted withdrawals gained is what was deposited.
  private func checkLedgers(_ changed: [PublishedLeaf], _ deposits: ArraySlice<Deposit>) throws(VaultRefusal) {
    var surplus = Array(repeating: Int128(0), count: rules.currencies)
    for published in changed {
      let before = ledger.book[published.leaf.account]?.leaf
      for currency in surplus.indices {
        surplus[currency] += Int128(published.leaf.ledger[currency].units)
        surplus[currency] += Int128(published.leaf.withdrawn[currency].units)
        surplus[currency] -= Int128(before?.ledger[currency].units ?? 0)
        surplus[currency] -= Int128(before?.withdrawn[currency].units ?? 0)
      }
    }
    for deposit in deposits { surplus[Int(deposit.currency.rawValue)] -= Int128(deposit.amount.units) }
    if let currency = surplus.firstIndex(where: { $0 != 0 }) {
      throw .ledgerNotConserved(Currency(UInt8(truncatingIfNeeded: currency)))
    }
  }

  /// Per instrument: what the positions gained cancels.
  private func checkPositions(_ changed: [PublishedLeaf]) throws(VaultRefusal) {
    var movements: [(instrument: InstrumentID, lots: Int128)] = []
    for published in changed {
      let before = ledger.book[published.leaf.account]?.positions ?? []
      for position in published.positions { movements.append((position.instrument, Int128(position.lots.count))) }
      for position in before { movements.append((position.instrument, -Int128(position.lots.count))) }
    }
    if let instrument = PositionBalance.unbalanced(movements).first { throw .positionsNotConserved(instrument) }
  }
}
