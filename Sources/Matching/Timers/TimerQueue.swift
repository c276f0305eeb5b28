import Market

/// A deadline of one order, open or held.
struct OrderTimer: BitwiseCopyable {
  var deadline: Timestamp
  /// Arrival of the order, or the number of the held order's request: with `isHeld` it makes the order of firing total.
  var id: UInt64
  var slot: Slot
  var isHeld: Bool

  func fires(before other: OrderTimer) -> Bool {
    if deadline != other.deadline { return deadline < other.deadline }
    if isHeld != other.isHeld { return isHeld }
    return id < other.id
  }
}

/// Deadlines in (deadline, held before open, id) order: a binary heap whose entries outlive their orders and are
/// dropped
/// when they come up, or all at once when most are stale.
struct TimerQueue {
  private var heap: [OrderTimer] = []

  var count: Int { heap.count }
  var first: OrderTimer? { heap.first }

  mutating func insert(_ timer: OrderTimer) {
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
  mutating func prune(_ wanted: (OrderTimer) -> Bool) {
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
