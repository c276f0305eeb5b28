import Bytes
import Cryptography
import Market
import Testing

struct CommitmentArticleTests {
  private let article: Article
  private let seal: Seal
  init() throws {
    article = try Article("Sources/Market/Market.docc/Commitment")
    seal = try Seal(decoding: Article("Sources/Journal/Journal.docc/JournalEntry").bytes("journal-seal"))
  }
  private var commitment: Commitment { WorkedExample.commitment(seal) }

  @Test func theCommitmentIsWhatTheCodeWrites() throws {
    let commitment = commitment
    func count(_ items: Int) -> [UInt8] { WorkedExample.littleEndian(UInt32(items)) }
    var fields: [Article.Field] = [
      .init(commitment.machine, "0 machine u32: shard 0"), .init(commitment.seal, "4 seal [88]"),
      .init(WorkedExample.littleEndian(commitment.stateHash), "92 state hash u64"),
      .init(WorkedExample.littleEndian(commitment.fillNumber), "100 fill number u64: 2"),
      .init(commitment.fillRoot, "108 fill root [32]"), .init(count(3), "140 ledger movements u32: 3"),
    ]
    for delta in commitment.ledger {
      fields.append(
        .init(
          delta.account.encoded + delta.currency.encoded + delta.amount.encoded,
          "account u32: \(delta.account), currency u8: \(delta.currency), amount i64: \(delta.amount)"))
    }
    fields.append(.init(count(2), "position movements u32: 2"))
    for delta in commitment.positions {
      fields.append(
        .init(
          delta.account.encoded + delta.instrument.encoded + delta.lots.encoded,
          "account u32: \(delta.account), instrument u32: \(delta.instrument), lots i64: \(delta.lots)"))
    }
    fields += [
      .init(WorkedExample.littleEndian(UInt64(0)), "deposit cursor u64, risk only"),
      .init(count(0), "withdrawals u32, risk only"), .init(count(0), "marks u32, risk only"),
      .init(count(0), "indices u32, risk only"),
    ]
    try article.holds("commitment", fields)
    #expect(try article.bytes("commitment") == commitment.encoded)
    #expect(try Commitment(decoding: article.bytes("commitment")) == commitment)
  }

  @Test func theFillsAreWhatTheCodeWrites() throws {
    let leaves = WorkedExample.fills.map { Keccak256.hash([0] + $0.encoded) }
    let root = Keccak256.hash([1] + leaves[0].array + leaves[1].array)
    try article.holds(
      "commitment-fills",
      [
        .init(WorkedExample.fills[0], "fill 1: account 1 takes 2 lots"),
        .init(WorkedExample.fills[1], "fill 2: account 2 gives them"), .init(leaves[0], "leaf of fill 1"),
        .init(leaves[1], "leaf of fill 2"), .init(root, "fill root"),
      ])
    let fields = try article.example("commitment-fills")
    #expect(try fields.prefix(2).map { try Fill(decoding: $0.bytes) } == WorkedExample.fills)
    #expect(root == commitment.fillRoot)
  }

  @Test func theMovementsAreThoseOfTheFillsAndAddUpToNothing() {
    let commitment = commitment
    for account in [WorkedExample.account, AccountID(2)] {
      let fills = WorkedExample.fills.filter { $0.account == account }
      #expect(
        commitment.ledger.first { $0.account == account }?.amount == fills.map { $0.cash - $0.fee }.reduce(.zero, +))
      #expect(
        commitment.positions.first { $0.account == account }?.lots == fills.map(\.lots).reduce(.zero, +))
    }
    #expect(commitment.ledger.map(\.amount).reduce(.zero, +) == .zero)
    #expect(commitment.positions.map(\.lots).reduce(.zero, +) == .zero)
  }
}
