import Bytes
import Cryptography
import Market
import Settlement
import Testing

@Suite struct AccountLeafTests {
  private var leaf: AccountLeaf {
    var leaf = AccountLeaf(account: AccountID(0x0102_0304), owner: Fixture.owner(0xAA), currencies: 2)
    leaf.equity = Money(units: -2)
    leaf.marksEpoch = Epoch(9)
    leaf.ledger = [Money(units: 1), Money(units: -1)]
    leaf.withdrawn = [Money(units: 3), .zero]
    return leaf
  }

  @Test func theLayoutIsTheDocumentedOne() {
    let bytes = leaf.encoded
    #expect(bytes.count == 102 + 2 * 16)
    #expect(bytes[0..<4] == [4, 3, 2, 1])
    #expect(bytes[4..<24].allSatisfy { $0 == 0xAA })
    #expect(bytes[24..<56].allSatisfy { $0 == 0 })
    #expect(Array(bytes[56..<88]) == RFC6962Keccak.emptyRoot.array)
    #expect(bytes[88..<96] == [0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF])
    #expect(bytes[96..<100] == [9, 0, 0, 0])
    #expect(bytes[100..<102] == [0, 2])
    #expect(bytes[102] == 1)
    #expect(bytes[118] == 3)
    #expect(leaf.hash == Keccak256.hash([0x10] + bytes))
  }

  @Test func itReadsBack() throws {
    #expect(try AccountLeaf(decoding: leaf.encoded) == leaf)
    let published = PublishedLeaf(
      leaf: leaf, positions: [PositionEntry(instrument: InstrumentID(3), lots: Lots(-4))])
    #expect(try PublishedLeaf(decoding: published.encoded) == published)
    #expect(throws: MalformedBytes.self) { try PublishedLeaf(decoding: Array(published.encoded.dropLast())) }
  }

  @Test func thePositionsRootIsTheRFC6962RootOfTheEntries() {
    let entries = [
      PositionEntry(instrument: InstrumentID(1), lots: Lots(5)), .init(instrument: InstrumentID(4), lots: Lots(-1)),
    ]
    let leaves = entries.map { RFC6962Keccak.leaf($0.encoded) }
    #expect(PositionEntry.root(entries) == RFC6962Keccak.node(leaves[0], leaves[1]))
    #expect(PositionEntry.root([]) == Keccak256.hash([]))
  }

  @Test func positionsOutOfFormAreNotConsistent() {
    func isConsistent(_ positions: [(UInt32, Int64)]) -> Bool {
      let entries = positions.map { PositionEntry(instrument: InstrumentID($0.0), lots: Lots($0.1)) }
      var leaf = leaf
      leaf.positionsRoot = PositionEntry.root(entries)
      return PublishedLeaf(leaf: leaf, positions: entries).isConsistent
    }
    #expect(isConsistent([(1, 5), (2, -5)]))
    #expect(!isConsistent([(2, 5), (1, -5)]))
    #expect(!isConsistent([(1, 5), (1, -5)]))
    #expect(!isConsistent([(1, 0)]))
  }

  @Test func aHeaderIs216Bytes() {
    let header = EpochHeader(
      epoch: Epoch(1), previousRoot: .zero, root: .zero, fillsRoot: .zero, marksRoot: .zero, inputRoot: .zero,
      withdrawalsRoot: .zero, parameterVersion: 1, depositCursor: 0, totalPositiveEquity: .zero)
    #expect(header.encoded.count == EpochHeader.byteCount)
    #expect(EpochHeader.byteCount == 216)
    #expect(header.headerHash == Keccak256.hash(header.encoded))
  }
}
