import Bytes
import Cryptography
import Machine
import Market
import Testing

@testable import Clearing

@Suite struct ListingTests {
  static let operatorKey = PrivateKey(Digest([UInt8](repeating: 5, count: 32)))!
  static let anotherKey = PrivateKey(Digest([UInt8](repeating: 6, count: 32)))!
  static let new = InstrumentID(8)

  static func definition() -> MarketDefinition {
    TestMarket.definition {
      $0.operatorAddress = operatorKey.address
      $0.verifyingContract = TestMarket.owner(77)
    }
  }

  /// A call on bitcoin like the first one, a number further, of another strike.
  static func instrument(_ change: (inout Instrument) -> Void = { _ in }) -> Instrument {
    var instrument = definition()[TestMarket.call]!
    instrument.id = new
    instrument.name = "NEW"
    instrument.strike = Price(whole: 120_000)
    instrument.expiry = TestMarket.later
    change(&instrument)
    return instrument
  }

  static func list(
    _ instrument: Instrument, nonce: UInt64 = 1, key: PrivateKey = operatorKey, _ driver: inout RiskDriver
  ) {
    driver.input(
      .action, ListingDigest(driver.definition.parameters).listing(instrument, nonce: nonce, key: key).encoded)
  }

  static func outcomes(_ driver: borrowing RiskDriver) -> [Outcome] { driver.replies.map { $0.results[0].outcome } }

  @Test func aListingReachesEveryShardAndSettlementBeforeAnythingThatNamesIt() throws {
    var driver = RiskDriver(Self.definition())
    driver.deposit(1, Money(whole: 10_000))
    _ = driver.take()
    Self.list(Self.instrument(), &driver)
    #expect(Self.outcomes(driver) == [.applied])
    let sent = driver.take()
    #expect(sent.map(\.destination) == (0..<4).map { .shard(ShardID($0)) } + [.settlement])
    #expect(sent.allSatisfy { $0.read(InstrumentListing.self)?.instrument == Self.instrument() })
    #expect(driver.machine.market.instruments.count == 9)
    #expect(driver.machine.market[Self.new] == Self.instrument())
  }

  @Test func aListedInstrumentIsMarginedCommittedAndSettledLikeAnyOther() throws {
    var driver = RiskDriver(Self.definition())
    driver.deposit(1, Money(whole: 10_000))
    driver.mark(index: 100_000)
    driver.mark(1, index: 4_000)
    let before = try #require(driver.view(1).standing)
    Self.list(Self.instrument { $0.expiry = TestMarket.opening + .seconds(3_600) }, &driver)
    #expect(driver.view(1).standing == before)
    var listed = driver.definition
    listed.instruments = driver.machine.market.instruments
    func mark(_ index: Int64, _ version: UInt64) {
      driver.input(
        .marks,
        TestMarket.marks(
          listed, underlying: UnderlyingID(0), index: Price(whole: index), version: version, at: driver.now
        ).encoded)
    }
    driver.from(
      1,
      Fill(
        number: 1, kind: .taker, instrument: Self.new,
        order: OrderID(account: AccountID(1), key: .owner, nonce: 1, index: 0), lots: Lots(-4),
        price: Price(whole: 5_000), cash: Money(whole: 200), fee: .zero, consumed: .zero))
    #expect(driver.view(1).positions == [.init(instrument: Self.new, lots: Lots(-4))])
    #expect(driver.view(1).standing == nil)
    mark(100_000, 2)
    let held = try #require(driver.view(1).standing)
    #expect(held.initialMargin > before.initialMargin)
    #expect(
      driver.machine.scenarios(of: AccountID(1))[0].buckets.map(\.expiry) == [TestMarket.opening + .seconds(3_600)])
    _ = driver.take()
    driver.seal(1)
    let commitment = try #require(driver.take(Commitment.self).first)
    #expect(commitment.marks.contains { $0.instrument == Self.new })
    driver.now = TestMarket.opening + .seconds(3_600)
    mark(101_000, 3)
    let settles = driver.take().compactMap { sent in sent.read(Settle.self).map { (sent.destination, $0) } }
    #expect(settles.map(\.1) == [Settle(instrument: Self.new, index: Price(whole: 101_000))])
    #expect(settles.map(\.0) == [.shard(ShardID(1))])
    #expect(driver.machine.refusals == 0)
  }

  static let misfits: [(@Sendable (inout Instrument) -> Void, Outcome)] = [
    ({ $0.id = InstrumentID(9) }, .notNextInstrument), ({ $0.id = InstrumentID(7) }, .notNextInstrument),
    ({ $0.name = "I2" }, .nameTaken), ({ $0.name = "" }, .nameTaken),
    ({ $0.underlying = UnderlyingID(2) }, .unknownUnderlying),
    ({ $0.settlementCurrency = Currency(3) }, .unknownCurrency),
    ({ $0.settlementCurrency = TestMarket.btc }, .unsupportedCombination),
    ({ $0.settlement = .coin }, .unsupportedCombination), ({ $0.strike = .zero }, .unsupportedCombination),
    ({ $0.kind = .future }, .unsupportedCombination), ({ $0.expiry = .never }, .unsupportedCombination),
    ({ $0.shard = ShardID(4) }, .wrongShard), ({ $0.shard = ShardID(2) }, .wrongShard),
    ({ $0.expiry = TestMarket.opening }, .instrumentExpired),
  ]

  @Test(arguments: misfits.indices)
  func anInstrumentThatDoesNotFitTheMarketIsRefusedWithTheReason(misfit: Int) {
    let (change, reason) = Self.misfits[misfit]
    var driver = RiskDriver(Self.definition())
    Self.list(Self.instrument(change), &driver)
    #expect(Self.outcomes(driver) == [reason])
    #expect(driver.take().isEmpty)
    #expect(driver.machine.market.instruments.count == 8)
    // It has used its nonce, and the market is as it was.
    Self.list(Self.instrument(), nonce: 1, &driver)
    Self.list(Self.instrument(), nonce: 2, &driver)
    #expect(Self.outcomes(driver) == [reason, .nonceReused, .applied])
  }

  @Test func anotherInstrumentsAssetAndSubIDAreNotGivenAway() {
    var driver = RiskDriver(Self.definition())
    Self.list(Self.instrument { $0.asset = TestMarket.owner(1) }, nonce: 1, &driver)
    Self.list(
      Self.instrument {
        $0.id = InstrumentID(9)
        $0.name = "SECOND"
        $0.asset = TestMarket.owner(1)
      }, nonce: 2, &driver)
    #expect(Self.outcomes(driver) == [.applied, .nameTaken])
  }

  @Test func aShardThatHostsNothingTakesAnyUnderlying() {
    var definition = Self.definition()
    definition.shardCount = 5
    var driver = RiskDriver(definition)
    Self.list(Self.instrument { $0.shard = ShardID(4) }, &driver)
    #expect(Self.outcomes(driver) == [.applied])
    driver.deposit(1, Money(whole: 1_000))
    _ = driver.take()
    driver.from(4, ProtectionTripped(account: AccountID(1), underlying: UnderlyingID(0), until: .never))
    #expect(driver.take().map(\.destination.index) == [0, 1])
  }

  @Test func onlyTheOperatorLists() {
    var driver = RiskDriver(Self.definition())
    Self.list(Self.instrument(), key: Self.anotherKey, &driver)
    var signed = ListingDigest(driver.definition.parameters).listing(Self.instrument(), nonce: 1, key: Self.operatorKey)
    signed.instrument.maximumOrder = Lots(5_000_000)
    driver.input(.action, signed.encoded)
    signed.signature.s = Digest([UInt8](repeating: 0xFF, count: 32))
    driver.input(.action, signed.encoded)
    #expect(Self.outcomes(driver) == [.notAuthorised, .notAuthorised, .badSignature])
    #expect(driver.machine.refusals == 3)
    // None of them has used the nonce.
    Self.list(Self.instrument(), nonce: 1, &driver)
    #expect(Self.outcomes(driver).last == .applied)
  }

  @Test func aSignatureForAnotherMarketOrNonceIsVoid() {
    var driver = RiskDriver(Self.definition())
    var elsewhere = driver.definition.parameters
    elsewhere.chainID += 1
    driver.input(
      .action, ListingDigest(elsewhere).listing(Self.instrument(), nonce: 1, key: Self.operatorKey).encoded)
    var moved = ListingDigest(driver.definition.parameters).listing(Self.instrument(), nonce: 1, key: Self.operatorKey)
    moved.nonce = 2
    driver.input(.action, moved.encoded)
    #expect(Self.outcomes(driver) == [.notAuthorised, .notAuthorised])
  }

  @Test func aMarketWithoutOperatorListsNothing() {
    var driver = RiskDriver()
    Self.list(Self.instrument(), &driver)
    #expect(Self.outcomes(driver) == [.notAuthorised])
    #expect(driver.machine.market.instruments.count == 8)
  }

  @Test func aResentListingGetsTheSameAnswerAndIsDoneOnce() {
    var driver = RiskDriver(Self.definition())
    for _ in 0..<3 { Self.list(Self.instrument(), nonce: 7, &driver) }
    #expect(Self.outcomes(driver) == [.applied, .applied, .applied])
    #expect(driver.replies.map(\.isRepeated) == [false, true, true])
    #expect(Set(driver.replies.map(\.sequence)).count == 1)
    #expect(driver.machine.market.instruments.count == 9)
    #expect(driver.take(InstrumentListing.self).count == 5)
    // What was signed once under an older nonce is of no use later.
    Self.list(Self.instrument { $0.id = InstrumentID(9) }, nonce: 6, &driver)
    #expect(Self.outcomes(driver).last == .nonceReused)
  }

  @Test func aListingIsLaidOutAndSignedAsStated() {
    let parameters = Self.definition().parameters
    let instrument = Self.instrument()
    let listing = ListingDigest(parameters).listing(instrument, nonce: 0x0102, key: Self.operatorKey)
    let bytes = listing.encoded
    #expect(bytes[0] == 3 && bytes[1] == listing.signature.recoveryID)
    #expect(Array(bytes[2..<16]) == [0, 0, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0])
    #expect(Array(bytes[16..<48]) == listing.signature.r.array && Array(bytes[48..<80]) == listing.signature.s.array)
    #expect(Array(bytes[80...]) == instrument.encoded)
    func hash(_ text: String) -> [UInt8] { Keccak256.hash(Array(text.utf8)).array }
    func word(_ bytes: [UInt8]) -> [UInt8] { Array(repeating: 0, count: 32 - bytes.count) + bytes }
    let domain = Keccak256.hash(
      hash("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)") + hash("Novation")
        + hash("1") + word([3, 0x85]) + word(TestMarket.owner(77).array))
    #expect(parameters.chainID == 901)
    let message = Keccak256.hash(
      hash("Listing(bytes32 instrument,uint64 nonce)") + Keccak256.hash(instrument.encoded).array + word([1, 2]))
    let digest = Keccak256.hash([0x19, 0x01] + domain.array + message.array)
    #expect(Secp256k1.recoverAddress(digest, listing.signature) == Self.operatorKey.address)
  }

  @Test func aMalformedListingIsCountedAndNotAnswered() {
    var driver = RiskDriver(Self.definition())
    let good = ListingDigest(driver.definition.parameters)
      .listing(Self.instrument(), nonce: 1, key: Self.operatorKey).encoded
    for payload in [[SignedListing.mark], Array(good.dropLast()), good + [0]] { driver.input(.action, payload) }
    var padded = good
    padded[3] = 1
    driver.input(.action, padded)
    #expect(driver.machine.refusals == 4)
    #expect(driver.replies.isEmpty)
    #expect(driver.machine.market.instruments.count == 8)
  }

  @Test func aRestoredMachineKnowsWhatWasListed() {
    var driver = RiskDriver(Self.definition())
    driver.deposit(1, Money(whole: 10_000))
    driver.mark(index: 100_000)
    let before = driver.machine.stateHash()
    Self.list(Self.instrument(), &driver)
    #expect(driver.machine.stateHash() != before)
    let bytes = SnapshotTests.snapshot(driver.machine)
    var restored = SnapshotTests.Restored(bytes)
    #expect(Bool(restored.isWhole))
    #expect(restored.machine.stateHash() == driver.machine.stateHash())
    #expect(SnapshotTests.snapshot(restored.machine) == bytes)
    swap(&driver.machine, &restored.machine)
    Self.list(Self.instrument(), &driver)
    #expect(driver.replies.last?.isRepeated == true)
    Self.list(
      Self.instrument {
        $0.id = InstrumentID(9)
        $0.name = "NEXT"
      }, nonce: 2, &driver)
    #expect(Self.outcomes(driver).last == .applied)
  }
}
