import Bytes
import Cryptography
import Foundation
import Market
import Testing
import Wire

struct SignedActionArticleTests {
  private let article: Article
  private let signing = ActionSigning(market: WorkedExample.market)
  init() throws { article = try Article("Sources/Wire/Wire.docc/SignedAction") }

  private var operations: [Market.Operation] {
    [
      Market.Operation(
        kind: .new, side: .buy, flags: .postOnly, instrument: InstrumentID(5), price: Price(whole: 100_000),
        quantity: Quantity("0.002")!, label: 1),
      Market.Operation(kind: .cancel, instrument: InstrumentID(5), targetNonce: 1_799_999_999_000, targetIndex: 3),
    ]
  }
  private func action() throws -> SignedAction {
    try signing.signedBatch(
      operations, account: WorkedExample.account, nonce: 1_800_000_000_000, expiry: 1_800_000_060,
      underlying: UnderlyingID(0), key: WorkedExample.key)
  }

  @Test func theKeyIsThePublishedOne() {
    #expect(WorkedExample.key.address.description == "0xcd2a3d9f938e13cd947ec05abc7fe734df8dd826")
  }

  @Test func theActionIsWhatTheCodeWrites() throws {
    let action = try action()
    let bytes = action.encoded
    let rows: [(Int, String)] = [
      (1, "0 module u8: batch"), (1, "1 recovery id u8"), (2, "2 operation count u16: 2"), (4, "4 account u32: 1"),
      (8, "8 nonce u64: 1800000000000"), (8, "16 expiry u64: 1800000060"), (2, "24 key u16: the owner's"),
      (2, "26 zero"), (4, "28 underlying u32: 0"), (20, "32 signer [20]"), (20, "52 owner [20]"), (32, "72 r [32]"),
      (32, "104 s [32]"), (8, "136 session u64"), (8, "144 session generation u64"), (8, "152 maximum fee i64"),
      (64, "160 operation 0: buy 0.002 of instrument 5 at 100000, post-only"),
      (64, "224 operation 1: cancel order 3 of nonce 1799999999000"),
    ]
    var offset = 0
    var fields: [Article.Field] = []
    for (count, remark) in rows {
      fields.append(.init(Array(bytes[offset..<(offset + count)]), remark))
      offset += count
    }
    #expect(offset == bytes.count)
    try article.holds("signed-action", fields)
  }

  @Test func theCodeReadsTheActionAndItsSignatureHolds() throws {
    let bytes = try article.bytes("signed-action")
    #expect(try SignedAction(decoding: bytes) == action())
    try bytes.withUnsafeBytes { try signing.verify(SignedActionView($0)) }
  }

  private func word(_ value: UInt64) -> [UInt8] { [UInt8](repeating: 0, count: 24) + value.bigEndian.bytes }
  private func word(_ address: Address) -> [UInt8] { [UInt8](repeating: 0, count: 12) + address.array }
  private func hash(_ text: String) -> Digest { Keccak256.hash(Array(text.utf8)) }

  /// Every stage recomputed from the action's bytes by the article's formulas alone.
  @Test func theDigestFollowsFromTheBytesAsTheArticleSays() throws {
    let bytes = try article.bytes("signed-action", count: 288)
    let leaves = [Keccak256.hash([0] + bytes[160..<224]), Keccak256.hash([0] + bytes[224..<288])]
    let root = Keccak256.hash([1] + leaves[0].array + leaves[1].array)
    let data = word(0) + word(2) + root.array
    let parameters = WorkedExample.market.parameters
    let domainType = hash("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
    let domain = Keccak256.hash(
      domainType.array + hash("Matching").array + hash("1.0").array + word(901) + word(parameters.verifyingContract))
    let actionType = hash(
      "Action(uint256 subaccountId,uint256 nonce,address module,bytes data,uint256 expiry,address owner,address signer)"
    )
    var message = actionType.array + word(1) + word(1_800_000_000_000) + word(parameters.batchModule)
    message += Keccak256.hash(data).array + word(1_800_000_060)
    message += word(Address(Array(bytes[52..<72]))) + word(Address(Array(bytes[32..<52])))
    let structHash = Keccak256.hash(message)
    let digest = Keccak256.hash([0x19, 0x01] + domain.array + structHash.array)
    try article.holds(
      "signed-action-digest",
      [
        .init(leaves[0], "leaf of operation 0"), .init(leaves[1], "leaf of operation 1"),
        .init(root, "root of the operations"), .init(data, "batch data: underlying, count, root"),
        .init(Keccak256.hash(data), "data hash"), .init(actionType, "type hash of Action"),
        .init(structHash, "struct hash"), .init(domain, "domain separator"), .init(digest, "digest"),
      ])
    let stages = try action().withView { view throws(SigningError) in try signing.stages(of: view) }
    #expect(stages.encodedData == data && stages.structHash == structHash)
    #expect(stages.domainSeparator == domain && stages.digest == digest)
    let signature = RecoverableSignature(
      r: Digest(Array(bytes[72..<104])), s: Digest(Array(bytes[104..<136])), recoveryID: bytes[1])
    #expect(Secp256k1.recoverAddress(digest, signature) == WorkedExample.key.address)
    #expect(WorkedExample.key.sign(digest) == signature)
  }

  @Test func theDomainIsThatOfTheShippedInstrumentFile() throws {
    let file = try String(
      contentsOf: Article.root.appendingPathComponent("cluster/config/instruments.toml"), encoding: .utf8)
    let parameters = WorkedExample.market.parameters
    #expect(file.contains("chain_id = \(parameters.chainID) "))
    for (key, address) in [
      ("verifying_contract", parameters.verifyingContract), ("trade_module", parameters.tradeModule),
      ("batch_module", parameters.batchModule), ("withdrawal_module", parameters.withdrawalModule),
    ] {
      #expect(file.contains("\(key) = \"\(address)\""), "\(key)")
      #expect(article.text.contains("\(address)"), "\(key)")
    }
  }
}
