import Market

/// The set of live nonces: what was answered to each, until its signature's expiry makes a resend impossible.
///
/// ```
/// tracks, table: (account, key, nonce) → record     buckets: expiry second → runs of records, in order of arrival
/// ```
///
/// Records of one second lie in runs of eight, so that they are written and forgotten one after another. The table
/// holds only what fits neither track of its account.
struct NonceLedger: ~Copyable {
  static let run: Slot = 8
  /// Records beyond this are refused; with a run begun and a run ending in every second, all of them have room.
  private static let mostRecords = 1 << 25
  private static let mostBuckets = 1 << 22
  private static let mostRuns = mostRecords / Int(run) + 2 * mostBuckets

  /// Records by slot.
  let records: UnsafeMutablePointer<NonceRecord>
  /// Traces by slot.
  private let traces: UnsafeMutablePointer<NonceTrace>
  /// The next run of the same second, or the next free one.
  private let links: UnsafeMutablePointer<Slot>
  private var freeRun: Slot = 0
  private var endRun: Slot = 1
  private(set) var count = 0
  /// Records that are not refused: none once results might find no room.
  private var room = mostRecords
  /// Results of operations 1 ... of batches.
  private var more = SizedBlocks<MoreResult>(capacity: 1 << 28)
  private var tracks = NonceTracks()
  private var table = SlotTable()
  private var buckets = Slab<ExpiryBucket>(capacity: mostBuckets)
  private var bucketTable = SlotTable()
  /// Binary heap of bucket slots, the earliest second first.
  private var queue: [Slot] = []
  /// The bucket used last: most signatures expire in step.
  private var recent: Slot = 0
  private var recentSecond = Int64.min

  init() {
    records = LazyMemory.map(byteCount: Self.recordBytes)
      .bindMemory(to: NonceRecord.self, capacity: Self.mostRuns * Int(Self.run))
    traces = LazyMemory.map(byteCount: Self.traceBytes)
      .bindMemory(to: NonceTrace.self, capacity: Self.mostRuns * Int(Self.run))
    links = LazyMemory.map(byteCount: Self.linkBytes).bindMemory(to: Slot.self, capacity: Self.mostRuns)
  }
  deinit {
    LazyMemory.unmap(records, byteCount: Self.recordBytes)
    LazyMemory.unmap(traces, byteCount: Self.traceBytes)
    LazyMemory.unmap(links, byteCount: Self.linkBytes)
  }
  private static var recordBytes: Int { mostRuns * Int(run) * MemoryLayout<NonceRecord>.stride }
  private static var traceBytes: Int { mostRuns * Int(run) * MemoryLayout<NonceTrace>.stride }
  private static var linkBytes: Int { mostRuns * MemoryLayout<Slot>.stride }

  var isFull: Bool { count >= room }

  /// Where a nonce goes which the owner's key of the account has never used: no record and no order bears it. `nil`
  /// where that must be looked up.
  @inline(__always) func trackOfNew(_ nonce: UInt64, _ account: Slot) -> UnsafeMutablePointer<NonceTracks.Track>? {
    tracks.trackOfNew(nonce, account)
  }

  /// Notes that an order bears the nonce, so that it does not pass for new.
  mutating func note(_ nonce: UInt64, _ account: Slot) { tracks.note(nonce, account) }

  private func hash(_ account: Slot, _ key: UInt16, _ nonce: UInt64) -> UInt32 {
    table.hash(nonce, UInt64(account) << 16 | UInt64(key))
  }

  /// The live record, or 0.
  @inline(never) func find(_ account: Slot, _ key: UInt16, _ nonce: UInt64) -> Slot {
    let records = records
    if key == ShardMachine.ownerKey {
      if tracks.trackOfNew(nonce, account) != nil { return 0 }
      let traces = traces
      let record = tracks.find(nonce, account) { record, block in
        let trace = traces[Int(record)]
        return trace.place == block && trace.accountSlot & ~NonceTrace.batch == account
          && records[Int(record)].nonce == nonce
      }
      if record != 0 { return record }
    }
    if table.count == 0 { return 0 }
    return table.find(hash(account, key, nonce)) {
      let record = records + Int($0)
      return record.pointee.nonce == nonce && record.pointee.accountSlot == account && record.pointee.key == key
    }
  }

  /// Remembers an action, results of a batch all still `pending`; there must be room. `isFirst` where no other expires
  /// in that second.
  mutating func insert(_ record: NonceRecord, expiring second: Int64) -> (slot: Slot, isFirst: Bool) {
    let track = record.key == ShardMachine.ownerKey ? tracks.track(for: record.nonce, record.accountSlot) : nil
    if let track { return insert(record, track, expiring: second) }
    let place = takePlace(second)
    (records + Int(place.slot)).initialize(to: record)
    enterTable(place.slot)
    if record.count > 1 { keepResults(place.slot) }
    return place
  }
  /// The same, where the record's place among the account's nonces is known.
  @inline(__always) mutating func insert(
    _ record: NonceRecord, _ track: UnsafeMutablePointer<NonceTracks.Track>, expiring second: Int64
  ) -> (slot: Slot, isFirst: Bool) {
    let place = takePlace(second)
    (records + Int(place.slot)).initialize(to: record)
    let block = tracks.append(place.slot, record.nonce, record.accountSlot, to: track)
    traces[Int(place.slot)] = NonceTrace(place: block, accountSlot: record.accountSlot)
    if _slowPath(block == 0) { enterTable(place.slot) }
    if _slowPath(record.count > 1) { keepResults(place.slot) }
    return place
  }

  /// The place of one more record that expires in that second.
  @inline(__always) private mutating func takePlace(_ second: Int64) -> (slot: Slot, isFirst: Bool) {
    var bucket = buckets.base + Int(recent)
    var isFirst = false
    if _slowPath(recentSecond != second || bucket.pointee.next & (Self.run - 1) == 0) {
      isFirst = makeRoom(second)
      bucket = buckets.base + Int(recent)
    }
    let slot = bucket.pointee.next
    bucket.pointee.next = slot &+ 1
    bucket.pointee.count &+= 1
    count &+= 1
    return (slot, isFirst)
  }

  @inline(never) private mutating func enterTable(_ slot: Slot) {
    let record = records[Int(slot)]
    let hash = hash(record.accountSlot, record.key, record.nonce)
    traces[Int(slot)] = NonceTrace(place: hash, accountSlot: record.accountSlot | NonceTrace.hashed)
    let records = records
    table.insert(hash, slot) {
      (records[Int($0)].nonce, UInt64(records[Int($0)].accountSlot) << 16 | UInt64(records[Int($0)].key))
    }
  }

  @inline(never) private mutating func keepResults(_ slot: Slot) {
    let count = Int(records[Int(slot)].count) - 1
    let block = more.take(count)
    more.at(block).initialize(repeating: MoreResult(filled: 0, outcome: .pending), count: count)
    if more.isFull(for: 256) { room = 0 }
    records[Int(slot)].more = block
    traces[Int(slot)].accountSlot |= NonceTrace.batch
  }
  @inline(never) private mutating func dropResults(_ slot: Slot) {
    more.remove(records[Int(slot)].more, Int(records[Int(slot)].count) - 1)
  }

  /// Makes the second's bucket the recent one, with room for a record; true if it is new.
  @inline(never) private mutating func makeRoom(_ second: Int64) -> Bool {
    var isFirst = false
    if recentSecond != second {
      let hash = bucketTable.hash(UInt64(bitPattern: second))
      let base = buckets.base
      recent = bucketTable.find(hash) { base[Int($0)].second == second }
      recentSecond = second
      if recent == 0 {
        isFirst = true
        recent = buckets.insert(ExpiryBucket(second: second))
        bucketTable.insert(hash, recent) { (UInt64(bitPattern: base[Int($0)].second), 0) }
        queue.append(recent)
        rise()
        updateEarliest()
      }
    }
    let end = buckets[recent].next
    if end & (Self.run - 1) != 0 { return isFirst }
    var place = freeRun
    if place != 0 {
      freeRun = links[Int(place)]
    } else {
      precondition(Int(endRun) < Self.mostRuns)
      place = endRun
      endRun += 1
    }
    buckets[recent].next = place * Self.run
    if end == 0 { buckets[recent].first = place * Self.run } else { links[Int(end / Self.run) - 1] = place }
    return isFirst
  }

  /// When the earliest record can be forgotten, `.never` if there is none.
  private(set) var earliest = Timestamp.never

  private mutating func updateEarliest() {
    earliest = queue.first.map { Timestamp(forgetting: buckets[$0].second) } ?? .never
  }

  /// Forgets up to `limit` records that expired before `second`, in order of (expiry, arrival); `forgotten` hears of
  /// each account. Returns how many went.
  @inline(__always) mutating func forget(expiredBefore second: Int64, limit: Int, _ forgotten: (Slot) -> Void) -> Int {
    var gone = 0
    while gone < limit, let place = queue.first {
      let bucket = buckets.base + Int(place)
      if bucket.pointee.second >= second { break }
      let going = min(limit - gone, Int(bucket.pointee.count))
      var slot = bucket.pointee.first
      let traces = traces
      for _ in 0..<going {
        let trace = traces[Int(slot)]
        traces[Int(slot)].accountSlot = 0
        if _fastPath(trace.accountSlot < NonceTrace.hashed) {
          tracks.remove(from: trace.place)
        } else {
          forgetRare(trace, slot)
        }
        forgotten(trace.accountSlot & ~(NonceTrace.batch | NonceTrace.hashed))
        slot &+= 1
        if _slowPath(slot & (Self.run - 1) == 0) { slot = dropRun(slot / Self.run &- 1) }
      }
      gone &+= going
      count &-= going
      bucket.pointee.first = slot
      bucket.pointee.count &-= UInt32(truncatingIfNeeded: going)
      if _fastPath(bucket.pointee.count != 0) { break }
      if bucket.pointee.next & (Self.run - 1) != 0 { _ = dropRun(bucket.pointee.next / Self.run) }
      dropFirst()
    }
    return gone
  }

  /// A record of a batch, or one that the table holds, is forgotten.
  @inline(never) private mutating func forgetRare(_ trace: NonceTrace, _ slot: Slot) {
    if trace.accountSlot & NonceTrace.hashed == 0 {
      tracks.remove(from: trace.place)
    } else {
      table.remove(trace.place, slot)
    }
    if trace.accountSlot & NonceTrace.batch != 0 { dropResults(slot) }
  }

  /// Frees a run; returns the first record of the one that followed, if any did.
  @inline(never) private mutating func dropRun(_ place: Slot) -> Slot {
    let next = links[Int(place)]
    links[Int(place)] = freeRun
    freeRun = place
    return next &* Self.run
  }

  @inline(never) private mutating func dropFirst() {
    let bucket = queue[0]
    if recent == bucket { recentSecond = .min }
    bucketTable.remove(bucketTable.hash(UInt64(bitPattern: buckets[bucket].second)), bucket)
    queue[0] = queue[queue.count - 1]
    queue.removeLast()
    sink()
    buckets.remove(bucket)
    updateEarliest()
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
      records[Int(slot)].outcome = outcome
      records[Int(slot)].filled = filled
      return
    }
    more.at(records[Int(slot)].more)[index - 1] = MoreResult(filled: filled, outcome: outcome)
  }

  /// How an operation of the action ended, or stands.
  func outcome(_ slot: Slot, _ index: Int) -> Outcome {
    index == 0 ? records[Int(slot)].outcome : more.at(records[Int(slot)].more)[index - 1].outcome
  }

  /// Every result of the action, in order.
  @inline(__always) func forEachResult(_ slot: Slot, _ body: (Outcome, Int64) -> Void) {
    let record = records + Int(slot)
    body(record.pointee.outcome, record.pointee.filled)
    for place in 0..<Int(record.pointee.count) - 1 {
      let result = more.at(record.pointee.more)[place]
      body(result.outcome, result.filled)
    }
  }

  /// The records in order of (expiry, arrival).
  func forEach(_ body: (_ slot: Slot, _ second: Int64) -> Void) {
    for bucket in queue.sorted(by: { buckets[$0].second < buckets[$1].second }) {
      var slot = buckets[bucket].first
      for left in stride(from: buckets[bucket].count, to: 0, by: -1) {
        body(slot, buckets[bucket].second)
        slot += 1
        if left > 1, slot % Self.run == 0 { slot = links[Int(slot / Self.run) - 1] * Self.run }
      }
    }
  }
}
