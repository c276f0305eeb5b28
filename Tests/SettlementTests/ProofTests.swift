import Bytes
import Market
import Settlement
import Testing

@Suite struct ProofTests {
  private func published(seed: UInt64 = 3) throws -> (World, PublishedLedger) {
    let world = World()
    var scenario = Scenario(seed: seed)
    scenario.run(world, epochs: 12)
    var ledger = PublishedLedger(currencies: 3)
    for post in world.posts {
      // Only bytes are published.
      try ledger.apply(try EpochPost(decoding: post.encoded))
    }
    return (world, ledger)
  }

  @Test func proofsMadeFromPublishedDataAloneVerify() throws {
    let (world, ledger) = try published()
    #expect(world.machine.stopReason == nil)
    #expect(ledger.root == world.vault.postedRoot)
    #expect(ledger.book.accounts.count > 5)
    for account in ledger.book.accounts.map(\.leaf.account) {
      let proof = try #require(ledger.proof(of: account))
      #expect(proof.verify(against: world.vault.postedRoot))
      #expect(proof.verify(againstHeaderHash: world.vault.postedHeader!.headerHash))
      #expect(proof == world.machine.proof(of: account))
      #expect(proof.account == world.machine.leaf(of: account))
      #expect(try AccountProof(decoding: proof.encoded) == proof)
    }
    #expect(ledger.proof(of: AccountID(99)) == nil)
    #expect(PublishedLedger(currencies: 3).proof(of: .house) == nil)
  }

  @Test func anyFlippedBitFails() throws {
    let (world, ledger) = try published()
    let account = try #require(ledger.book.accounts.first { $0.positions.count > 1 }?.leaf.account)
    let proof = try #require(ledger.proof(of: account))
    let headerHash = try #require(world.vault.postedHeader?.headerHash)
    let bytes = proof.encoded
    var surviving = 0
    for bit in 0..<bytes.count * 8 {
      var flipped = bytes
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      guard let proof = try? AccountProof(decoding: flipped) else { continue }
      if proof.verify(againstHeaderHash: headerHash) { surviving += 1 }
    }
    #expect(surviving == 0)
    #expect(!proof.verify(against: .zero))
  }

  @Test func itsTextReadsBackAndBadTextSaysWhichPartIsBad() throws {
    let (_, ledger) = try published()
    let proof = try #require(ledger.proof(of: AccountID(1)))
    let text = AccountProofText(proof)
    #expect(text.account == 1)
    #expect(text.epoch == proof.header.epoch.rawValue)
    #expect(text.root == proof.header.root.description)
    #expect(try text.proof() == proof)
    var bad = [text, text, text, text]
    bad[0].header = "0x00"
    bad[1].leaf = "zz"
    bad[2].siblings[3] += "00"
    bad[3].siblings.removeLast()
    for (text, part) in zip(bad, ["header", "leaf", "sibling", "24 siblings"]) {
      #expect {
        try text.proof()
      } throws: {
        "\($0)".contains(part)
      }
    }
  }

  @Test func everythingPublishedAddsUp() throws {
    let (world, ledger) = try published()
    for (currency, totals) in ledger.book.ledgerTotals.enumerated() {
      let deposited = world.deposits.filter { Int($0.currency.rawValue) == currency }
        .prefix { $0.number <= ledger.header!.depositCursor }.reduce(Int128(0)) { $0 + Int128($1.amount.units) }
      #expect(totals.ledger + totals.withdrawn == deposited)
    }
    #expect(ledger.book.unbalancedInstruments == [])
    #expect(ledger.header?.totalPositiveEquity == ledger.book.totalPositiveEquity)
  }

  @Test func aPostThatDoesNotFollowIsRefused() throws {
    let (world, _) = try published()
    var ledger = PublishedLedger(currencies: 3)
    #expect(throws: PublishedLedger.Refusal.wrongEpoch(expected: Epoch(1))) { try ledger.apply(world.posts[1]) }
    try ledger.apply(world.posts[0])
    #expect(throws: PublishedLedger.Refusal.wrongEpoch(expected: Epoch(2))) { try ledger.apply(world.posts[0]) }
    var post = world.posts[1]
    post.header.previousRoot = .zero
    #expect(throws: PublishedLedger.Refusal.wrongPreviousRoot) { try ledger.apply(post) }
    let copy = try PublishedLedger(decoding: ledger.encoded)
    #expect(copy.root == ledger.root)
    #expect(copy.encoded == ledger.encoded)
  }
}
