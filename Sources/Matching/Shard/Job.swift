import Bytes
import Market

/// Work that is too long for one step: it is state, carried on at every input until it is done.
struct Job: BitwiseCopyable {
  enum Kind: UInt8, BitwiseCopyable {
    /// Cancel the account's orders that had arrived by `arrival`, in `book` or in all.
    case cancelAll = 1
    /// Cancel the account's newest orders until it fits the ceiling `amount`, then acknowledge credit `number`.
    case recall = 2
    /// Cancel all orders of the account, then acknowledge freeze `number`.
    case freeze = 3
    /// Cancel the orders that live with the session `number`, up to `generation`.
    case sessionEnd = 4
    /// Cancel the orders of `book`, then settle its positions.
    case settle = 5
  }

  static let everyBook = UInt32.max

  var kind: Kind
  var accountSlot: Slot = 0
  var book = Job.everyBook
  var arrival: UInt64 = 0
  var number: UInt64 = 0
  var generation: UInt64 = 0
  var amount: Int64 = 0
}
