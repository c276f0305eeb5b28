import Bytes
import Cryptography
import Market
import Testing

@testable import Wire

@Suite struct ActionSigningTests {
  private let signing = SigningMarket.signing
  private let key = PrivateKey.generate()
  private var actions: [SignedAction] {
    [SigningMarket.trade(), SigningMarket.trade(instrument: 1), SigningMarket.withdrawal()]
      + [1, 2, 3, 32, 255, 256].map(SigningMarket.batch)
  }

  @Test func whatIsSignedVerifies() throws {
    for action in actions {
      let signed = try signing.signed(action, with: key)
      #expect(signed.header.signer == key.address)
      try signing.verify(signed)
      try signed.encoded.parsed { bytes throws(SigningError) in try signing.verify(SignedActionView(bytes)) }
    }
  }

  @Test func stagesEndInTheDigestAndNameTheSigner() throws {
    for action in actions {
      let signed = try signing.signed(action, with: key)
      let stages = try signing.stages(of: signed)
      #expect(try signing.digest(of: signed) == stages.digest)
      #expect(Keccak256.hash(stages.encodedData) == stages.dataHash)
      #expect(
        Keccak256.hash([0x19, 0x01] + stages.domainSeparator.array + stages.structHash.array) == stages.digest)
      #expect(stages.recoveredSigner == key.address)
      #expect(stages.description.contains("\(stages.structHash)"))
    }
    #expect(try signing.stages(of: SigningMarket.batch(1)).recoveredSigner == nil)
  }

  @Test func aBatchSignsUnderlyingCountAndRoot() throws {
    var action = SigningMarket.batch(5)
    action.header.underlying = UnderlyingID(1)
    let root = MerkleTree<RFC6962Keccak>.root(action.operations.map { RFC6962Keccak.leaf($0.encoded) })
    let zeros = [UInt8](repeating: 0, count: 31)
    #expect(try signing.stages(of: action).encodedData == zeros + [1] + zeros + [5] + root.array)
  }

  @Test func everyBitOfABatchsOperationsIsSigned() throws {
    let signed = try signing.signed(SigningMarket.batch(3), with: key)
    let bytes = signed.encoded
    for bit in 0..<(3 * 64 * 8) {
      var forged = bytes
      forged[SignedActionHeader.byteCount + bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(throws: SigningError.self, "bit \(bit)") {
        try forged.parsed { bytes throws(SigningError) in try signing.verify(SignedActionView(bytes)) }
      }
    }
  }

  /// Only the key id (24), the session and its generation (136 to 151) may change under a batch's signature.
  @Test func everyBitOfTheHeaderIsSignedButKeyAndSession() throws {
    for action in [SigningMarket.batch(2), SigningMarket.trade(), SigningMarket.withdrawal()] {
      let bytes = try signing.signed(action, with: key).encoded
      for bit in 0..<(SignedActionHeader.byteCount * 8) {
        var forged = bytes
        forged[bit / 8] ^= 1 << UInt8(bit % 8)
        let isFree = [24, 25].contains(bit / 8) || (136..<152).contains(bit / 8)
        let verifies = forged.withUnsafeBytes { bytes in
          (try? signing.verify(SignedActionView(bytes))) != nil
        }
        #expect(verifies == isFree, "\(action.header.module), byte \(bit / 8)")
      }
    }
  }

  @Test func aTradeSignsInstrumentPriceQuantityAndSide() throws {
    let signed = try signing.signed(SigningMarket.trade(), with: key)
    let forgeries: [(inout Operation) -> Void] = [
      { $0.price = Price(units: $0.price.units + 1) },
      { $0.quantity = Quantity(units: $0.quantity.units - 1) },
      { $0.rawSide ^= 1 },
      { $0.instrument = InstrumentID(1) },
      { $0.rawKind = Operation.Kind.replace.rawValue },
      { $0.rawType = Operation.OrderType.market.rawValue },
    ]
    for (index, forge) in forgeries.enumerated() {
      var forged = signed
      forge(&forged.operations[0])
      #expect(throws: SigningError.self, "forgery \(index)") { try signing.verify(forged) }
    }
  }

  @Test func aSignatureIsVoidInEveryOtherDomainAndModule() throws {
    let signed = try signing.signed(SigningMarket.batch(2), with: key)
    let changes: [(inout MarketParameters) -> Void] = [
      { $0.chainID += 1 }, { $0.verifyingContract = SigningMarket.address(1) },
      { $0.batchModule = SigningMarket.address(1) },
    ]
    for change in changes {
      var market = SigningMarket.definition
      change(&market.parameters)
      #expect(throws: SigningError.self) { try ActionSigning(market: market).verify(signed) }
    }
    let market = SigningMarket.definition
    #expect(throws: SigningError.self) { try ActionSigning(market: market, domainName: "Other").verify(signed) }
    #expect(throws: SigningError.self) { try ActionSigning(market: market, domainVersion: "2.0").verify(signed) }
    try ActionSigning(market: market, domainName: "Matching", domainVersion: "1.0").verify(signed)
  }

  @Test func anotherKeysSignatureNamesBothSigners() throws {
    let other = PrivateKey.generate()
    var action = try signing.signed(SigningMarket.batch(1), with: key)
    action.header.signature = other.sign(try signing.digest(of: action))
    #expect(throws: SigningError.otherSigner(recovered: other.address, claimed: key.address)) {
      try signing.verify(action)
    }
  }

  @Test func anUnsignedActionIsNotCanonical() {
    #expect(throws: SigningError.notCanonical) { try signing.verify(SigningMarket.batch(1)) }
    #expect(SigningError.notCanonical.outcome == .badSignature)
  }

  @Test func refusalsNameTheField() throws {
    var batchWithFee = SigningMarket.batch(1)
    batchWithFee.header.maximumFee = Money(units: 1)
    var otherUnderlying = SigningMarket.trade()
    otherUnderlying.header.underlying = UnderlyingID(1)
    var negativeFee = SigningMarket.trade()
    negativeFee.header.maximumFee = Money(units: -1)
    var noQuantity = SigningMarket.trade()
    noQuantity.operations[0].quantity = .zero
    var unknown = SigningMarket.trade()
    unknown.operations[0].instrument = InstrumentID(99)
    var noSide = SigningMarket.trade()
    noSide.operations[0].rawSide = 9
    let refused: [(SignedAction, String)] = [
      (batchWithFee, "maximum fee"), (otherUnderlying, "underlying"), (negativeFee, "maxFee"), (noQuantity, "amount"),
      (unknown, "instrument"), (noSide, "side"), (SigningMarket.trade(instrument: 2), "instrument"),
      (SigningMarket.withdrawal(amount: Money(units: 1)), "amount"),
      (SigningMarket.withdrawal(amount: .zero), "amount"),
      (SigningMarket.withdrawal(amount: Money(units: .min)), "amount"),
      (SigningMarket.withdrawal(fee: Money(units: -1)), "maxFeeUsd"),
      (SigningMarket.withdrawal(currency: Currency(2)), "asset"),
      (SigningMarket.withdrawal(currency: Currency(9)), "currency"),
    ]
    for (action, field) in refused {
      #expect(try fieldRefused { () throws(SigningError) in _ = try signing.digest(of: action) } == field)
    }
  }

  @Test func aHeaderAnnouncesExactlyItsOperations() throws {
    var action = SigningMarket.batch(2)
    action.header.operationCount = 3
    #expect(try fieldRefused { () throws(SigningError) in _ = try signing.digest(of: action) } == "operations")
    var trades = SigningMarket.trade()
    trades.operations.append(trades.operations[0])
    trades.header.operationCount = 2
    #expect(
      try fieldRefused { () throws(SigningError) in _ = try signing.digest(of: trades) } == "operation count")
    let bytes = SigningMarket.batch(2).encoded
    for cut in [0, 159, 160, 223, bytes.count - 1] {
      #expect(throws: SigningError.self) {
        try Array(bytes[..<cut]).parsed { bytes throws(SigningError) in _ = try SignedActionView(bytes) }
      }
    }
  }

  @Test func noBytesTrapTheSigning() {
    var random = SeededGenerator(seed: 1)
    let seeds = actions.map(\.encoded)
    for round in 0..<3_000 {
      var bytes = seeds[round % 3]
      for _ in 0...(round % 7) {
        bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      if round % 5 == 0 {
        for place in SignedActionHeader.byteCount..<bytes.count {
          bytes[place] = UInt8(truncatingIfNeeded: random.next())
        }
      }
      bytes.withUnsafeBytes { bytes in
        if let view = try? SignedActionView(bytes) {
          _ = try? signing.stages(of: view)
          _ = try? signing.verify(view)
        }
      }
    }
  }
}

/// The name of the field that `body` refuses.
func fieldRefused(_ body: () throws(SigningError) -> Void) throws -> String? {
  do {
    try body()
    return nil
  } catch .field(let name, _, _) {
    return name
  }
}
