import Market

/// The set of live nonces: what was answered to each, until its signature's expiry makes a resend impossible.
///
/// ```
/// table: (account, key, nonce) → record       buckets: expiry second → records, in order of arrival
/// ```
struct NonceLedger: ~Copyable {
  private(set) var records = Slab<NonceRecord>(capacity: 1 << 26)
  private var more = ResultBlocks()
  private var table = SlotTable()
  private(set) var buckets = Slab<ExpiryBucket>(capacity: 1 << 22)
  private var bucketTable = SlotTable()
  /// Binary heap of bucket slots, the earliest second first.
  private(set) var queue: [Slot] = []
  /// The bucket used last: most signatures expire in step.
  private var recent: Slot = 0

  var count: Int { records.count }
  var isFull: Bool { records.isFull || more.isFull }

  @inline(__always) func hash(_ account: Slot, _ key: UInt16, _ nonce: UInt64) -> UInt32 {
    table.hash(nonce, UInt64(account) << 16 | UInt64(key))
  }

  @inline(__always) func find(_ account: Slot, _ key: UInt16, _ nonce: UInt64) -> Slot {
    find(account, key, nonce, hash(account, key, nonce))
  }
  @inline(__always) func find(_ account: Slot, _ key: UInt16, _ nonce: UInt64, _ hash: UInt32) -> Slot {
    let base = records.base
    return table.find(hash) {
      let record = base + Int($0)
      return record.pointee.nonce == nonce && record.pointee.accountSlot == account && record.pointee.key == key
    }
  }

  /// Remembers an action whose results are all still `pending`, and whose `next` is zero.
  @inline(__always) mutating func insert(_ record: NonceRecord, _ hash: UInt32, expiring second: Int64) -> Slot {
    let slot = records.insert(record)
    table.insert(hash, slot)
    if record.count > 1 { records[slot].more = more.take(Int(record.count) - 1) }
    let bucket = buckets.base + Int(bucket(of: second))
    let before = bucket.pointee.last
    if before == 0 { bucket.pointee.first = slot } else { records[before].next = slot }
    bucket.pointee.last = slot
    return slot
  }

  @inline(__always) private mutating func bucket(of second: Int64) -> Slot {
    recent != 0 && buckets[recent].second == second ? recent : newBucket(second)
  }
  @inline(never) private mutating func newBucket(_ second: Int64) -> Slot {
    let hash = bucketTable.hash(UInt64(bitPattern: second))
    let base = buckets.base
    var bucket = bucketTable.find(hash) { base[Int($0)].second == second }
    if bucket == 0 {
      bucket = buckets.insert(ExpiryBucket(second: second, first: 0, last: 0))
      bucketTable.insert(hash, bucket)
      queue.append(bucket)
      rise()
    }
    recent = bucket
    return bucket
  }

  /// The earliest second in which a signature expires.
  var earliestExpiry: Int64? { queue.first.map { buckets[$0].second } }

  /// Forgets up to `limit` records that expired before `second`, in order of (expiry, arrival); `forgotten` hears of
  /// each account. Returns how many went.
  mutating func forget(expiredBefore second: Int64, limit: Int, _ forgotten: (Slot) -> Void) -> Int {
    var gone = 0
    while gone < limit, let place = queue.first, buckets[place].second < second {
      let bucket = buckets.base + Int(place)
      var slot = bucket.pointee.first
      while slot != 0, gone < limit {
        let record = records.base + Int(slot)
        let next = record.pointee.next
        let account = record.pointee.accountSlot
        table.remove(hash(account, record.pointee.key, record.pointee.nonce), slot)
        if record.pointee.more != 0 { more.remove(record.pointee.more, Int(record.pointee.count) - 1) }
        records.remove(slot)
        forgotten(account)
        gone += 1
        slot = next
      }
      bucket.pointee.first = slot
      if slot != 0 { break }
      bucket.pointee.last = 0
      dropFirst()
    }
    if let bucket = queue.first, buckets[bucket].first == 0 { dropFirst() }
    return gone
  }

  private mutating func dropFirst() {
    let bucket = queue[0]
    if recent == bucket { recent = 0 }
    bucketTable.remove(bucketTable.hash(UInt64(bitPattern: buckets[bucket].second)), bucket)
    queue[0] = queue[queue.count - 1]
    queue.removeLast()
    sink()
    buckets.remove(bucket)
  }

  private mutating func rise() {
    var child = queue.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      if buckets[queue[parent]].second <= buckets[queue[child]].second { return }
      queue.swapAt(parent, child)
      child = parent
    }
  }
  private mutating func sink() {
    var parent = 0
    while true {
      var child = parent * 2 + 1
      if child >= queue.count { return }
      if child + 1 < queue.count, buckets[queue[child + 1]].second < buckets[queue[child]].second { child += 1 }
      if buckets[queue[parent]].second <= buckets[queue[child]].second { return }
      queue.swapAt(parent, child)
      parent = child
    }
  }
}

extension NonceLedger {
  @inline(__always) mutating func setResult(_ slot: Slot, _ index: Int, _ outcome: Outcome, filled: Int64) {
    if index == 0 {
      records[slot].outcome = outcome
      records[slot].filled = filled
      return
    }
    more.result(records[slot].more, index - 1).pointee = MoreResult(filled: filled, outcome: outcome)
  }

  /// How an operation of the action ended, or stands.
  func outcome(_ slot: Slot, _ index: Int) -> Outcome {
    index == 0 ? records[slot].outcome : more.result(records[slot].more, index - 1).pointee.outcome
  }

  /// Every result of the action, in order.
  @inline(__always) func forEachResult(_ slot: Slot, _ body: (Outcome, Int64) -> Void) {
    let record = records.base + Int(slot)
    body(record.pointee.outcome, record.pointee.filled)
    for place in 0..<Int(record.pointee.count) - 1 {
      let result = more.result(record.pointee.more, place)
      body(result.pointee.outcome, result.pointee.filled)
    }
  }

  /// The records in order of (expiry, arrival).
  func forEach(_ body: (_ slot: Slot, _ second: Int64) -> Void) {
    for bucket in queue.sorted(by: { buckets[$0].second < buckets[$1].second }) {
      var slot = buckets[bucket].first
      while slot != 0 {
        body(slot, buckets[bucket].second)
        slot = records[slot].next
      }
    }
  }
}
