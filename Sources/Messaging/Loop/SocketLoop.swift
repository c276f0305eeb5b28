import CZeroMQ
import Glibc
import Synchronization

/// A serial executor whose one thread alternates between ZeroMQ sockets, actors' jobs and timers.
///
/// An actor that adopts it owns its sockets outright: a readable socket, a job and a timer all run on this thread, so
/// nothing hops and nothing locks. A turn is:
///
/// ```
/// poll ─► handler of each readable socket ─► jobs ─► timers that are due ─► end of turn ─┐
///   ▲                    (blocks here when there is nothing to do)                        │
///   └───────────────────────────────────────────────────────────────────────────────────┘
/// ```
///
/// The end-of-turn handlers run once a turn in which anything ran: the place for a group commit. A handler takes a
/// bounded number of messages; what it leaves makes the next turn.
public final class SocketLoop: SerialExecutor, @unchecked Sendable {
  private enum Work {
    case job(UnownedJob)
    case block(@Sendable () -> Void)
  }
  private struct Inbox {
    var work: ContiguousArray<Work> = []
    var isAsleep = false
    var isStopping = false
    var hasEnded = false
  }
  private struct Watch {
    let socket: Socket
    let readable: () -> Void
    var isActive = true
    var isPaused = false
  }

  /// The thread's name, at most 15 bytes of it.
  public let name: String
  private let inbox = Mutex(Inbox())
  private let wakeUp: Int32
  /// The loop thread's own `pthread_self`, for comparison only; zero until it runs.
  private let identity = Atomic<UInt>(0)
  private let thread = Mutex<pthread_t?>(nil)

  // The rest belongs to the loop's thread.
  private var items: [zmq_pollitem_t] = []
  private var watches: [Watch] = []
  private var watchesChanged = true
  private var endOfTurn: [() -> Void] = []
  private var working: ContiguousArray<Work> = []
  var timers: TimerQueue

  /// Items before the sockets': the wake-up event and the timer.
  private static let ownItems = 2

  /// Starts the loop's thread under `name`.
  public init(name: String) throws(MessagingError) {
    self.name = String(decoding: name.utf8.prefix(15), as: UTF8.self)
    wakeUp = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
    let timer = timerfd_create(CLOCK_MONOTONIC, Int32(TFD_NONBLOCK | TFD_CLOEXEC))
    timers = TimerQueue(descriptor: timer)
    guard wakeUp >= 0, timer >= 0 else {
      throw .failed(operation: "eventfd, timerfd", subject: name, code: errno)
    }
    var started = pthread_t()
    let retained = Unmanaged.passRetained(self)
    let code = pthread_create(
      &started, nil,
      { argument in
        let loop = Unmanaged<SocketLoop>.fromOpaque(argument!).takeRetainedValue()
        loop.identity.store(UInt(pthread_self()), ordering: .releasing)
        pthread_setname_np(pthread_self(), loop.name)
        loop.run()
        return nil
      }, retained.toOpaque())
    guard code == 0 else {
      retained.release()
      throw .failed(operation: "pthread_create", subject: name, code: code)
    }
    thread.withLock { $0 = started }
  }

  deinit { close(wakeUp) }

  // MARK: Work from any thread

  public func enqueue(_ job: consuming ExecutorJob) { submit(.job(UnownedJob(job))) }

  /// Runs `body` on the loop: for what is set up outside actors.
  public func perform(_ body: @escaping @Sendable () -> Void) { submit(.block(body)) }

  private func submit(_ work: Work) {
    let mustWake = inbox.withLock { inbox in
      guard !inbox.hasEnded else { return false }
      inbox.work.append(work)
      defer { inbox.isAsleep = false }
      return inbox.isAsleep
    }
    if mustWake { wake() }
  }

  private func wake() {
    var one: UInt64 = 1
    _ = write(wakeUp, &one, 8)
  }

  public func checkIsolated() { precondition(isOnLoop, "not on the loop \(name)") }
  public func isIsolatingCurrentContext() -> Bool? { isOnLoop }
  private var isOnLoop: Bool { identity.load(ordering: .acquiring) == UInt(pthread_self()) }

  /// Ends the loop: work submitted before this runs, the end-of-turn handlers run a last time, the thread is joined.
  /// What is submitted afterwards never runs. Not to be called on the loop itself.
  public func stop() {
    precondition(!isOnLoop, "a loop is stopped from outside; inside, use endSoon")
    endSoon()
    thread.withLock { thread in
      guard let running = thread else { return }
      pthread_join(running, nil)
      thread = nil
    }
  }

  /// Asks the loop to end after this turn, from anywhere, without waiting for it.
  public func endSoon() {
    inbox.withLock { $0.isStopping = true }
    wake()
  }

  /// Processor time that the loop's thread has used, in nanoseconds; `nil` once it was stopped.
  public var processorTime: Int64? {
    thread.withLock { thread in
      var clock = clockid_t()
      var time = timespec()
      guard let thread, pthread_getcpuclockid(thread, &clock) == 0, clock_gettime(clock, &time) == 0 else { return nil }
      return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
  }

  // MARK: On the loop only

  /// Calls `readable` once a turn while `socket` has a message. The loop keeps the socket until `unwatch`.
  public func watch(_ socket: Socket, _ readable: @escaping () -> Void) {
    checkIsolated()
    watches.append(Watch(socket: socket, readable: readable))
    watchesChanged = true
  }

  /// Lets go of `socket`: its handler is not called again.
  public func unwatch(_ socket: Socket) {
    checkIsolated()
    for index in watches.indices where watches[index].socket === socket { watches[index].isActive = false }
    watchesChanged = true
  }

  /// Leaves the messages of a watched `socket` where they are, or goes on with them.
  public func pause(_ socket: Socket, _ isPaused: Bool) {
    checkIsolated()
    for index in watches.indices where watches[index].socket === socket { watches[index].isPaused = isPaused }
    watchesChanged = true
  }

  /// Calls `handler` at the end of every turn in which anything ran, after the handlers added before it.
  public func atEndOfTurn(_ handler: @escaping () -> Void) {
    checkIsolated()
    endOfTurn.append(handler)
  }

  /// A timer that calls `handler` on the loop; not armed yet.
  public func timer(_ handler: @escaping () -> Void) -> LoopTimer {
    checkIsolated()
    return LoopTimer(loop: self, handler: handler)
  }

  /// Calls `handler` once, when `nanoseconds` have passed. Returns the timer, to cancel it.
  @discardableResult
  public func schedule(after nanoseconds: Int64, _ handler: @escaping () -> Void) -> LoopTimer {
    let timer = timer(handler)
    timer.set(MonotonicTime.now().advanced(by: nanoseconds))
    return timer
  }

  // MARK: Turns

  private func run() {
    while true {
      let (hasWork, isStopping) = inbox.withLock { inbox in
        inbox.isAsleep = inbox.work.isEmpty && !inbox.isStopping
        return (!inbox.work.isEmpty, inbox.isStopping)
      }
      if isStopping { break }
      turn(mayBlock: !hasWork)
    }
    repeat { _ = drain() } while !endIfEmpty()
    for handler in endOfTurn { handler() }
    watches.removeAll()
    items.removeAll()
    timers.removeAll()
    endOfTurn.removeAll()
  }

  private func endIfEmpty() -> Bool {
    inbox.withLock { inbox in
      inbox.hasEnded = inbox.work.isEmpty
      return inbox.hasEnded
    }
  }

  private func turn(mayBlock: Bool) {
    if watchesChanged { rebuildItems() }
    if mayBlock { timers.prepareToSleep() }
    var anythingRan = poll(mayBlock: mayBlock)
    if drain() { anythingRan = true }
    // One that an earlier handler disarmed, or armed anew, is not due any more.
    for timer in timers.takeDue() where timer.isDue {
      timer.fire()
      anythingRan = true
    }
    guard anythingRan else { return }
    for handler in endOfTurn { handler() }
  }

  /// Waits for the first of sockets, work and timers, and calls the readable sockets' handlers.
  private func poll(mayBlock: Bool) -> Bool {
    let ready = items.withUnsafeMutableBufferPointer { zmq_poll($0.baseAddress, Int32($0.count), mayBlock ? -1 : 0) }
    if ready < 0 {
      precondition(zmq_errno() == EINTR, "zmq_poll: \(String(cString: zmq_strerror(zmq_errno())))")
      return false
    }
    guard ready > 0 else { return false }
    if items[0].revents != 0 {
      var count: UInt64 = 0
      _ = read(wakeUp, &count, 8)
    }
    if items[1].revents != 0 { timers.wake() }
    var anythingRan = false
    // By index: handlers may add and remove watches, which takes effect in `items` with the next turn.
    for index in Self.ownItems..<items.count where items[index].revents != 0 {
      let watch = watches[index - Self.ownItems]
      guard watch.isActive, !watch.isPaused else { continue }
      watch.readable()
      anythingRan = true
    }
    return anythingRan
  }

  private func rebuildItems() {
    watches.removeAll { !$0.isActive }
    items = [
      zmq_pollitem_t(socket: nil, fd: wakeUp, events: Int16(ZMQ_POLLIN), revents: 0),
      zmq_pollitem_t(socket: nil, fd: timers.descriptor, events: Int16(ZMQ_POLLIN), revents: 0),
    ]
    for watch in watches {
      let events = watch.isPaused ? 0 : Int16(ZMQ_POLLIN)
      items.append(zmq_pollitem_t(socket: watch.socket.handle, fd: 0, events: events, revents: 0))
    }
    watchesChanged = false
  }

  /// Runs what was submitted so far; what that submits waits for the next turn.
  private func drain() -> Bool {
    inbox.withLock { swap(&$0.work, &working) }
    guard !working.isEmpty else { return false }
    let executor = asUnownedSerialExecutor()
    for work in working {
      switch work {
      case .job(let job): job.runSynchronously(on: executor)
      case .block(let block): block()
      }
    }
    working.removeAll(keepingCapacity: true)
    return true
  }
}
