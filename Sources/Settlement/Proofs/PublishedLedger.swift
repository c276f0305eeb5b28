import Bytes
import Market

/// The account tree as anyone rebuilds it from the published `EpochPost`s alone.
public struct PublishedLedger: ByteCodable, Sendable {
  /// Why a post does not follow on those before it.
  public enum Refusal: Error, Sendable, Hashable {
    case wrongEpoch(expected: Epoch)
    case wrongPreviousRoot
    /// Leaves out of order, or an account that skips an id.
    case misplacedLeaf
    /// Positions that are not what the leaf commits to, or another number of currencies.
    case inconsistentLeaf(AccountID)
    case wrongRoot
    case wrongTotalPositiveEquity
  }

  public private(set) var book = AccountBook()
  /// Of the last epoch folded in.
  public private(set) var header: EpochHeader?
  /// Currencies of the market, which every leaf must have.
  public let currencies: Int

  /// The ledger before the first epoch.
  public init(currencies: Int) { self.currencies = currencies }

  public var root: Digest { book.root }
  /// The last epoch folded in; 0 before the first.
  public var epoch: Epoch { header?.epoch ?? Epoch(0) }

  /// Folds in the next epoch's post. Its attestations are not judged here: who verifies a root has its own trust.
  public mutating func apply(_ post: EpochPost) throws(Refusal) { self = try applying(post) }

  /// The ledger after the next epoch's post.
  public func applying(_ post: EpochPost) throws(Refusal) -> PublishedLedger {
    guard epoch.rawValue < .max, post.header.epoch == epoch.next else {
      throw .wrongEpoch(expected: Epoch(epoch.rawValue &+ 1))
    }
    guard post.header.previousRoot == root else { throw .wrongPreviousRoot }
    for published in post.changed {
      guard published.leaf.ledger.count == currencies, published.isConsistent else {
        throw .inconsistentLeaf(published.leaf.account)
      }
    }
    var next = self
    guard next.book.replace(post.changed) else { throw .misplacedLeaf }
    guard next.root == post.header.root else { throw .wrongRoot }
    guard next.book.totalPositiveEquity == post.header.totalPositiveEquity else { throw .wrongTotalPositiveEquity }
    next.header = post.header
    return next
  }

  /// The account's proof under the last root; `nil` before the first epoch or for an unknown account.
  public func proof(of account: AccountID) -> AccountProof? {
    guard let header, let published = book[account], let siblings = book.tree.proof(of: account) else { return nil }
    return AccountProof(header: header, account: published, siblings: siblings)
  }

  /// Layout: currencies u8, book, whether there is a header u8, header.
  public func write(to writer: inout ByteWriter) {
    writer.u8(UInt8(truncatingIfNeeded: currencies))
    book.write(to: &writer)
    writer.bool(header != nil)
    header?.write(to: &writer)
  }
  public init(from reader: inout ByteReader) {
    currencies = Int(reader.u8())
    book = AccountBook(from: &reader)
    header = reader.bool() ? EpochHeader(from: &reader) : nil
    if header.map({ $0.root != book.root }) ?? false { reader.fail() }
  }
}
