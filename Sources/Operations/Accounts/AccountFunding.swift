import Bytes
import Cluster
import Cryptography
import Foundation
import Market
import RiskNode
import Settlement
import SettlementNode
import Wire

/// Opens accounts by depositing for their owners on the settlement layer.
public struct AccountFunding {
  private let client: GatewayClient
  private let store: AccountStore
  private let market: MarketDefinition

  public init(client: GatewayClient, store: AccountStore, market: MarketDefinition) {
    self.client = client
    self.store = store
    self.market = market
  }

  /// Deposits on the settlement layer and returns its receipt.
  public func deposit(
    owner: Address, account: AccountID?, currency: Currency, amount: Money
  ) throws -> ReceiptText {
    let transaction = VaultTransaction.deposit(owner: owner, account: account, currency: currency, amount: amount)
    return try JSONDecoder().decode(
      ReceiptText.self, from: Data(client.query(.transaction, .settlement, transaction.encoded)))
  }

  /// A new key and its account, opened by a first deposit; the key file is written before the money moves.
  public func create(currency: Currency, amount: Money) throws -> AccountCredentials {
    let key = PrivateKey.generate()
    try store.savePending(key)
    let receipt = try deposit(owner: key.address, account: nil, currency: currency, amount: amount)
    guard let account = receipt.account else { throw ClientError(reason: "the settlement layer named no account") }
    let credentials = AccountCredentials(account: AccountID(account), key: key)
    try store.save(credentials)
    return credentials
  }

  /// `count` accounts with means to trade every instrument; those that exist already are used again.
  public func traders(_ count: Int) throws -> [AccountCredentials] {
    var credentials: [AccountCredentials] = []
    for account in store.accounts.prefix(count) { credentials.append(try store.load(account)) }
    while credentials.count < count {
      let created = try create(currency: .usd, amount: Money(whole: 50_000_000))
      for (number, currency) in market.currencies.enumerated() where currency.underlying != nil {
        _ = try deposit(
          owner: created.owner, account: created.account, currency: Currency(UInt8(number)), amount: Money(whole: 200))
      }
      credentials.append(created)
    }
    return credentials
  }

  /// Waits until risk has laid out credit for every account in every shard.
  public func waitForCredit(_ accounts: [AccountCredentials], seconds: Double) throws {
    let deadline = Date().addingTimeInterval(seconds)
    for credentials in accounts {
      while true {
        if let answer = try? client.query(.account, .risk, credentials.account.encoded, timeoutSeconds: 2),
          let text = try? JSONDecoder().decode(AccountText.self, from: Data(answer)),
          text.credit.count == Int(market.shardCount), text.credit.allSatisfy({ $0.outstanding != "0" })
        {
          break
        }
        guard Date() < deadline else {
          throw ClientError(
            reason: "account \(credentials.account) has no credit in every shard after \(seconds) s: marks missing?")
        }
        usleep(20_000)
      }
    }
  }
}
