import Settlement
import SettlementNode
import Synchronization

/// The settlement layer in memory. It does not fail: what it has accepted stays.
final class SimulatedLayer: SettlementLayer {
  private struct State {
    var vault: Vault
    var transactions: [VaultTransaction] = []
  }
  private let state: Mutex<State>

  init(_ rules: VaultRules) { state = Mutex(State(vault: Vault(rules))) }

  func apply(_ transaction: VaultTransaction) -> Result<VaultReceipt, VaultRefusal> {
    state.withLock { state in
      let result = state.vault.apply(transaction)
      if case .success(let receipt) = result {
        if case .alreadyPosted = receipt { return result }
        state.transactions.append(transaction)
      }
      return result
    }
  }

  func read<R>(_ body: (Vault) throws -> R) rethrows -> R { try state.withLock { try body($0.vault) } }

  /// What it has accepted, in order, from a place on.
  func transactions(from place: Int) -> ArraySlice<VaultTransaction> {
    state.withLock { $0.transactions.dropFirst(place) }
  }
}
