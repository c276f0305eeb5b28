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
/// all at once when most are stale.
struct TimerQueue {
  private var heap: [Timer] = []

  var count: Int { heap.count }
  var first: Timer? { heap.first }

  mutating func insert(_ timer: Timer) {
    heap.append(timer)
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      if !heap[child].fires(before: heap[parent]) { return }
      heap.swapAt(parent, child)
      child = parent
    }
  }

  mutating func removeFirst() {
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    sink(0)
  }

  /// Keeps only the timers that are still `wanted`.
  mutating func prune(_ wanted: (Timer) -> Bool) {
    heap.removeAll { !wanted($0) }
    for place in stride(from: heap.count / 2 - 1, through: 0, by: -1) { sink(place) }
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
