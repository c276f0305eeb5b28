import Bytes
import Cryptography
import Market
import Testing

@testable import Wire

/// Values that other implementations, and a venue's own servers, gave.
@Suite(.enabled(if: Vectors.arePresent, Comment(rawValue: Vectors.missing)))
struct VectorTests {
  @Test func everyOneOfTheEighteenVectorsReproduces() throws {
    let vectors = try Vectors.load("eip712_signatures.json")["vectors"].items
    var kinds = (typed: 0, text: 0, hash: 0)
    for vector in vectors {
      let name = Comment(rawValue: vector["name"].string)
      let digest: Digest
      if vector["typedData"].exists {
        let data = TypedData(json: vector["typedData"])
        #expect(data.domainSeparator == Digest(hexadecimal: vector["domainSeparator"].string), name)
        #expect(SigningDomain(data.json["domain"]).separator == data.domainSeparator, name)
        #expect(data.structHash == Digest(hexadecimal: vector["structHash"].string), name)
        digest = data.digest
        kinds.typed += 1
      } else if vector["message"].exists {
        let text = Array(vector["message"].string.utf8)
        digest = Keccak256.hash([0x19] + Array("Ethereum Signed Message:\n\(text.count)".utf8) + text)
        kinds.text += 1
      } else {
        digest = Keccak256.hash([])
        kinds.hash += 1
      }
      #expect(digest == Digest(hexadecimal: vector["digest"].string), name)
      guard vector["privateKey"].exists else { continue }
      let key = try #require(PrivateKey(hexadecimal: vector["privateKey"].string), name)
      #expect(key.address == Address(hexadecimal: vector["signer"].string), name)
      let signature = key.sign(digest)
      #expect(signature.ethereum == Hexadecimal.decode(vector["signature"].string), name)
      #expect(Secp256k1.recoverAddress(digest, signature) == key.address, name)
      guard vector["r"].exists else { continue }
      #expect(signature.r == Digest(paddedHexadecimal: vector["r"].string), name)
      #expect(signature.s == Digest(paddedHexadecimal: vector["s"].string), name)
      #expect(Int64(signature.recoveryID) + 27 == vector["v"].int, name)
    }
    #expect(kinds == (16, 1, 1))
  }

  @Test func hashedActionsOfTheVectorsReproduce() throws {
    var hashed = 0
    for vector in try Vectors.load("eip712_signatures.json")["vectors"].items where vector["msgpack"].exists {
      let nonce = withUnsafeBytes(of: vector["nonce"].int.bigEndian) { Array($0) }
      #expect(!vector["vaultAddress"].exists)
      let action = Keccak256.hash(Hexadecimal.decode(vector["msgpack"].string)! + nonce + [0])
      #expect(action == Digest(hexadecimal: vector["actionHash"].string), Comment(rawValue: vector["name"].string))
      hashed += 1
    }
    #expect(hashed == 8)
  }

  @Test func ordersOfTheVectorsSignTheSameThroughOurTypes() throws {
    var orders = 0
    for vector in try Vectors.load("eip712_signatures.json")["vectors"].items
    where vector["name"].string.hasPrefix("derive") && vector["name"].string.contains("order") {
      let bytes = try #require(Hexadecimal.decode(vector["encodedModuleData"].string))
      let data = try bytes.parsed { bytes throws(SigningError) in try TradeData(parsing: bytes) }
      #expect(data.encoded == bytes)
      let message = vector["typedData"]["message"]
      let market = market(vector["typedData"]["domain"], module: message["module"], data)
      let action = try action(data, in: market, message, key: vector["privateKey"])
      let stages = try ActionSigning(market: market).stages(of: action)
      #expect(ActionSigning.typeHash == Digest(hexadecimal: vector["actionTypehash"].string))
      #expect(stages.encodedData == bytes)
      #expect(stages.dataHash == Digest(hexadecimal: vector["encodedModuleDataHash"].string))
      #expect(stages.structHash == Digest(hexadecimal: vector["structHash"].string))
      #expect(stages.digest == Digest(hexadecimal: vector["digest"].string))
      #expect(action.header.signature.ethereum == Hexadecimal.decode(vector["signature"].string))
      orders += 1
    }
    #expect(orders == 2)
  }

  @Test func theVenuesServersConfirmedOurTrade() throws {
    let vector = try Vectors.load("derive_v3_signing_server_confirmed.json")
    let trade = vector["trade"]
    let data = try TradeData(
      asset: #require(Address(hexadecimal: trade["asset"].string)), subID: Digest(decimal: trade["subId"].string),
      limitPrice: #require(Price(trade["limitPrice"].string)), amount: #require(Quantity(trade["amount"].string)),
      maximumFee: #require(Money(trade["maxFee"].string)), recipient: AccountID(UInt32(trade["recipientId"].int)),
      side: trade["isBid"].isTrue ? .buy : .sell)
    let market = market(vector["domain"], module: trade["module"], data)
    let action = try action(data, in: market, vector, key: vector["privateKey_testnet_public"])
    let signing = ActionSigning(market: market)
    let stages = try signing.stages(of: action)
    #expect(signing.domainSeparator == Digest(hexadecimal: vector["domain"]["domainSeparator"].string))
    #expect(ActionSigning.typeHash == Digest(hexadecimal: vector["typehash"].string))
    #expect(Keccak256.hash(Array(vector["primaryType"].string.utf8)) == ActionSigning.typeHash)
    #expect(stages.encodedData == Hexadecimal.decode(trade["encodedData"].string))
    #expect(stages.structHash == Digest(hexadecimal: trade["actionHash"].string))
    #expect(stages.digest == Digest(hexadecimal: trade["typedDataHash"].string))
    #expect(action.header.signature.ethereum == Hexadecimal.decode(trade["signature"].string))
    #expect(stages.recoveredSigner == Address(hexadecimal: vector["signer"].string))
    try signing.verify(action)
  }

  @Test func theVenuesServersConfirmedOurWithdrawal() throws {
    let withdraw = try Vectors.load("derive_v3_signing_server_confirmed.json")["withdraw"]
    var market = SigningMarket.definition
    market.currencies[0].token = try #require(Address(hexadecimal: withdraw["asset"].string))
    let withdrawal = Withdrawal(
      currency: .usd, amount: Money(whole: Int64(withdraw["amount"].string.prefix { $0 != " " })!),
      recipient: try #require(Address(hexadecimal: withdraw["recipient"].string)),
      maximumFee: try #require(Money(withdraw["maxFeeUsd"].string)))
    let action = SignedAction(
      header: SigningMarket.header(.withdrawal), operations: [try Operation(decoding: withdrawal.encoded)])
    let bytes = try #require(Hexadecimal.decode(withdraw["encodedData"].string))
    let signing = ActionSigning(market: market)
    #expect(try signing.stages(of: action).encodedData == bytes)
    let parsed = try bytes.parsed { bytes throws(SigningError) in try WithdrawalData(parsing: bytes) }
    #expect(try signing.withdrawal(parsed) == withdrawal)
  }

  @Test func wordsOfQuotesAreThoseOfTheVenuesServers() throws {
    let vector = try Vectors.load("derive_v3_signing_server_confirmed.json")
    let asset = try #require(Address(hexadecimal: vector["trade"]["asset"].string))
    let subIDs = Dictionary(
      uniqueKeysWithValues: vector["rfqQuote"]["legs"].items.map { ($0["name"].string, $0["subId"].string) })
    func write(_ legs: [JSON], times global: Int64, to words: inout ABIWords) {
      words.unsigned(UInt64(32 * 2))
      words.unsigned(UInt64(legs.count))
      writeLegs(legs, times: global, to: &words)
    }
    func writeLegs(_ legs: [JSON], times global: Int64, to words: inout ABIWords) {
      for leg in legs.sorted(by: { $0["name"].string < $1["name"].string }) {
        let sign = global * (leg["direction"].string == "buy" ? 1 : -1)
        words.address(asset)
        words.digest(Digest(decimal: subIDs[leg["name"].string]!))
        words.decimal(Price(leg["price"].string)!)
        words.decimal(Quantity(units: sign * Quantity(leg["amount"].string)!.units))
      }
    }
    let quote = vector["rfqQuote"]
    let direction: Int64 = quote["globalDirection"].string == "buy" ? 1 : -1
    let quoted = ABIWords.with(words: 12) { words in
      words.unsigned(UInt64(32))
      words.decimal(Money(quote["maxFee"].string)!)
      write(quote["legs"].items, times: direction, to: &words)
    } read: {
      [UInt8]($0)
    }
    #expect(quoted == Hexadecimal.decode(quote["encodedData"].string))

    // The taker signs the hash of the quoter's legs, which are its own turned round.
    let execute = vector["rfqExecute"]
    let taker: Int64 = execute["globalDirection"].string == "buy" ? 1 : -1
    let legs = ABIWords.with(words: 10) { words in
      words.unsigned(UInt64(32))
      words.unsigned(UInt64(execute["legs"].items.count))
      writeLegs(execute["legs"].items, times: -taker, to: &words)
    } read: {
      Keccak256.hash($0)
    }
    let executed = ABIWords.with(words: 2) { words in
      words.digest(legs)
      words.decimal(Money(execute["maxFee"].string)!)
    } read: {
      [UInt8]($0)
    }
    #expect(executed == Hexadecimal.decode(execute["encodedData"].string))
  }

  private func market(_ domain: JSON, module: JSON, _ data: TradeData) -> MarketDefinition {
    var market = SigningMarket.definition
    market.parameters.chainID = UInt64(domain["chainId"].int)
    market.parameters.verifyingContract = Address(hexadecimal: domain["verifyingContract"].string)!
    market.parameters.tradeModule = Address(hexadecimal: module.string)!
    market.instruments = [SigningMarket.instrument(0, asset: data.asset, subID: data.subID)]
    return market
  }

  private func action(
    _ data: TradeData, in market: MarketDefinition, _ message: JSON, key: JSON
  ) throws -> SignedAction {
    let account = AccountID(UInt32(message["subaccountId"].int))
    let signing = ActionSigning(market: market)
    let (operation, instrument) = try signing.order(data, account: account)
    var header = SigningMarket.header(
      .trade, underlying: instrument.underlying.rawValue, maximumFee: data.maximumFee)
    header.account = account
    header.nonce = UInt64(message["nonce"].int)
    header.expiry = UInt64(message["expiry"].int)
    header.owner = try #require(Address(hexadecimal: message["owner"].string))
    return try signing.signed(
      SignedAction(header: header, operations: [operation]), with: #require(PrivateKey(hexadecimal: key.string)))
  }
}

extension SigningDomain {
  fileprivate init(_ json: JSON) {
    self.init(
      name: json["name"].string, version: json["version"].string, chainID: UInt64(json["chainId"].int),
      verifyingContract: Address(hexadecimal: json["verifyingContract"].string)!)
  }
}

extension [UInt8] {
  /// What `parse` makes of these bytes.
  func parsed<R>(_ parse: (UnsafeRawBufferPointer) throws(SigningError) -> R) throws(SigningError) -> R {
    try withUnsafeBufferPointer { bytes throws(SigningError) in try parse(UnsafeRawBufferPointer(bytes)) }
  }
}
