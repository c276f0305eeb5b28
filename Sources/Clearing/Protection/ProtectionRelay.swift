import Machine
import Market

// Market-maker protection is counted shard by shard; what trips in one stops the account's quotes in all.
extension RiskMachine {
  /// An account's protection has tripped in a shard: the others that host the underlying, in order, take its quotes out
  /// too. False if the shard has no say about the underlying, or there is no such account.
  mutating func consume(_ tripped: ProtectionTripped, from shard: Int, into output: inout OutputBuffer) -> Bool {
    let underlying = Int(tripped.underlying.rawValue)
    let origin = ShardID(UInt16(shard))
    guard underlying < board.hosts.count, board.hosts[underlying].contains(origin), tripped.until >= .zero,
      let slot = book.slot(of: tripped.account), !book[slot].lines.isEmpty
    else { return false }
    let freeze = ProtectionFreeze(account: tripped.account, until: tripped.until)
    for host in board.hosts[underlying] where host != origin {
      output.send(freeze, to: .shard(host), &streams)
    }
    return true
  }
}
