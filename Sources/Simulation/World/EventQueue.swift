/// What will happen, in order of simulated time; of what happens at one time, in order of asking.
struct EventQueue {
  /// One thing that happens, once.
  typealias Action = () -> Void

  private struct Event {
    let time: Int64
    let number: UInt64
    let action: Action

    func isBefore(_ other: Event) -> Bool { time != other.time ? time < other.time : number < other.number }
  }

  /// A binary heap, the earliest first.
  private var heap: [Event] = []
  private var asked: UInt64 = 0

  /// When the next thing happens; `nil` when nothing does.
  var nextTime: Int64? { heap.first?.time }

  mutating func schedule(at time: Int64, _ action: @escaping Action) {
    asked += 1
    heap.append(Event(time: time, number: asked, action: action))
    var place = heap.count - 1
    while place > 0, heap[place].isBefore(heap[(place - 1) / 2]) {
      heap.swapAt(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
  }

  mutating func popFirst() -> (time: Int64, number: UInt64, action: Action)? {
    guard let first = heap.first else { return nil }
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    var place = 0
    while true {
      var least = place
      for child in [2 * place + 1, 2 * place + 2] where child < heap.count && heap[child].isBefore(heap[least]) {
        least = child
      }
      if least == place { break }
      heap.swapAt(place, least)
      place = least
    }
    return (first.time, first.number, first.action)
  }

  mutating func removeAll() { heap.removeAll() }
}
