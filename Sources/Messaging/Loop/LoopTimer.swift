import CZeroMQ
import Glibc

/// A one-shot timer of a `SocketLoop`, armed anew as often as wanted; used on its loop only.
public final class LoopTimer {
  private let handler: () -> Void
  private unowned let loop: SocketLoop
  /// When it fires; `never` while it is not armed.
  public private(set) var deadline = MonotonicTime.never
  /// Its deadline has come and its turn to fire has not.
  fileprivate(set) var isDue = false
  /// Ties between deadlines go to the one armed first.
  fileprivate var order: UInt64 = 0

  init(loop: SocketLoop, handler: @escaping () -> Void) {
    self.loop = loop
    self.handler = handler
  }

  /// Arms the timer for `deadline`, instead of what it was armed for; `never` disarms it.
  public func set(_ deadline: MonotonicTime) {
    loop.checkIsolated()
    guard deadline != self.deadline else { return }
    loop.timers.remove(self)
    isDue = false
    self.deadline = deadline
    if deadline != .never { loop.timers.insert(self) }
  }

  /// Disarms the timer.
  public func cancel() { set(.never) }

  func fire() {
    isDue = false
    deadline = .never
    handler()
  }
}

/// The armed timers of a loop, in the order in which they fire, and the kernel timer that wakes it for the first.
struct TimerQueue: ~Copyable {
  let descriptor: Int32
  private var armed: [LoopTimer] = []
  private var armedInAll: UInt64 = 0
  /// What the kernel's timer is set to; it may be earlier than needed, which costs one idle turn instead of a system
  /// call whenever a deadline moves back.
  private var wakeUp = MonotonicTime.never

  init(descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  mutating func insert(_ timer: LoopTimer) {
    armedInAll += 1
    timer.order = armedInAll
    armed.insert(timer, at: place(of: timer))
  }

  mutating func remove(_ timer: LoopTimer) {
    let index = place(of: timer)
    if index < armed.count, armed[index] === timer { armed.remove(at: index) }
  }

  mutating func removeAll() { armed.removeAll() }

  /// Where `timer` stands, or would stand.
  private func place(of timer: LoopTimer) -> Int {
    var low = 0
    var high = armed.count
    while low < high {
      let middle = (low + high) / 2
      let other = armed[middle]
      if (other.deadline, other.order) < (timer.deadline, timer.order) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Takes out the timers whose deadline has come. One that a handler arms again, even for now, waits for the next
  /// turn.
  mutating func takeDue() -> ArraySlice<LoopTimer> {
    guard let first = armed.first else { return [] }
    let now = MonotonicTime.now()
    guard first.deadline <= now else { return [] }
    let due = armed.prefix { $0.deadline <= now }
    for timer in due { timer.isDue = true }
    armed.removeFirst(due.count)
    return due
  }

  /// Sets the kernel's timer for the first deadline.
  mutating func prepareToSleep() {
    guard let first = armed.first, first.deadline < wakeUp else { return }
    wakeUp = first.deadline
    // Zero would disarm it.
    let nanoseconds = max(1, wakeUp.nanoseconds)
    var setting = itimerspec()
    setting.it_value.tv_sec = Int(nanoseconds / 1_000_000_000)
    setting.it_value.tv_nsec = Int(nanoseconds % 1_000_000_000)
    timerfd_settime(descriptor, Int32(TFD_TIMER_ABSTIME), &setting, nil)
  }

  /// Takes note that the kernel's timer has fired.
  mutating func wake() {
    var expirations: UInt64 = 0
    _ = read(descriptor, &expirations, 8)
    wakeUp = .never
  }
}
