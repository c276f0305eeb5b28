import Bytes
import Market

/// The whole vault. Layout: rules, u32 count and owners, u64 deposits, u32 count and pending deposits, holdings,
/// what was paid by account, the ledger, u32 count and the remembered headers.
extension Vault: ByteCodable {
  public func write(to writer: inout ByteWriter) {
    rules.write(to: &writer)
    writer.u32(UInt32(owners.count))
    for owner in owners { owner.write(to: &writer) }
    writer.u64(depositCount)
    writer.u32(UInt32(pendingDeposits.count))
    for deposit in pendingDeposits { deposit.write(to: &writer) }
    for amount in holdings { amount.write(to: &writer) }
    for amounts in paid {
      for amount in amounts { amount.write(to: &writer) }
    }
    ledger.write(to: &writer)
    writer.u32(UInt32(headers.count))
    for header in headers { header.write(to: &writer) }
  }

  public init(from reader: inout ByteReader) {
    self.init(VaultRules(from: &reader))
    let currencies = 0..<rules.currencies
    owners = (0..<reader.itemCount(minimumSize: 20)).map { _ in Address(from: &reader) }
    for (account, owner) in owners.enumerated().dropFirst() { accounts[owner] = AccountID(UInt32(account)) }
    depositCount = reader.u64()
    pendingDeposits = (0..<reader.itemCount(minimumSize: 41)).map { _ in Deposit(from: &reader) }
    holdings = currencies.map { _ in Money(from: &reader) }
    paid = owners.map { _ in currencies.map { _ in Money(from: &reader) } }
    ledger = PublishedLedger(from: &reader)
    headers = (0..<reader.itemCount(minimumSize: EpochHeader.byteCount)).map { _ in EpochHeader(from: &reader) }
    let isCoherent =
      owners.first == .zero && accounts.count == owners.count - 1 && ledger.currencies == rules.currencies
      && ledger.header == headers.last && depositCursor <= depositCount
      && depositCount - depositCursor == UInt64(pendingDeposits.count)
      && ledger.book.accounts.allSatisfy { $0.leaf.ledger.count == rules.currencies }
      && pendingDeposits.allSatisfy { Int($0.currency.rawValue) < rules.currencies }
      && zip(headers, headers.dropFirst()).allSatisfy { UInt64($0.epoch.rawValue) + 1 == UInt64($1.epoch.rawValue) }
    if !isCoherent { reader.fail() }
  }
}
