import Bytes
import Cryptography
import Market
import Operations
import Settlement
import Wire

/// One account's owner: deposits, trades, withdraws; asks again by nonce until there is an answer.
struct SimulatedClient {
  struct Pending {
    var machine: MachineID
    var action: [UInt8]
    var operations: [Market.Operation]
    var askedAt: Int64
    var tries = 0
  }

  let key: PrivateKey
  /// Its place among the gateway's sessions.
  let place: UInt16
  /// `nil` until the settlement layer has opened it.
  var account: AccountID?
  var nonce: UInt64
  /// Unanswered actions, the oldest first.
  var pending: [(nonce: UInt64, action: Pending)] = []
  var bot: [Workload] = []
  /// Newest orders that may rest, for cancels and the like.
  var named: [(shard: ShardID, nonce: UInt64, index: UInt16, instrument: InstrumentID)] = []
  /// Generation of its session; grows when it disconnects.
  var generation: UInt64 = 0
  var nextActionAt: Int64 = 0

  init(number: Int) {
    key = SimulatedMarket.key(100 + UInt64(number))
    place = UInt16(number)
    nonce = UInt64(number) << 32
  }
}
