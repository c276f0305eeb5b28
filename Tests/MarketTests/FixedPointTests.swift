import Bytes
import Market
import Testing

struct FixedPointTests {
  @Test(arguments: [
    ("0", 0), ("1", 100_000_000), ("-1", -100_000_000), ("0.00000001", 1), ("-0.00000001", -1), ("12.5", 1_250_000_000),
    ("007", 700_000_000), ("1.10000000", 110_000_000), ("-12.0001", -1_200_010_000),
    ("92233720368.54775807", Int64.max), ("-92233720368.54775808", Int64.min),
  ])
  func decimalsParseExactly(_ text: String, _ units: Int64) {
    #expect(Price(text)?.units == units)
    #expect(Money(text)?.units == units)
    #expect(Quantity(text)?.units == units)
  }

  @Test(arguments: [
    "", "-", ".", ".5", "-.5", "5.", "1.2.3", "1.000000001", "1.123456789", "+1", " 1", "1 ", "1e3", "0x1", "1,000",
    "--1",
    "NaN", "١", "92233720368.54775808", "-92233720368.54775809", "92233720369", "99999999999999999999", "1\u{301}",
  ])
  func anythingElseIsRefused(_ text: String) {
    #expect(Price(text) == nil)
  }

  @Test(arguments: [
    (0, "0"), (1, "0.00000001"), (-1, "-0.00000001"), (100_000_000, "1"), (-150_000_000, "-1.5"),
    (110_000_000, "1.1"), (123_456_789, "1.23456789"), (1_000_000_010, "10.0000001"),
    (Int64.max, "92233720368.54775807"), (Int64.min, "-92233720368.54775808"),
  ])
  func valuesPrintShortest(_ units: Int64, _ text: String) {
    #expect(Money(units: units).description == text)
  }

  @Test func whatIsPrintedParsesBack() {
    var state: UInt64 = 7
    for _ in 0..<10_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1
      let units = Int64(bitPattern: state) >> Int64(state >> 58)
      #expect(Price(Price(units: units).description)?.units == units)
    }
  }

  @Test func valuesAreOrderedAndEncodedByTheirUnits() throws {
    #expect(Price(units: -2) < Price(units: -1) && Price(units: -1) < .zero)
    #expect(Price(whole: 3).units == 300_000_000)
    #expect(Price(units: 0x0102_0304_0506_0708).encoded == [8, 7, 6, 5, 4, 3, 2, 1])
    #expect(try Money(decoding: Money(units: .min).encoded).units == .min)
    #expect(try Lots(decoding: Lots(-7).encoded) == Lots(-7))
  }

  @Test func moneyAndLotsAddUp() {
    var money = Money(units: 5) + Money(units: 7) - Money(units: 20)
    #expect(money.units == -8 && (-money).units == 8)
    money += Money(units: 10)
    money -= Money(units: 1)
    #expect(money.units == 1)
    #expect(Lots(3) + Lots(4) - Lots(9) == Lots(-2))
    #expect(-Lots(3) == Lots(-3) && Lots(-3) < .zero && Lots(2).description == "2")
  }
}

struct ExactDivisionTests {
  @Test func roundingIsTowardsTheNamedSide() {
    #expect(ExactDivision.floor(7, times: 1, by: 2) == 3)
    #expect(ExactDivision.floor(-7, times: 1, by: 2) == -4)
    #expect(ExactDivision.ceiling(7, times: 1, by: 2) == 4)
    #expect(ExactDivision.ceiling(-7, times: 1, by: 2) == -3)
    #expect(ExactDivision.floor(6, times: 3, by: 9) == 2 && ExactDivision.ceiling(6, times: 3, by: 9) == 2)
  }

  @Test func productsWiderThan64BitsAreExact() {
    #expect(ExactDivision.floor(.max, times: .max, by: .max) == .max)
    #expect(ExactDivision.ceiling(.min, times: .max, by: .max) == .min)
    #expect(ExactDivision.floor(.max, times: 3, by: 4) == 6_917_529_027_641_081_855)
  }

  @Test func whatDoesNotFitIsNil() {
    #expect(ExactDivision.floor(.max, times: 2, by: 1) == nil)
    #expect(ExactDivision.floor(.min, times: -1, by: 1) == nil)
    #expect(ExactDivision.ceiling(.min, times: .min, by: 1) == nil)
    for divisor: Int64 in [0, -1, .min] {
      #expect(ExactDivision.floor(1, times: 1, by: divisor) == nil)
      #expect(ExactDivision.ceiling(1, times: 1, by: divisor) == nil)
    }
  }
}
