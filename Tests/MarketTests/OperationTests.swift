import Bytes
import Market
import Testing

struct OperationTests {
  private var operation: Operation {
    var operation = Operation(
      kind: .replace, side: .sell, type: .stopLimit, timeInForce: .goodTillDate,
      flags: [.postOnly, .cancelOnDisconnect],
      instrument: InstrumentID(0x0403_0201), price: Price(units: 0x0807_0605_0403_0201), quantity: Quantity(units: -2),
      targetNonce: 0x1817_1615_1413_1211, targetIndex: 0x0605, expiry: 0x2423_2221, label: 0x3433_3231)
    operation.selfTradePrevention = 0x66
    operation.triggerSource = 0x77
    operation.triggerPrice = Price(units: 0x4847_4645_4443_4241)
    operation.displayQuantity = Quantity(units: 0x5857_5655_5453_5251)
    return operation
  }

  @Test func anOperationIsSixtyFourBytesInMemoryAndOnTheWire() {
    #expect(MemoryLayout<Operation>.size == 64 && MemoryLayout<Operation>.stride == 64)
    #expect(Operation.byteCount == 64 && operation.encoded.count == 64)
  }

  @Test func everyFieldLiesAtItsDocumentedOffset() {
    let bytes = operation.encoded
    #expect(Array(bytes[0..<8]) == [2, 1, 2, 3, 0b1_0001, 0, 0x66, 0x77])
    #expect(Array(bytes[8..<16]) == [1, 2, 3, 4, 5, 6, 0, 0])
    #expect(Array(bytes[16..<24]) == [1, 2, 3, 4, 5, 6, 7, 8])
    #expect(Array(bytes[24..<32]) == [0xFE] + [UInt8](repeating: 0xFF, count: 7))
    #expect(Array(bytes[32..<40]) == [0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18])
    #expect(Array(bytes[40..<48]) == [0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48])
    #expect(Array(bytes[48..<56]) == [0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58])
    #expect(Array(bytes[56..<64]) == [0x21, 0x22, 0x23, 0x24, 0x31, 0x32, 0x33, 0x34])
  }

  @Test func everyByteIsKeptAsSigned() throws {
    let bytes = (0..<64).map { UInt8(255 - $0) }
    let decoded = try Operation(decoding: bytes)
    #expect(decoded.encoded == bytes)
    #expect(decoded.kind == nil && decoded.side == nil && decoded.type == nil && decoded.timeInForce == nil)
    #expect(try Operation(decoding: operation.encoded) == operation)
  }

  @Test func anotherLengthIsNoOperation() {
    for length in [0, 63, 65] {
      #expect(throws: MalformedBytes.self) { try Operation(decoding: [UInt8](repeating: 1, count: length)) }
    }
  }

  @Test func theFlagsAreTheDocumentedBits() {
    let flags: [Operation.Flags] = [
      .postOnly, .reduceOnly, .slide, .minimumQuantity, .cancelOnDisconnect, .quote, .byClientID, .byLabel,
    ]
    #expect(flags.map(\.rawValue) == [1, 2, 4, 8, 16, 32, 64, 128])
  }

  @Test func anOrderIDOrdersByAccountKeyNonceAndIndex() throws {
    let ids = [
      OrderID(account: AccountID(1), key: KeyID(0), nonce: 9, index: 9),
      OrderID(account: AccountID(2), key: KeyID(0), nonce: 1, index: 1),
      OrderID(account: AccountID(2), key: KeyID(0), nonce: 1, index: 2),
      OrderID(account: AccountID(2), key: KeyID(0), nonce: 2, index: 0),
      OrderID(account: AccountID(2), key: KeyID(1), nonce: 0, index: 0),
    ]
    #expect(ids.reversed().sorted() == ids)
    for id in ids { #expect(try OrderID(decoding: id.encoded) == id) }
  }
}

struct SignedActionTests {
  private var header: SignedActionHeader {
    SignedActionHeader(
      module: .batch, operationCount: 2, account: AccountID(0x0403_0201), nonce: 0x1817_1615_1413_1211,
      expiry: 0x2827_2625_2423_2221, key: KeyID(0x3231), underlying: UnderlyingID(0x41),
      signer: Address([UInt8](repeating: 0x51, count: 20)), owner: Address([UInt8](repeating: 0x52, count: 20)),
      signature: RecoverableSignature(
        r: Digest([UInt8](repeating: 0x53, count: 32)), s: Digest([UInt8](repeating: 0x54, count: 32)), recoveryID: 1),
      session: 0x6867_6665_6463_6261, sessionGeneration: 0x7877_7675_7473_7271,
      maximumFee: Money(units: 0x0F0E_0D0C_0B0A_0908))
  }
  private var action: SignedAction {
    SignedAction(
      header: header,
      operations: [
        Operation(kind: .new, instrument: InstrumentID(1), price: Price(whole: 5), quantity: Quantity(whole: 1)),
        Operation(kind: .cancel, instrument: InstrumentID(1), targetNonce: 8),
      ])
  }

  @Test func theHeaderIsAHundredAndSixtyBytesWithItsDocumentedOffsets() {
    let bytes = header.encoded
    #expect(bytes.count == 160 && SignedActionHeader.byteCount == 160)
    #expect(Array(bytes[0..<8]) == [1, 1, 2, 0, 1, 2, 3, 4])
    #expect(Array(bytes[8..<16]) == [0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18])
    #expect(Array(bytes[16..<24]) == [0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28])
    #expect(Array(bytes[24..<32]) == [0x31, 0x32, 0, 0, 0x41, 0, 0, 0])
    #expect(bytes[32..<52].allSatisfy { $0 == 0x51 } && bytes[52..<72].allSatisfy { $0 == 0x52 })
    #expect(bytes[72..<104].allSatisfy { $0 == 0x53 } && bytes[104..<136].allSatisfy { $0 == 0x54 })
    #expect(Array(bytes[136..<144]) == [0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68])
    #expect(Array(bytes[144..<152]) == [0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78])
    #expect(Array(bytes[152..<160]) == [8, 9, 10, 11, 12, 13, 14, 15])
  }

  @Test func anActionRoundTripsAndEveryTruncationIsRefused() throws {
    let bytes = action.encoded
    #expect(bytes.count == 160 + 2 * 64)
    #expect(try SignedAction(decoding: bytes) == action)
    for length in bytes.indices {
      #expect(throws: MalformedBytes.self, "\(length) bytes") { try SignedAction(decoding: Array(bytes[..<length])) }
    }
    #expect(throws: MalformedBytes.self) { try SignedAction(decoding: bytes + [0]) }
  }

  /// Offset and value of what a header may not hold.
  @Test(
    arguments: [
      (0, 3, "an unknown module"), (1, 2, "a recovery id beyond 1"), (2, 0, "no operations"),
      (26, 1, "a reserved byte"),
      (27, 1, "a reserved byte"), (29, 1, "an underlying beyond 255"), (3, 2, "more than 256 operations"),
    ] as [(Int, UInt8, String)])
  func aForgedHeaderIsRefused(_ offset: Int, _ value: UInt8, _ what: String) {
    var bytes = header.encoded
    bytes[offset] = value
    #expect(throws: MalformedBytes.self, "\(what)") { try SignedActionHeader(decoding: bytes) }
  }

  @Test func onlyABatchHoldsSeveralOperations() {
    for module: UInt8 in [0, 2] {
      var bytes = header.encoded
      bytes[0] = module
      #expect(throws: MalformedBytes.self) { try SignedActionHeader(decoding: bytes) }
      bytes[2] = 1
      #expect(throws: Never.self) { try SignedActionHeader(decoding: bytes) }
    }
  }

  @Test func aWithdrawalFillsOneOperationSlot() throws {
    let withdrawal = Withdrawal(
      currency: Currency(1), amount: Money(whole: 3), recipient: Address([UInt8](1...20)), maximumFee: Money(units: 5))
    let bytes = withdrawal.encoded
    #expect(bytes.count == Operation.byteCount)
    #expect(try Withdrawal(decoding: bytes) == withdrawal)
    #expect(try Operation(decoding: bytes).kind == .withdraw)
    for offset in Array(0..<2) + Array(3..<8) + Array(44..<64) {
      var forged = bytes
      forged[offset] ^= 0x10
      #expect(throws: MalformedBytes.self, "byte \(offset)") { try Withdrawal(decoding: forged) }
    }
  }
}
