import Market

/// Finds live nonces of accounts whose nonces mostly rise, without hashing any: what is above all that came before is
/// new, and is written behind it.
///
/// An account has two tracks, so that two rising series, of two clients or of orders and of cancels, may come mingled:
///
/// ```
/// lower:  … 17 18 19 ▸         upper:  … 17 ┃ gap ┃ 2^62+4 2^62+9 ▸
/// track → directory, sorted by first nonce → blocks of 29 cells → records
/// ```
///
/// A nonce is known to be new if it is above the upper track, or within the widest gap of the upper track and above the
/// lower one. What fits neither track is the ledger's table's to keep. A block goes with the last of its records.
struct NonceTracks: ~Copyable {
  /// One rising series.
  struct Track: BitwiseCopyable {
    /// The highest nonce that ever came this way.
    var high: UInt64 = 0
    /// Where the next one's cell is; a multiple of `block` where a block must begin.
    var next: UInt32 = 0
    var directory: Slot = 0
    /// Entries in the directory, and room there.
    var count: UInt32 = 0
    var room: UInt32 = 0
  }
  /// What is kept of an account: one cache line.
  struct Tracks: BitwiseCopyable {
    var upper: Track
    var lower: Track
    /// No nonce between these two ever went to the upper track.
    var gapLow: UInt64
    var gapHigh: UInt64
  }
  /// A block of a track; 0 once it is gone.
  private struct Entry: BitwiseCopyable {
    var first: UInt64
    var block: Slot
  }

  /// Words of a block: how many of its records live, its track, its place in the directory; then a record a cell.
  private static var block: UInt32 { 32 }
  private static var cells: UInt32 { 3 }
  private static let mostAccounts = 1 << 22
  /// Every block has a live record, and there are never more than 2^25 of those.
  private static let mostBlocks = 1 << 25 + 2

  private let tracks: UnsafeMutablePointer<Tracks>
  private let words: UnsafeMutablePointer<UInt32>
  private var freeBlock: Slot = 0
  private var endBlock: Slot = 1
  private var directories = SizedBlocks<Entry>(capacity: 4 * mostBlocks)

  init() {
    assert(MemoryLayout<Tracks>.stride == 64)
    tracks = LazyMemory.map(byteCount: Self.trackBytes).bindMemory(to: Tracks.self, capacity: Self.mostAccounts)
    words = LazyMemory.map(byteCount: Self.blockBytes)
      .bindMemory(to: UInt32.self, capacity: Self.mostBlocks * Int(Self.block))
  }
  deinit {
    LazyMemory.unmap(tracks, byteCount: Self.trackBytes)
    LazyMemory.unmap(words, byteCount: Self.blockBytes)
  }
  private static var trackBytes: Int { mostAccounts * MemoryLayout<Tracks>.stride }
  private static var blockBytes: Int { mostBlocks * Int(block) * 4 }

  /// The track that a nonce goes to which the account has never used, as far as the tracks can tell: no record and no
  /// order bears it. `nil` where that must be looked up.
  @inline(__always) func trackOfNew(_ nonce: UInt64, _ account: Slot) -> UnsafeMutablePointer<Track>? {
    let it = tracks + Int(account)
    if nonce > it.pointee.upper.high { return it.pointer(to: \.upper) }
    if nonce > it.pointee.gapLow && nonce < it.pointee.gapHigh && nonce > it.pointee.lower.high {
      return it.pointer(to: \.lower)
    }
    return nil
  }
  /// The track that has room for the nonce behind all others; `nil` if it is below both.
  @inline(__always) func track(for nonce: UInt64, _ account: Slot) -> UnsafeMutablePointer<Track>? {
    let it = tracks + Int(account)
    if nonce > it.pointee.upper.high { return it.pointer(to: \.upper) }
    return nonce > it.pointee.lower.high ? it.pointer(to: \.lower) : nil
  }

  /// Writes a record behind its track's others and returns the block that holds it; 0 if there is no room for a block,
  /// so that the record is the ledger's table's to keep.
  @inline(__always) mutating func append(
    _ record: Slot, _ nonce: UInt64, _ account: Slot, to track: UnsafeMutablePointer<Track>
  ) -> Slot {
    let it = tracks + Int(account)
    let high = track.pointee.high
    // Of a jump to the upper track no nonce has come between; one on the lower track says nothing.
    if _slowPath(nonce &- high > it.pointee.gapHigh &- it.pointee.gapLow) { widen(it, high, nonce, track) }
    track.pointee.high = nonce
    var next = track.pointee.next
    if _slowPath(next & (Self.block - 1) == 0) {
      next = begin(track, UInt32(truncatingIfNeeded: account), nonce)
      if next == 0 { return 0 }
    }
    track.pointee.next = next &+ 1
    words[Int(next)] = record
    let block = next & ~(Self.block - 1)
    words[Int(block)] &+= 1
    return block / Self.block
  }
  @inline(never) private func widen(
    _ it: UnsafeMutablePointer<Tracks>, _ low: UInt64, _ high: UInt64, _ track: UnsafeMutablePointer<Track>
  ) {
    if track == it.pointer(to: \.upper) { (it.pointee.gapLow, it.pointee.gapHigh) = (low, high) }
  }

  /// Notes that an order bears the nonce, whether or not a record does.
  mutating func note(_ nonce: UInt64, _ account: Slot) {
    let it = tracks + Int(account)
    let high = it.pointee.upper.high
    if nonce > high {
      let upper = it.pointer(to: \.upper).unsafelyUnwrapped
      if nonce - high > it.pointee.gapHigh - it.pointee.gapLow { widen(it, high, nonce, upper) }
      it.pointee.upper.high = nonce
    } else if nonce > it.pointee.lower.high {
      it.pointee.lower.high = nonce
    }
  }

  /// One of the block's records is forgotten.
  @inline(__always) mutating func remove(from block: Slot) {
    let head = words + Int(block &* Self.block)
    let left = head.pointee &- 1
    head.pointee = left
    if _slowPath(left == 0) { end(block) }
  }

  /// Calls `isIt` with each record that may bear the nonce; returns the first for which it holds, or 0. It is called
  /// with records too that are no longer, or are no longer in that block.
  @inline(never) func find(_ nonce: UInt64, _ account: Slot, where isIt: (_ record: Slot, _ block: Slot) -> Bool)
    -> Slot
  {
    let it = tracks[Int(account)]
    let found = nonce > it.upper.high ? 0 : find(nonce, it.upper, where: isIt)
    return found != 0 || nonce > it.lower.high ? found : find(nonce, it.lower, where: isIt)
  }
  private func find(_ nonce: UInt64, _ track: Track, where isIt: (Slot, Slot) -> Bool) -> Slot {
    let directory = directories.at(track.directory)
    var low = 0
    var high = Int(track.count)
    while low < high {
      let middle = (low + high) / 2
      if directory[middle].first <= nonce { low = middle + 1 } else { high = middle }
    }
    if low == 0 { return 0 }
    let block = directory[low - 1].block
    if block == 0 { return 0 }
    let head = words + Int(block * Self.block)
    for cell in Int(Self.cells)..<Int(Self.block) {
      let record = head[cell]
      if record == 0 { return 0 }
      if isIt(record, block) { return record }
    }
    return 0
  }

  // MARK: - Blocks

  /// Begins a block for the nonce at the end of a track; returns its first cell, or 0 if there is no room for one.
  @inline(never) private mutating func begin(
    _ track: UnsafeMutablePointer<Track>, _ account: UInt32, _ nonce: UInt64
  ) -> UInt32 {
    if track.pointee.count == track.pointee.room, !makeRoom(track) { return 0 }
    var block = freeBlock
    if block != 0 {
      freeBlock = words[Int(block * Self.block)]
    } else if Int(endBlock) < Self.mostBlocks {
      block = endBlock
      endBlock += 1
    } else {
      return 0
    }
    let place = track.pointee.count
    directories.at(track.pointee.directory)[Int(place)] = Entry(first: nonce, block: block)
    track.pointee.count = place + 1
    let head = words + Int(block * Self.block)
    head.initialize(repeating: 0, count: Int(Self.block))
    head[1] = account << 1 | (track == (tracks + Int(account)).pointer(to: \.upper) ? 1 : 0)
    head[2] = place
    return block * Self.block + Self.cells
  }

  /// The last record of a block has gone: so does the block, and if it was being filled the next nonce begins another.
  @inline(never) private mutating func end(_ block: Slot) {
    let head = words + Int(block * Self.block)
    let account = tracks + Int(head[1] >> 1)
    let track = (head[1] & 1 == 1 ? account.pointer(to: \.upper) : account.pointer(to: \.lower)).unsafelyUnwrapped
    // Of a full block `next` is the first word behind it.
    if track.pointee.next != 0, (track.pointee.next - 1) / Self.block == block { track.pointee.next = 0 }
    directories.at(track.pointee.directory)[Int(head[2])].block = 0
    head[0] = freeBlock
    freeBlock = block
  }

  /// Takes the blocks that are gone out of a full directory, and doubles it if most are there; false if
  /// there is no memory for that.
  private mutating func makeRoom(_ track: UnsafeMutablePointer<Track>) -> Bool {
    let old = directories.at(track.pointee.directory)
    var count = 0
    for place in 0..<Int(track.pointee.count) where old[place].block != 0 {
      old[count] = old[place]
      words[Int(old[place].block * Self.block) + 2] = UInt32(count)
      count += 1
    }
    track.pointee.count = UInt32(count)
    let room = Int(track.pointee.room)
    if room != 0, 2 * count <= room { return true }
    if directories.isFull(for: max(4, 2 * room)) { return count < room }
    let larger = directories.take(max(4, 2 * room))
    directories.at(larger).update(from: old, count: count)
    if room != 0 { directories.remove(track.pointee.directory, room) }
    track.pointee.directory = larger
    track.pointee.room = UInt32(max(4, 2 * room))
    return true
  }
}
