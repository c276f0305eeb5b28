import Bytes
import Machine
import Market
import Testing

@testable import Clearing

@Suite struct GroupTests {
  /// Opens `account` for `owner`, and gives the credits that this sends.
  static func open(_ account: UInt32, of owner: UInt32, _ number: UInt64, _ driver: inout RiskDriver) -> [Credit] {
    driver.from(
      .settlement,
      Deposit(
        number: number, account: AccountID(account), owner: TestMarket.owner(owner), currency: .usd,
        amount: Money(whole: 1_000)))
    return driver.take(Credit.self)
  }

  @Test func accountsOfOneOwnerFormOneGroupNamedByTheFirst() {
    var driver = RiskDriver()
    let groups = [(3, 50), (4, 60), (5, 50), (9, 50), (10, 60)].enumerated().map { index, entry in
      let credits = Self.open(UInt32(entry.0), of: UInt32(entry.1), UInt64(index + 1), &driver)
      #expect(credits.count == 4 && Set(credits.map(\.group)).count == 1)
      return credits[0].group.rawValue
    }
    #expect(groups == [3, 4, 3, 3, 4])
    #expect(driver.view(9).group == AccountID(3))
  }

  @Test func anAccountOpenedLaterUnderALowerNumberJoinsTheGroupThatIsThere() {
    var driver = RiskDriver()
    _ = Self.open(7, of: 50, 1, &driver)
    #expect(Self.open(2, of: 50, 2, &driver).map(\.group) == Array(repeating: AccountID(7), count: 4))
    #expect(Self.open(8, of: 50, 3, &driver).map(\.group) == Array(repeating: AccountID(7), count: 4))
    #expect(driver.view(7).group == AccountID(7))
  }

  @Test func everyLaterCreditNamesTheGroup() {
    var driver = RiskDriver()
    _ = Self.open(1, of: 50, 1, &driver)
    _ = Self.open(2, of: 50, 2, &driver)
    driver.mark(index: 100_000)
    driver.mark(1, index: 4_000)
    driver.from(0, CreditTests.request(1, 2, TestMarket.perpetual, lots: 1, charge: 200))
    let credits = driver.take(Credit.self)
    #expect(!credits.isEmpty)
    #expect(credits.allSatisfy { $0.account == AccountID(2) && $0.group == AccountID(1) })
  }

  @Test func theHouseIsInNobodysGroup() {
    var driver = RiskDriver()
    driver.from(
      .settlement,
      Deposit(number: 1, account: AccountID(5), owner: .zero, currency: .usd, amount: Money(whole: 1_000)))
    #expect(driver.view(5).group == AccountID(5))
    #expect(driver.view(0).group == .house)
  }

  @Test func aRestoredMachineKeepsGroupsAndGivesTheSameOnes() {
    var driver = RiskDriver()
    _ = Self.open(7, of: 50, 1, &driver)
    _ = Self.open(2, of: 50, 2, &driver)
    let bytes = SnapshotTests.snapshot(driver.machine)
    var restored = SnapshotTests.Restored(bytes)
    #expect(Bool(restored.isWhole))
    swap(&driver.machine, &restored.machine)
    #expect(driver.view(2).group == AccountID(7))
    #expect(Self.open(8, of: 50, 3, &driver).map(\.group) == Array(repeating: AccountID(7), count: 4))
  }

  @Test func aSnapshotWithAnotherGroupIsRefused() throws {
    var driver = RiskDriver()
    _ = Self.open(7, of: 50, 1, &driver)
    var bytes = SnapshotTests.snapshot(driver.machine)
    // The group stands behind the owner.
    let owner = TestMarket.owner(50).array
    let place = try #require(
      bytes.indices.last { $0 + owner.count <= bytes.count && Array(bytes[$0..<$0 + owner.count]) == owner })
    #expect(bytes[place + owner.count] == 7)
    bytes[place + owner.count] = 0
    let changed = SnapshotTests.Restored(bytes)
    #expect(!Bool(changed.isWhole))
  }
}
