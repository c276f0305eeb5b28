import Bytes
import Market
import Settlement

/// `root_chain`: each epoch is posted once and on top of the one before; its header is the one that re-execution gives
/// and a quorum of verifiers signed; and the tree rebuilt from published leaves alone has its root.
package final class RootChainCheck {
  package let findings = Findings(.rootChain)
  private let market: MarketDefinition
  private let signing: AttestationDigest
  /// Header hashes of the re-executed coordinator.
  private var own: [Epoch: Digest] = [:]
  /// The coordinator is executed from a snapshot on: headers that it made before are not known.
  var isPartial = false
  package private(set) var ledger: PublishedLedger
  /// False once the published leaves no longer lead to the posted roots.
  package private(set) var isFollowing = true

  init(_ market: MarketDefinition) {
    self.market = market
    signing = AttestationDigest(market.parameters)
    ledger = PublishedLedger(currencies: market.currencies.count)
  }

  /// The re-executed coordinator made a header.
  func made(_ request: AttestationRequest) { own[request.epoch] = request.headerHash }

  func hasMade(_ epoch: Epoch) -> Bool { epoch.rawValue == 0 || own[epoch] != nil }

  /// The settlement layer did what its rules forbid.
  package func impossible(_ what: String) { findings.breach("the settlement layer accepted \(what)") }

  package func posted(_ post: EpochPost) {
    let header = post.header
    let headerHash = header.headerHash
    findings.check(
      header.epoch.rawValue == ledger.epoch.rawValue + 1 && header.previousRoot == ledger.root,
      "epoch \(header.epoch) on \(header.previousRoot) is posted on top of epoch \(ledger.epoch), root \(ledger.root)")
    if !isPartial || own.keys.min().map({ header.epoch >= $0 }) ?? false {
      findings.check(
        own[header.epoch] == headerHash,
        "epoch \(header.epoch): the header posted is not the one that the journals give")
    }
    checkQuorum(post, headerHash)
    do {
      try ledger.apply(post)
      findings.passed(1)
    } catch {
      isFollowing = false
      findings.breach("epoch \(header.epoch): the published leaves do not lead to it: \(error)")
    }
  }

  private func checkQuorum(_ post: EpochPost, _ headerHash: Digest) {
    var agreeing: Set<UInt16> = []
    for attestation in post.attestations
    where attestation.agrees && attestation.epoch == post.header.epoch && attestation.headerHash == headerHash
      && signing.isSigned(attestation, by: market.parameters.verifiers)
    {
      agreeing.insert(attestation.verifier)
    }
    let needed = Int(market.parameters.attestationQuorum)
    findings.check(
      agreeing.count >= needed,
      "epoch \(post.header.epoch): \(agreeing.count) verifiers vouch for the posted header, \(needed) are needed")
  }
}
