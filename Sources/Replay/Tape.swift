import Bytes
import Machine
import Market

/// The trades that a shard's outputs tell of: maker and taker fill follow each other.
struct Tape {
  var trades: UInt64 = 0
  var volume: UInt64 = 0
  var notional: UInt64 = 0
  var hash: UInt64 = 14_695_981_039_346_656_037
  private var maker: UInt64 = 0

  mutating func read(_ output: borrowing OutputBuffer) {
    output.forEach { record in
      guard record.kind == .stream else { return }
      var body = ByteReader(record.payload)
      guard body.u8() == MessageKind.fill.rawValue else { return }
      let fill = Fill(from: &body)
      if fill.kind == .maker {
        maker = fill.order.nonce
      } else {
        add(maker: maker, taker: fill.order.nonce, price: fill.price.units, lots: fill.lots.count.magnitude)
      }
    }
  }

  mutating func add(maker: UInt64, taker: UInt64, price: Int64, lots: UInt64) {
    let prime: UInt64 = 1_099_511_628_211
    trades += 1
    volume &+= lots
    notional &+= UInt64(bitPattern: price) &* lots
    for value in [maker, taker, lots] { hash = (hash ^ value) &* prime }
  }
}
