import Bytes
import Market

/// Work that is too long for one step: it is state, carried on at every input until it is done.
struct Job: BitwiseCopyable {
  enum Kind: UInt8, BitwiseCopyable {
    /// Cancel the account's orders and stops that had arrived by `arrival` and match; report `outcome`.
    case cancel = 1
    /// Cancel the account's newest orders until it fits the ceiling `amount`, then acknowledge credit `number`.
    case recall = 2
    /// Cancel all of the account, then acknowledge freeze `number`.
    case freeze = 3
    /// Cancel what lives with the session `number`, up to `generation`.
    case sessionEnd = 4
    /// Cancel the orders of `book`, then settle its positions.
    case settle = 5
    /// Take up the fired stops of `book`.
    case fire = 6
    /// Carry on the unfinished order of `book`.
    case sweep = 7
    /// Match the auction of `book`.
    case uncross = 8
    /// Take up queued operations.
    case takeUp = 9
  }

  static let everyBook = UInt32.max

  /// Tells jobs apart within a run; no part of the state.
  var id: UInt64 = 0
  var kind: Kind
  var accountSlot: Slot = 0
  var book = Job.everyBook
  /// Of a mass cancel: up to where orders, and stops, are still to be looked at.
  var arrival: UInt64 = 0
  var stopArrival: UInt64 = 0
  /// The order and the stop to be looked at next, which follow from these; 0 for none.
  var order: Slot = 0
  var stop: Slot = 0
  var number: UInt64 = 0
  var generation: UInt64 = 0
  var amount: Int64 = 0
  var outcome = Outcome.cancelled
  var scope = Operation.Scope.everything
  /// As a cancel-all's flags.
  var flags: UInt16 = 0
  var label: UInt32 = 0

  var isMassCancel: Bool { kind == .cancel || kind == .freeze || kind == .sessionEnd }
}

extension Operation.Scope {
  func contains(_ kind: Instrument.Kind) -> Bool {
    switch self {
    case .everything: true
    case .perpetuals: kind == .perpetual
    case .futures: kind == .future
    case .options: kind.isOption
    case .calls: kind == .call
    case .puts: kind == .put
    }
  }
}
