import Bytes
import Foundation
import Market
import RiskNode
import SettlementNode
import Wire

/// A new account: its key file, and the first deposit that opened it.
public struct AccountCreation: CommandReport {
  public var account: UInt32
  public var owner: String
  public var keyFile: String
  public var currency: String
  public var amount: String
  /// Whether credit lies ready in every shard; otherwise the first orders wait for it.
  public var hasCredit: Bool

  /// Seconds in which risk must hear of the deposit, and in which credit is waited for.
  private static let knownSeconds = 15.0
  private static let creditSeconds = 3.0

  public init(currency name: String, amount: Money, in session: ClusterSession) throws {
    let currency = try session.currency(named: name)
    guard amount > .zero else { throw CommandMistake("--deposit \(amount): the first deposit must be positive") }
    let funding = AccountFunding(
      client: try session.gateway(), store: session.store, market: try session.market)
    let created: AccountCredentials
    do {
      created = try funding.create(currency: currency, amount: amount)
    } catch let error as ClientError {
      throw CommandRefused(error.reason)
    }
    account = created.account.rawValue
    owner = created.owner.description
    keyFile = session.store.path(of: created.account)
    self.currency = try session.market.currencies[Int(currency.rawValue)].name
    self.amount = amount.description
    try Self.waitUntilKnown(created.account, in: session)
    hasCredit = (try? funding.waitForCredit([created], seconds: Self.creditSeconds)) != nil
  }

  private static func waitUntilKnown(_ account: AccountID, in session: ClusterSession) throws {
    let deadline = Date().addingTimeInterval(knownSeconds)
    while true {
      do {
        _ = try session.ask(AccountText.self, .account, .risk, account.encoded)
        return
      } catch let error as CommandRefused {
        guard Date() < deadline else {
          throw CommandRefused("account \(account) is paid for, but risk does not know it yet: \(error)")
        }
        usleep(20_000)
      }
    }
  }

  public var text: String {
    """
    account \(account) is open with \(amount) \(currency)
    owner   \(owner)
    key     \(keyFile)\(hasCredit ? "" : "\ncredit is not laid out yet; the first orders may wait for it")
    """
  }
}

/// A deposit on the settlement layer.
public struct AccountDeposit: CommandReport {
  public var account: UInt32
  public var currency: String
  public var amount: String
  /// The layer's number of the deposit.
  public var number: UInt64?

  public init(account: AccountID, currency name: String, amount: Money, in session: ClusterSession) throws {
    let currency = try session.currency(named: name)
    guard amount > .zero else { throw CommandMistake("--amount \(amount): a deposit must be positive") }
    let credentials = try session.store.load(account)
    let funding = AccountFunding(
      client: try session.gateway(), store: session.store, market: try session.market)
    do {
      number = try funding.deposit(
        owner: credentials.owner, account: account, currency: currency, amount: amount
      ).number
    } catch let error as ClientError {
      throw CommandRefused(error.reason)
    }
    self.account = account.rawValue
    self.currency = try session.market.currencies[Int(currency.rawValue)].name
    self.amount = amount.description
  }

  public var text: String {
    "deposit \(number.map { "\($0)" } ?? "") of \(amount) \(currency) to account \(account) is on the settlement layer;"
      + " it counts as soon as risk has heard of it"
  }
}
