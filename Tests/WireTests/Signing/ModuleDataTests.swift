import Bytes
import Cryptography
import Market
import Testing

@testable import Wire

@Suite struct ModuleDataTests {
  private let signing = SigningMarket.signing

  private func trade(_ change: (inout [UInt8]) -> Void = { _ in }) throws(SigningError) -> TradeData {
    var bytes = try TradeData(
      asset: SigningMarket.address(0x20), subID: Digest(decimal: "7"), limitPrice: Price(units: -123),
      amount: Quantity(units: 456), maximumFee: Money(units: 7), recipient: AccountID(75), side: .buy
    ).encoded
    change(&bytes)
    return try bytes.parsed { bytes throws(SigningError) in try TradeData(parsing: bytes) }
  }

  private func withdrawal(_ change: (inout [UInt8]) -> Void = { _ in }) throws(SigningError) -> WithdrawalData {
    var bytes = try WithdrawalData(
      token: SigningMarket.address(0x10), maximumFee: Money(units: 7), recipient: SigningMarket.address(1),
      nativeAmount: 1_000_000
    ).encoded
    change(&bytes)
    return try bytes.parsed { bytes throws(SigningError) in try WithdrawalData(parsing: bytes) }
  }

  @Test func tradeDataReadsBackAsItWasWritten() throws {
    for units in [1, 99, Int64.max] {
      for price in [Int64.min, -1, 0, 1, .max] {
        for side in Side.allCases {
          let data = try TradeData(
            asset: SigningMarket.address(9), subID: Keccak256.hash([1]), limitPrice: Price(units: price),
            amount: Quantity(units: units), maximumFee: Money(units: units), recipient: AccountID(.max), side: side)
          #expect(data.encoded.count == TradeData.byteCount && TradeData.byteCount == 224)
          let parsed = try data.encoded.parsed { bytes throws(SigningError) in try TradeData(parsing: bytes) }
          #expect(parsed == data)
        }
      }
    }
  }

  @Test(arguments: [
    (0, 0x01, "asset"), (2 * 32, 0x01, "limitPrice"), (2 * 32 + 31, 0x01, "limitPrice"), (3 * 32, 0x80, "amount"),
    (3 * 32 + 15, 0x01, "amount"), (3 * 32 + 17, 0xFF, "amount"), (3 * 32 + 31, 0x01, "amount"),
    (4 * 32 + 31, 0x01, "maxFee"), (5 * 32, 0x01, "recipientId"), (5 * 32 + 27, 0x01, "recipientId"),
    (6 * 32 + 31, 0x03, "isBid"), (6 * 32, 0x01, "isBid"),
  ])
  func aTradesBadArgumentIsNamed(place: Int, change: UInt8, field: String) throws {
    #expect(try fieldRefused { () throws(SigningError) in _ = try trade { $0[place] ^= change } } == field)
  }

  @Test func negativeAmountsAndFeesAreRefused() throws {
    let negate = { (bytes: inout [UInt8], word: Int) in
      var carry = 1
      for place in stride(from: word * 32 + 31, through: word * 32, by: -1) {
        carry += Int(~bytes[place])
        bytes[place] = UInt8(truncatingIfNeeded: carry)
        carry >>= 8
      }
    }
    #expect(try fieldRefused { () throws(SigningError) in _ = try trade { negate(&$0, 3) } } == "amount")
    #expect(try fieldRefused { () throws(SigningError) in _ = try trade { negate(&$0, 4) } } == "maxFee")
    #expect(try trade { negate(&$0, 2) }.limitPrice == Price(units: 123))
    #expect(try fieldRefused { () throws(SigningError) in _ = try withdrawal { negate(&$0, 1) } } == "maxFeeUsd")
  }

  @Test func anErrorTellsFieldValueAndRule() throws {
    let error = #expect(throws: SigningError.self) { try trade { $0[3 * 32 + 31] ^= 1 } }
    #expect(error?.description == "amount: 4560000000001 (in 1e-18): must be a multiple of 1e-8")
    #expect(error?.outcome == .malformed)
  }

  @Test(arguments: [
    (0, 0x01, "asset"), (32 + 31, 0x01, "maxFeeUsd"), (2 * 32, 0x01, "recipient"), (3 * 32, 0x01, "amount"),
    (4 * 32 + 31, 0x01, "forceBatch"), (4 * 32 + 31, 0x02, "forceBatch"),
  ])
  func aWithdrawalsBadArgumentIsNamed(place: Int, change: UInt8, field: String) throws {
    #expect(try fieldRefused { () throws(SigningError) in _ = try withdrawal { $0[place] ^= change } } == field)
  }

  @Test func dataOfAnotherLengthIsRefused() throws {
    for count in [0, 1, 223, 225, 256] {
      let bytes = [UInt8](repeating: 0, count: count)
      let field = try fieldRefused { () throws(SigningError) in
        _ = try bytes.parsed { bytes throws(SigningError) in try TradeData(parsing: bytes) }
      }
      #expect(field == "trade data")
    }
  }

  @Test func anOrderIsFoundByAssetAndSubID() throws {
    let (operation, instrument) = try signing.order(try trade(), account: AccountID(75))
    #expect(operation.instrument == InstrumentID(0) && instrument.id == InstrumentID(0))
    #expect(operation.price == Price(units: -123) && operation.quantity == Quantity(units: 456))
    #expect(operation.side == .buy && operation.type == .limit && operation.kind == .new)
    #expect(throws: SigningError.self) { try signing.order(try trade(), account: AccountID(76)) }
    #expect(throws: SigningError.self) { try signing.order(try trade { $0[63] = 99 }, account: AccountID(75)) }
    // Instruments 2 and 3 share this name, which therefore names neither.
    let shared = try TradeData(
      asset: SigningMarket.address(0x21), subID: Digest(decimal: "9"), limitPrice: .zero, amount: Quantity(units: 1),
      maximumFee: .zero, recipient: AccountID(75), side: .sell)
    #expect(throws: SigningError.self) { try signing.order(shared, account: AccountID(75)) }
  }

  @Test func aWithdrawalIsFoundByItsToken() throws {
    let found = try signing.withdrawal(try withdrawal())
    #expect(found.currency == .usd && found.amount == Money(whole: 1) && found.maximumFee == Money(units: 7))
    let field = try fieldRefused { () throws(SigningError) in
      _ = try signing.withdrawal(try withdrawal { $0[31] = 0x77 })
    }
    #expect(field == "asset")
  }

  @Test func amountsConvertToNativeUnitsExactlyOrNotAtAll() throws {
    var decimals = NativeDecimals()
    let bitcoin = Currency(1)
    #expect(decimals[.usd] == 6 && decimals[bitcoin] == 18)
    #expect(try decimals.native(Money("12.345678")!, of: .usd) == 12_345_678)
    #expect(throws: SigningError.self) { try decimals.native(Money("0.0000001")!, of: .usd) }
    #expect(try decimals.native(Money(units: .max), of: bitcoin) == UInt128(Int64.max) * 10_000_000_000)
    #expect(throws: SigningError.self) { try decimals.amount(1, of: bitcoin) }
    #expect(throws: SigningError.self) { try decimals.amount(.max, of: .usd) }
    #expect(throws: SigningError.self) { try decimals.amount(.max, of: bitcoin) }
    decimals[bitcoin] = 8
    #expect(try decimals.native(Money(units: 5), of: bitcoin) == 5)
    for count in UInt8(0)...NativeDecimals.maximum {
      decimals[bitcoin] = count
      let amount = Money(whole: 92_233_720_368)
      #expect(try decimals.amount(decimals.native(amount, of: bitcoin), of: bitcoin) == amount)
    }
  }

  @Test func noBytesTrapTheParsers() {
    var random = SeededGenerator(seed: 2)
    for round in 0..<4_000 {
      var bytes = [UInt8](repeating: round % 2 == 0 ? 0 : 0xFF, count: round % 3 == 0 ? 160 : 224)
      for _ in 0..<(round % 60) {
        bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      bytes.withUnsafeBytes { bytes in
        if let trade = try? TradeData(parsing: bytes) { _ = try? signing.order(trade, account: trade.recipient) }
        if let withdrawal = try? WithdrawalData(parsing: bytes) { _ = try? signing.withdrawal(withdrawal) }
      }
    }
  }
}
