import Bytes
import Cryptography
import Market
import Settlement
import Testing

@Suite struct VaultTests {
  /// Three epochs: Alice (1) deposits 1,000 USDC and 70 BTC units, Bob (2) 500 USDC; Alice withdraws 300 in epoch 2.
  private func world(finalityDelay: UInt32 = 0) -> (World, alice: AccountID, bob: AccountID) {
    let world = World(Fixture.market(), finalityDelay: finalityDelay)
    let alice = world.deposit(1, 0, 1_000)
    let bob = world.deposit(2, 0, 500)
    world.deposit(1, 1, 70)
    world.epoch()
    world.epoch { if $0.machine == .risk { $0.withdraw(alice, 0, 300) } }
    world.epoch()
    return (world, alice, bob)
  }

  private func refusal(_ vault: Vault, _ transaction: VaultTransaction) -> VaultRefusal? {
    var copy = vault
    guard case .failure(let refusal) = copy.apply(transaction) else { return nil }
    #expect(copy.encoded == vault.encoded, "a refusal changes nothing")
    return refusal
  }

  // MARK: Deposits

  @Test func anOwnersFirstDepositOpensTheNextAccount() {
    let world = World()
    #expect(world.deposit(7, 0, 5) == AccountID(1))
    #expect(world.deposit(8, 1, 5) == AccountID(2))
    #expect(world.deposit(7, 2, 5) == AccountID(1))
    #expect(world.vault.pendingDeposits.map(\.number) == [1, 2, 3])
    #expect(world.vault.holdings == [Money(units: 5), Money(units: 5), Money(units: 5)])
    #expect(world.vault.account(of: Fixture.owner(8)) == AccountID(2))
  }

  @Test func aDepositThatIsNoneIsRefused() {
    let (world, alice, _) = world()
    func deposit(_ owner: Address, _ account: AccountID?, _ currency: UInt8 = 0, _ amount: Int64 = 1) -> VaultRefusal? {
      refusal(
        world.vault,
        .deposit(owner: owner, account: account, currency: Currency(currency), amount: Money(units: amount)))
    }
    #expect(deposit(Fixture.owner(1), alice) == nil)
    #expect(deposit(Fixture.owner(2), alice) == .notTheOwner(alice))
    #expect(deposit(Fixture.owner(1), AccountID(3)) == .unknownAccount(AccountID(3)))
    #expect(deposit(.zero, nil) == .noOwner)
    #expect(deposit(Fixture.owner(1), nil, 3) == .unknownCurrency(Currency(3)))
    #expect(deposit(Fixture.owner(1), nil, 0, 0) == .amountNotPositive(.zero))
    #expect(deposit(Fixture.owner(1), nil, 0, -1) == .amountNotPositive(Money(units: -1)))
    #expect(deposit(Fixture.owner(1), nil, 0, .max) == .holdingsOverflow(.usd))
    #expect(deposit(Fixture.owner(9), .house) == nil, "anyone may pay into the fund")
  }

  @Test func theFundTakesDepositsAndIsNoUser() throws {
    let (world, _, _) = world()
    let total = world.machine.lastHeader?.totalPositiveEquity
    let receipt = world.vault.apply(
      .deposit(owner: Fixture.owner(9), account: .house, currency: .usd, amount: Money(units: 40)))
    guard case .success(.deposited(let deposit)) = receipt else {
      Issue.record("refused")
      return
    }
    world.event(.deposit(deposit))
    world.epoch {
      guard $0.machine == .risk else { return }
      $0.depositCursor += 1
      $0.move(.house, 0, 40)
    }
    #expect(world.machine.stopReason == nil)
    #expect(world.vault.ledger.book[.house]?.leaf.ledger[0] == Money(units: 40))
    #expect(world.machine.lastHeader?.totalPositiveEquity == total)
  }

  // MARK: Withdrawals

  @Test func aWithdrawalIsPaidOnce() throws {
    let (world, alice, _) = world()
    let proof = try #require(world.vault.ledger.proof(of: alice))
    let withdraw = VaultTransaction.withdraw(proof, currency: .usd)
    #expect(
      world.vault.apply(withdraw)
        == .success(.paid(account: alice, owner: Fixture.owner(1), currency: .usd, amount: Money(units: 300))))
    #expect(world.vault.holdings[0] == Money(units: 1_200))
    #expect(refusal(world.vault, withdraw) == .nothingDue)
    #expect(refusal(world.vault, .withdraw(proof, currency: Currency(1))) == .nothingDue)
    world.epoch()
    let later = try #require(world.vault.ledger.proof(of: alice))
    #expect(refusal(world.vault, .withdraw(later, currency: .usd)) == .nothingDue)
    world.epoch { if $0.machine == .risk { $0.withdraw(alice, 0, 25) } }
    let more = try #require(world.vault.ledger.proof(of: alice))
    #expect(
      world.vault.apply(.withdraw(more, currency: .usd))
        == .success(.paid(account: alice, owner: Fixture.owner(1), currency: .usd, amount: Money(units: 25))))
    #expect(refusal(world.vault, withdraw) == .nothingDue)
    #expect(world.vault.paid(to: alice)[0] == Money(units: 325))
  }

  @Test func anOlderFinalRootPaysNoMoreThanItGranted() throws {
    let (world, alice, _) = world()
    let early = try #require(world.vault.ledger.proof(of: alice))
    world.epoch { if $0.machine == .risk { $0.withdraw(alice, 0, 100) } }
    let late = try #require(world.vault.ledger.proof(of: alice))
    var vault = world.vault
    #expect(try vault.apply(.withdraw(early, currency: .usd)).get().amount == 300)
    #expect(try vault.apply(.withdraw(late, currency: .usd)).get().amount == 100)
    #expect(vault.apply(.withdraw(early, currency: .usd)) == .failure(.nothingDue))
  }

  @Test func aProofThatIsNotOfAFinalRootPaysNothing() throws {
    let (world, alice, _) = world(finalityDelay: 2)
    #expect(world.vault.finalHeader?.epoch == Epoch(1))
    let proof = try #require(world.vault.ledger.proof(of: alice))
    #expect(refusal(world.vault, .withdraw(proof, currency: .usd)) == .notFinal(Epoch(3)))
    world.epoch()
    world.epoch()
    #expect(refusal(world.vault, .withdraw(proof, currency: .usd)) == nil)
  }

  @Test func aForgedProofPaysNothing() throws {
    let (world, alice, _) = world()
    let proof = try #require(world.vault.ledger.proof(of: alice))
    var forged = Array(repeating: proof, count: 5)
    forged[0].account.leaf.withdrawn[0] = Money(units: 1_500)
    forged[1].account.leaf.owner = Fixture.owner(66)
    forged[2].header.root = .zero
    forged[3].siblings[5] = .zero
    forged[4].account.leaf.account = AccountID(2)
    for (number, proof) in forged.enumerated() {
      #expect(refusal(world.vault, .withdraw(proof, currency: .usd)) == .invalidProof, "forgery \(number)")
    }
    #expect(refusal(world.vault, .withdraw(proof, currency: Currency(9))) == .unknownCurrency(Currency(9)))
  }

  // MARK: Posts

  @Test func thePostedHeaderAgainIsAlreadyPostedAndAnotherIsRefused() {
    let (world, _, _) = world()
    var vault = world.vault
    for post in world.posts {
      #expect(
        vault.apply(.post(post)) == .success(.alreadyPosted(post.header.epoch, headerHash: post.header.headerHash)))
      var other = post
      other.header.fillsRoot = .zero
      #expect(refusal(vault, .post(other)) == .conflictingHeader(post.header.epoch))
    }
    #expect(vault.encoded == world.vault.encoded)
  }

  /// The vault before the last post, and the post; `change` is attested by the verifier like the real one.
  private func refusalOfLastPost(attested: Bool = true, _ change: (inout EpochPost) -> Void) -> VaultRefusal? {
    let (world, alice, bob) = world()
    let before = world.vault
    world.epoch {
      guard $0.machine == .risk else { return }
      $0.move(alice, 0, 10)
      $0.move(bob, 0, -10)
    }
    var post = world.posts.last!
    change(&post)
    if attested {
      let request = AttestationRequest(epoch: post.header.epoch, headerHash: post.header.headerHash)
      post.attestations = [world.attestation(0, request)]
    }
    return refusal(before, .post(post))
  }

  @Test func aPostIsTakenOnlyOnTopOfTheLastRoot() {
    #expect(refusalOfLastPost { _ in } == nil)
    #expect(refusalOfLastPost { $0.header.previousRoot = .zero } == .wrongPreviousRoot)
    #expect(refusalOfLastPost { $0.header.epoch = Epoch(5) } == .wrongEpoch(expected: Epoch(4)))
    #expect(refusalOfLastPost { $0.header.epoch = Epoch(0) } == .wrongEpoch(expected: Epoch(4)))
  }

  @Test func aPostNeedsTheVerifiersWordOnThisVeryHeader() {
    let nobody = VaultRefusal.noQuorum(valid: 0, needed: 1)
    #expect(refusalOfLastPost(attested: false) { $0.attestations = [] } == nobody)
    #expect(refusalOfLastPost(attested: false) { $0.header.marksRoot = .zero } == nobody)
    #expect(refusalOfLastPost(attested: false) { $0.attestations[0].agrees = false } == nobody)
    #expect(refusalOfLastPost(attested: false) { $0.attestations[0].verifier = 1 } == nobody)
    #expect(refusalOfLastPost(attested: false) { $0.attestations[0].signature.s = .zero } == nobody)
  }

  @Test func oneVerifierTwiceIsNoQuorumOfTwo() throws {
    let world = World(Fixture.market(quorum: 2, verifiers: 3))
    world.epoch()
    var post = try #require(world.posts.first)
    var vault = Vault(VaultRules(world.market))
    let both = post.attestations
    post.attestations = [both[0], both[0], both[0]]
    #expect(vault.apply(.post(post)) == .failure(.noQuorum(valid: 1, needed: 2)))
    post.attestations = both
    #expect(throws: Never.self) { try vault.apply(.post(post)).get() }
  }

  @Test func aPostThatItsLeavesDoNotBearOutIsRefused() {
    #expect(refusalOfLastPost { $0.header.root = .zero } == .wrongRoot)
    #expect(refusalOfLastPost { $0.changed.removeLast() } == .wrongRoot)
    #expect(refusalOfLastPost { $0.changed.reverse() } == .misplacedLeaf)
    #expect(refusalOfLastPost { $0.header.totalPositiveEquity = .zero } == .wrongTotalPositiveEquity)
    #expect(refusalOfLastPost { $0.header.depositCursor = 4 } == .depositCursor(4))
    #expect(refusalOfLastPost { $0.header.depositCursor = 2 } == .depositCursor(2))
    #expect(
      refusalOfLastPost { $0.changed[0].positions = [.init(instrument: InstrumentID(0), lots: Lots(1))] }
        == .inconsistentLeaf(AccountID(1)))
  }

  /// As if the operator and every verifier colluded: leaves changed, and the root made anew over them.
  private func refusalOfCollusion(_ change: @escaping (inout PublishedLeaf) -> Void) -> VaultRefusal? {
    let (world, _, _) = world()
    let ledger = world.vault.ledger
    return refusalOfLastPost { post in
      change(&post.changed[0])
      post.changed[0].leaf.positionsRoot = PositionEntry.root(post.changed[0].positions)
      var book = ledger.book
      _ = book.replace(post.changed)
      post.header.root = book.root
      post.header.totalPositiveEquity = book.totalPositiveEquity!
    }
  }

  @Test func evenWithEverySignatureNothingIsMintedOrTaken() {
    #expect(refusalOfCollusion { $0.leaf.ledger[0] = Money(units: 9_999) } == .ledgerNotConserved(.usd))
    #expect(refusalOfCollusion { $0.leaf.withdrawn[1] = Money(units: 1) } == .ledgerNotConserved(Currency(1)))
    #expect(refusalOfCollusion { $0.leaf.withdrawn[0] = Money(units: 299) } == .withdrawnFell(AccountID(1)))
    #expect(refusalOfCollusion { $0.leaf.owner = Fixture.owner(66) } == .wrongOwner(AccountID(1)))
    #expect(
      refusalOfCollusion { $0.positions = [.init(instrument: InstrumentID(3), lots: Lots(1))] }
        == .positionsNotConserved(InstrumentID(3)))
  }

  // MARK: Storing

  @Test func itsTransactionsAndItselfReadBack() throws {
    let (world, alice, _) = world()
    let proof = try #require(world.vault.ledger.proof(of: alice))
    let transactions: [VaultTransaction] = [
      .deposit(owner: Fixture.owner(1), account: nil, currency: .usd, amount: Money(units: 4)),
      .deposit(owner: Fixture.owner(1), account: alice, currency: Currency(2), amount: Money(units: 4)),
      .post(world.posts[1]), .withdraw(proof, currency: .usd),
    ]
    for transaction in transactions { #expect(try VaultTransaction(decoding: transaction.encoded) == transaction) }
    let copy = try Vault(decoding: world.vault.encoded)
    #expect(copy.encoded == world.vault.encoded)
    #expect(copy.account(of: Fixture.owner(2)) == AccountID(2))
    #expect(copy.events(from: 1) == world.vault.events(from: 1))
  }

  @Test func itOutlivesTheHeadersThatItRemembers() {
    let world = World()
    for _ in 0...Vault.rememberedHeaders { world.epoch() }
    let posts = world.posts
    #expect(refusal(world.vault, .post(posts[0])) == .forgotten(Epoch(1)))
    #expect(refusal(world.vault, .post(posts[1])) == nil)
    #expect(world.vault.postedEpoch == Epoch(UInt32(Vault.rememberedHeaders) + 1))
  }
}

extension VaultReceipt {
  /// What was paid, in units.
  fileprivate var amount: Int64? {
    if case .paid(_, _, _, let amount) = self { amount.units } else { nil }
  }
}
