import Bytes
import Cryptography
import Market
import Settlement
import Testing

/// The accounts of the example: the house, the trader and its counterparty, in a market of two currencies.
enum ExampleAccounts {
  static let positions = [
    PositionEntry(instrument: InstrumentID(5), lots: Lots(2)),
    PositionEntry(instrument: InstrumentID(9), lots: Lots(-40)),
  ]

  static func published(_ id: UInt32) -> PublishedLeaf {
    var leaf = AccountLeaf(account: AccountID(id), owner: owner(id), currencies: 2)
    leaf.marksEpoch = WorkedExample.epoch
    guard id > 0 else {
      leaf.ledger[0] = Money("0.06")!
      leaf.equity = Money("0.06")!
      return PublishedLeaf(leaf: leaf, positions: [])
    }
    let positions =
      id == 1 ? self.positions : self.positions.map { PositionEntry(instrument: $0.instrument, lots: -$0.lots) }
    leaf.positionsRoot = PositionEntry.root(positions)
    leaf.equity = Money(whole: id == 1 ? 9_799 : 10_200)
    leaf.ledger = [Money(id == 1 ? "9599.94" : "10400")!, Money("0.25")!]
    leaf.withdrawn = [Money(whole: id == 1 ? 200 : 0), .zero]
    return PublishedLeaf(leaf: leaf, positions: positions)
  }

  private static func owner(_ id: UInt32) -> Address {
    switch id {
    case 0: .zero
    case 1: WorkedExample.key.address
    default: Address([UInt8](repeating: 0x22, count: 20))
    }
  }

  static var leaves: [PublishedLeaf] { [published(0), published(1), published(2)] }

  static var accountBook: AccountBook {
    get throws {
      var book = AccountBook()
      let isReplaced = book.replace(leaves)
      try #require(isReplaced)
      return book
    }
  }

  static var header: EpochHeader {
    get throws {
      let commitment = try Commitment(decoding: Article("Sources/Market/Market.docc/Commitment").bytes("commitment"))
      let book = try accountBook
      return EpochHeader(
        epoch: WorkedExample.epoch, previousRoot: AccountTree().root, root: book.root,
        fillsRoot: EpochRoots.fills([commitment]), marksRoot: EpochRoots.marks([], indices: [Price(whole: 100_000)]),
        inputRoot: EpochRoots.inputs([commitment]), withdrawalsRoot: EpochRoots.withdrawals([]), parameterVersion: 1,
        depositCursor: 2, totalPositiveEquity: try #require(book.totalPositiveEquity))
    }
  }
}

struct AccountTreeArticleTests {
  private let article: Article
  init() throws { article = try Article("Sources/Settlement/Settlement.docc/AccountTree") }

  @Test func theLeafIsWhatTheCodeWritesAndReads() throws {
    let published = ExampleAccounts.published(1)
    let leaf = published.leaf
    try article.holds(
      "account-leaf",
      [
        .init(leaf.account, "0 account u32: 1"), .init(leaf.owner, "4 owner [20]"),
        .init(leaf.sessionKeyRoot, "24 session-key root [32]: none"),
        .init(leaf.positionsRoot, "56 positions root [32]"),
        .init(leaf.equity, "88 equity i64: 9799 USD"), .init(leaf.marksEpoch, "96 marks' epoch u32: 12"),
        .init([leaf.marginModel.rawValue], "100 margin model u8: scenario"), .init([2], "101 currencies u8: 2"),
        .init(leaf.ledger[0], "102 ledger i64: 9599.94 USDC"), .init(leaf.ledger[1], "110 ledger i64: 0.25 BTC"),
        .init(leaf.withdrawn[0], "118 withdrawn i64: 200 USDC"), .init(leaf.withdrawn[1], "126 withdrawn i64: 0 BTC"),
      ])
    let bytes = try article.bytes("account-leaf")
    #expect(bytes == leaf.encoded)
    #expect(try AccountLeaf(decoding: bytes) == leaf)
    let hash = try article.example("account-tree", fields: 5)[1]
    #expect(hash.bytes == Keccak256.hash([0x10] + bytes).array)
    #expect(leaf.hash.array == hash.bytes)
  }

  @Test func thePositionsRootFollowsFromTheEntries() throws {
    let entries = ExampleAccounts.positions
    let leaves = entries.map { Keccak256.hash([0] + $0.encoded) }
    let root = Keccak256.hash([1] + leaves[0].array + leaves[1].array)
    try article.holds(
      "account-positions",
      [
        .init(entries[0], "instrument u32: 5, lots i64: 2"), .init(entries[1], "instrument u32: 9, lots i64: -40"),
        .init(leaves[0], "leaf of the first"), .init(leaves[1], "leaf of the second"), .init(root, "positions root"),
      ])
    let fields = try article.example("account-positions")
    #expect(try fields.prefix(2).map { try PositionEntry(decoding: $0.bytes) } == entries)
    #expect(root == ExampleAccounts.published(1).leaf.positionsRoot)
    for published in ExampleAccounts.leaves { #expect(published.isConsistent) }
  }

  /// The whole tree by the article's three formulas.
  @Test func theRootFollowsFromThreeLeaves() throws {
    func node(_ left: Digest, _ right: Digest) -> Digest { Keccak256.hash([0x11] + left.array + right.array) }
    let hashes = ExampleAccounts.leaves.map { Keccak256.hash([0x10] + $0.leaf.encoded) }
    var empty = Keccak256.hash([0x12])
    let emptyLeaf = empty
    var subtree = node(node(hashes[0], hashes[1]), node(hashes[2], empty))
    empty = node(empty, empty)
    for _ in 2..<24 {
      empty = node(empty, empty)
      subtree = node(subtree, empty)
    }
    try article.holds(
      "account-tree",
      [
        .init(hashes[0], "leaf of account 0, the house"), .init(hashes[1], "leaf of account 1"),
        .init(hashes[2], "leaf of account 2"), .init(emptyLeaf, "a place without an account"),
        .init(subtree, "root of level 24"),
      ])
    #expect(try ExampleAccounts.accountBook.root == subtree)
  }
}

struct AccountProofArticleTests {
  private let article: Article
  init() throws { article = try Article("Sources/Settlement/Settlement.docc/AccountProof") }

  private var proof: AccountProof {
    get throws {
      return AccountProof(
        header: try ExampleAccounts.header, account: ExampleAccounts.published(1),
        siblings: try #require(ExampleAccounts.accountBook.tree.proof(of: AccountID(1))))
    }
  }

  @Test func theProofIsWhatTheCodeWritesAndReads() throws {
    let proof = try proof
    var fields: [Article.Field] = [
      .init(proof.header, "0 header [216]"), .init(proof.leaf, "216 the leaf [134]"),
      .init(WorkedExample.littleEndian(UInt32(2)), "350 positions u32: 2"),
      .init(proof.positions[0], "354 instrument u32: 5, lots i64: 2"),
      .init(proof.positions[1], "366 instrument u32: 9, lots i64: -40"),
    ]
    for (level, sibling) in proof.siblings.enumerated() {
      fields.append(.init(sibling, "\(378 + 32 * level) sibling of level \(level)"))
    }
    try article.holds("account-proof", fields)
    let bytes = try article.bytes("account-proof")
    #expect(bytes == proof.encoded)
    let read = try AccountProof(decoding: bytes)
    #expect(read == proof && read.verify(against: proof.header.root))
  }

  /// From the published bytes to the root by the article's recipe, without the tree's own code.
  @Test func theRecipeLeadsToTheRoot() throws {
    let bytes = try article.bytes("account-proof", count: 1146)
    var digest = Keccak256.hash([0x10] + bytes[216..<350])
    for level in 0..<24 {
      let start = 378 + 32 * level
      let sibling = Array(bytes[start..<(start + 32)])
      digest =
        1 >> level & 1 == 1
        ? Keccak256.hash([0x11] + sibling + digest.array)
        : Keccak256.hash([0x11] + digest.array + sibling)
    }
    #expect(digest.array == Array(bytes[36..<68]), "the root in the header")
  }

  @Test func noBitOfTheProofMayChange() throws {
    let bytes = try article.bytes("account-proof")
    let headerHash = try proof.header.headerHash
    for bit in stride(from: 0, to: bytes.count * 8, by: 7) {
      var forged = bytes
      forged[bit / 8] ^= 1 << UInt8(bit % 8)
      let holds = (try? AccountProof(decoding: forged))?.verify(againstHeaderHash: headerHash) ?? false
      #expect(!holds, "bit \(bit)")
    }
  }

  @Test func theHeaderIsWhatTheCodeWritesAndReads() throws {
    let header = try ExampleAccounts.header
    try article.holds(
      "epoch-header",
      [
        .init(header.epoch, "0 epoch u32: 12"), .init(header.previousRoot, "4 previous root [32]"),
        .init(header.root, "36 root [32]"), .init(header.fillsRoot, "68 fills root [32]"),
        .init(header.marksRoot, "100 marks root [32]"), .init(header.inputRoot, "132 input root [32]"),
        .init(header.withdrawalsRoot, "164 withdrawals root [32]"),
        .init(WorkedExample.littleEndian(header.parameterVersion), "196 parameter version u32: 1"),
        .init(WorkedExample.littleEndian(header.depositCursor), "200 deposit cursor u64: 2"),
        .init(header.totalPositiveEquity, "208 total positive equity i64: \(header.totalPositiveEquity) USD"),
      ])
    #expect(try EpochHeader(decoding: article.bytes("epoch-header")) == header)
  }

  @Test func theAttestationIsSignedOverTheHeader() throws {
    let header = try EpochHeader(decoding: article.bytes("epoch-header"))
    let attestation = AttestationDigest(WorkedExample.market.parameters)
    let digest = attestation.digest(epoch: header.epoch, headerHash: header.headerHash, agrees: true)
    let signature = WorkedExample.key.sign(digest)
    try article.holds(
      "attestation",
      [
        .init(Keccak256.hash(header.encoded), "header hash"), .init(attestation.domainSeparator, "domain separator"),
        .init(digest, "digest"), .init(signature.r, "r"), .init(signature.s, "s"),
        .init([signature.recoveryID], "recovery id"),
      ])
    let fields = try article.example("attestation", fields: 6)
    let read = Attestation(
      verifier: 0, epoch: header.epoch, headerHash: Digest(fields[0].bytes), agrees: true,
      signature: RecoverableSignature(
        r: Digest(fields[3].bytes), s: Digest(fields[4].bytes), recoveryID: fields[5].bytes[0]))
    #expect(attestation.isSigned(read, by: [WorkedExample.key.address]))
  }
}
