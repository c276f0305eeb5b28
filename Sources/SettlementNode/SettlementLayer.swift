import Settlement

/// The settlement layer as the coordinator's edge sees it: the vault, and transactions upon it.
public protocol SettlementLayer: AnyObject, Sendable {
  /// Applies a transaction; it is durable when this returns.
  func apply(_ transaction: VaultTransaction) throws -> Result<VaultReceipt, VaultRefusal>
  /// Reads the vault as it stands.
  func read<R>(_ body: (Vault) throws -> R) rethrows -> R
}

extension LedgerStore: SettlementLayer {}
