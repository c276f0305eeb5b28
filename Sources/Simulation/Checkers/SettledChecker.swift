import Market
import Operations
import Settlement

/// What the settlement layer accepts, held against the re-executed machines as it comes: `root_chain`, `solvency` and
/// `conservation` by the auditor's checks, and `exit`: after each final epoch every account has a proof under its
/// header, made from published leaves alone.
final class SettledChecker {
  let exit = ExitCheck()
  private let walk: ClusterWalk
  private let currencies: Int
  private var seen = 0
  private(set) var posts = 0
  private var deposits: DepositSums
  private var ledger: LedgerWalk

  init(_ walk: ClusterWalk, currencies: Int) {
    self.walk = walk
    self.currencies = currencies
    deposits = DepositSums(currencies: currencies)
    ledger = LedgerWalk(currencies: currencies)
  }

  /// A user holds a proof: where its header is on the layer, it proves the account under it.
  func proved(_ proof: AccountProof, _ layer: SimulatedLayer) {
    guard let posted = layer.read({ $0.header(of: proof.header.epoch) }) else { return }
    exit.findings.check(
      proof.verify(againstHeaderHash: posted.headerHash),
      "account \(proof.leaf.account): the coordinator's proof proves nothing under the header of epoch "
        + "\(proof.header.epoch)")
  }

  func follow(_ layer: SimulatedLayer) {
    for transaction in layer.transactions(from: seen) {
      seen += 1
      switch ledger.step(transaction) {
      case .deposited(let deposit):
        deposits.append(deposit)
        walk.solvency.deposited(deposit)
      case .posted(let post):
        posts += 1
        walk.liveness.posted(post.header.epoch, after: Epoch(UInt32(posts - 1)))
        walk.rootChain.posted(post)
        if walk.rootChain.isFollowing { walk.solvency.final(post, walk.rootChain.ledger.book.accounts) }
        walk.conservation.final(post.header, walk.rootChain.ledger.book, deposits)
        exit.finish(walk.rootChain.ledger, headerHash: post.header.headerHash)
      case .paid(_, let currency, let amount): walk.solvency.paid(currency, amount)
      case .impossible(let what): walk.rootChain.impossible(what)
      }
    }
  }
}
