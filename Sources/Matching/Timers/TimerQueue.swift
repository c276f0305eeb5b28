import Market

/// A deadline of an order, a stop, an account or a book.
struct Timer: BitwiseCopyable {
  enum Kind: UInt8, BitwiseCopyable {
    case held = 1
    case order = 2
    case stop = 3
    case deadMan = 4
    case indicative = 5
    case auctionEnd = 6

    /// Orders and stops count their arrivals together.
    var rank: UInt8 { self == .stop ? 2 : rawValue }
  }

  var deadline: Timestamp
  var kind: Kind
  /// Request of a held order, arrival of an order or stop, account, book: with the kind it makes the order total.
  var id: UInt64
  var slot: Slot

  func fires(before other: Timer) -> Bool {
    if deadline != other.deadline { return deadline < other.deadline }
    if kind.rank != other.kind.rank { return kind.rank < other.kind.rank }
    return id < other.id
  }
}

/// Deadlines in order: a binary heap whose entries outlive what they are about and are dropped when they come up, or
/// when a look round the heap comes by.
struct TimerQueue {
  private var heap: [Timer] = []
  /// Where the next look round begins.
  private var cursor = 0

  var count: Int { heap.count }
  var first: Timer? { heap.first }

  mutating func insert(_ timer: Timer) {
    heap.append(timer)
    rise(heap.count - 1)
  }

  mutating func removeFirst() { remove(0) }

  /// Looks at the next `count` timers, round and round, and drops those that are no longer `wanted`.
  mutating func prune(_ count: Int, _ wanted: (Timer) -> Bool) {
    for _ in 0..<count where !heap.isEmpty {
      if cursor >= heap.count { cursor = 0 }
      // What takes a dropped one's place is looked at next.
      if wanted(heap[cursor]) { cursor += 1 } else { remove(cursor) }
    }
  }

  private mutating func remove(_ place: Int) {
    heap.swapAt(place, heap.count - 1)
    heap.removeLast()
    if place >= heap.count { return }
    sink(place)
    rise(place)
  }

  private mutating func rise(_ start: Int) {
    var child = start
    while child > 0 {
      let parent = (child - 1) / 2
      if !heap[child].fires(before: heap[parent]) { return }
      heap.swapAt(parent, child)
      child = parent
    }
  }

  private mutating func sink(_ start: Int) {
    var parent = start
    while true {
      var child = parent * 2 + 1
      if child >= heap.count { return }
      if child + 1 < heap.count, heap[child + 1].fires(before: heap[child]) { child += 1 }
      if !heap[child].fires(before: heap[parent]) { return }
      heap.swapAt(parent, child)
      parent = child
    }
  }
}
