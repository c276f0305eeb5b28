import Bytes
import Glibc
import Messaging
import Synchronization
import Testing

/// Lines that tests compare, written from a loop.
private final class Log: Sendable {
  private let lines = Mutex<[String]>([])
  func add(_ line: String) { lines.withLock { $0.append(line) } }
  var all: [String] { lines.withLock { $0 } }
}

/// Owns a router on a loop and answers what it is asked.
private actor Echo {
  nonisolated let loop: SocketLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  private var socket: Socket?
  private var buffer = MessageBuffer()
  private(set) var count = 0
  /// Jobs and messages seen on the loop's thread, and elsewhere.
  private(set) var atHome = 0
  private(set) var astray = 0

  init(_ loop: SocketLoop) { self.loop = loop }

  func start(_ context: ZeroMQContext, _ endpoint: String) throws {
    let socket = try Socket(context, .router)
    try socket.bind(endpoint)
    self.socket = socket
    loop.watch(socket) { [unowned self] in self.assumeIsolated { $0.readable() } }
  }

  func note() {
    if loop.isIsolatingCurrentContext() == true { atHome += 1 } else { astray += 1 }
  }

  func stop() {
    if let socket { loop.unwatch(socket) }
    socket = nil
  }

  private func readable() {
    note()
    guard let socket else { return }
    for _ in 0..<64 {
      guard (try? socket.receive(into: &buffer)) == true else { return }
      count += 1
      _ = try? socket.send(to: buffer.frame(0), buffer.frame(1))
    }
  }
}

@Suite(.serialized) struct SocketLoopTests {
  private let directory = TemporaryDirectory()

  @Test func anActorsJobsAndItsSocketsRunOnTheOneThread() async throws {
    let loop = try SocketLoop(name: "echo")
    let context = try ZeroMQContext()
    let echo = Echo(loop)
    try await echo.start(context, "ipc://\(directory.path)/e")
    let dealer = try Socket(context, .dealer)
    try dealer.connect("ipc://\(directory.path)/e")
    for number in 0..<200 {
      #expect(try dealer.sendText("\(number)") == .sent)
      await echo.note()
    }
    for number in 0..<200 { #expect(try dealer.nextText() == "\(number)") }
    #expect(await echo.count == 200)
    #expect(await echo.astray == 0)
    #expect(await echo.atHome > 200)
    #expect(loop.isIsolatingCurrentContext() == false)
    await echo.stop()
    loop.stop()
  }

  @Test func timersFireInOrderOfDeadlineThenOfArming() throws {
    let loop = try SocketLoop(name: "timers")
    let log = Log()
    let start = MonotonicTime.now()
    loop.perform {
      for (name, milliseconds) in [("c", 30), ("a", 10), ("d", 30), ("b", 20)] as [(String, Int64)] {
        let deadline = start.advanced(by: milliseconds * 1_000_000)
        let timer = loop.timer {
          #expect(MonotonicTime.now() >= deadline)
          log.add(name)
        }
        timer.set(deadline)
      }
      loop.schedule(after: 15_000_000) { log.add("never") }.cancel()
      let moved = loop.schedule(after: 5_000_000) { log.add("moved") }
      moved.set(start.advanced(by: 40_000_000))
    }
    #expect(eventually { log.all.count >= 5 })
    #expect(log.all == ["a", "b", "c", "d", "moved"])
    loop.stop()
  }

  @Test func aTimerDisarmedByAnotherThatIsDueWithItDoesNotFire() throws {
    let loop = try SocketLoop(name: "timers")
    let log = Log()
    loop.perform {
      let victim = loop.timer { log.add("victim") }
      let killer = loop.timer {
        log.add("killer")
        victim.cancel()
      }
      killer.set(MonotonicTime(nanoseconds: 1))
      victim.set(MonotonicTime(nanoseconds: 2))
      loop.schedule(after: 10_000_000) { log.add("last") }
    }
    #expect(eventually { log.all.contains("last") })
    #expect(log.all == ["killer", "last"])
    loop.stop()
  }

  @Test func aTimerArmedForNowByItselfLetsOtherWorkIn() throws {
    let loop = try SocketLoop(name: "timers")
    let fired = Atomic<Int>(0)
    loop.perform {
      nonisolated(unsafe) var timer: LoopTimer?
      timer = loop.timer {
        fired.add(1, ordering: .relaxed)
        timer?.set(MonotonicTime(nanoseconds: 1))
      }
      timer?.set(MonotonicTime(nanoseconds: 1))
    }
    let ran = Atomic<Bool>(false)
    #expect(eventually { fired.load(ordering: .relaxed) > 3 })
    loop.perform { ran.store(true, ordering: .relaxed) }
    #expect(eventually { ran.load(ordering: .relaxed) })
    loop.stop()
  }

  @Test func aBurstOfReadableSocketsEndsOneTurn() throws {
    let loop = try SocketLoop(name: "burst")
    let context = try ZeroMQContext()
    let log = Log()
    let names = ["a", "b", "c"]
    let senders = try names.map { name in
      let sender = try Socket(context, .dealer)
      try sender.connect("ipc://\(directory.path)/\(name)")
      return sender
    }
    let path = directory.path
    let ready = Atomic<Bool>(false)
    let release = Atomic<Bool>(false)
    loop.perform {
      for name in names {
        let socket = try! Socket(context, .router)
        try! socket.bind("ipc://\(path)/\(name)")
        var buffer = MessageBuffer()
        loop.watch(socket) {
          log.add(name)
          for _ in 0..<10 { _ = try? socket.receive(into: &buffer) }
        }
      }
      loop.atEndOfTurn { log.add("end") }
    }
    loop.perform {
      ready.store(true, ordering: .releasing)
      while !release.load(ordering: .acquiring) { usleep(1000) }
    }
    #expect(eventually { ready.load(ordering: .acquiring) })
    for sender in senders { for _ in 0..<10 { #expect(try sender.sendText("x") == .sent) } }
    usleep(300_000)
    release.store(true, ordering: .releasing)
    #expect(eventually { log.all.count >= 5 })
    usleep(50_000)
    #expect(log.all.suffix(4) == ["a", "b", "c", "end"])
    #expect(log.all.filter { $0 != "end" } == names)
    loop.stop()
    // A socket that is let go drops what it has not sent yet.
    withExtendedLifetime(senders) {}
  }

  @Test func whatAHandlerLeavesComesInTheNextTurn() throws {
    let loop = try SocketLoop(name: "bounded")
    let context = try ZeroMQContext()
    let log = Log()
    let sender = try Socket(context, .dealer)
    let endpoint = "ipc://\(directory.path)/b"
    try sender.connect(endpoint)
    for number in 0..<5 { #expect(try sender.sendText("\(number)") == .sent) }
    loop.perform {
      let socket = try! Socket(context, .dealer)
      try! socket.bind(endpoint)
      var buffer = MessageBuffer()
      loop.watch(socket) {
        guard try! socket.receive(into: &buffer) else { return }
        log.add(String(decoding: buffer.frame(0), as: UTF8.self))
        if log.all.last == "3" { loop.unwatch(socket) }
      }
    }
    #expect(eventually { log.all.count >= 4 })
    usleep(50_000)
    #expect(log.all == ["0", "1", "2", "3"])
    loop.stop()
    withExtendedLifetime(sender) {}
  }

  @Test func anIdleLoopUsesNoProcessorTime() throws {
    let loop = try SocketLoop(name: "idle")
    let context = try ZeroMQContext()
    let path = directory.path
    let turns = Atomic<Int>(0)
    loop.perform {
      let socket = try! Socket(context, .router)
      try! socket.bind("ipc://\(path)/i")
      loop.watch(socket) {}
      loop.atEndOfTurn { turns.add(1, ordering: .relaxed) }
      loop.schedule(after: 3_600_000_000_000) {}
    }
    usleep(50_000)
    let before = try #require(loop.processorTime)
    usleep(300_000)
    #expect(try #require(loop.processorTime) - before < 20_000_000)
    #expect(turns.load(ordering: .relaxed) == 1)
    loop.stop()
    #expect(loop.processorTime == nil)
  }

  @Test func stoppingRunsWhatWasSubmittedAndJoinsTheThread() throws {
    for _ in 0..<50 {
      let loop = try SocketLoop(name: "stop")
      let log = Log()
      loop.perform {
        loop.atEndOfTurn { log.add("end") }
        loop.perform { log.add("nested") }
      }
      loop.perform { log.add("work") }
      loop.stop()
      #expect(log.all.contains("work"))
      #expect(log.all.contains("nested"))
      #expect(log.all.last == "end")
      let count = log.all.count
      loop.perform { log.add("late") }
      loop.stop()
      #expect(log.all.count == count)
    }
  }

  @Test func everyJobOfManyTasksRuns() async throws {
    let loop = try SocketLoop(name: "jobs")
    let echo = Echo(loop)
    await withTaskGroup { group in
      for _ in 0..<16 {
        group.addTask {
          for _ in 0..<500 {
            await echo.note()
            await Task.yield()
          }
        }
      }
    }
    #expect(await echo.atHome == 16 * 500)
    #expect(await echo.astray == 0)
    loop.stop()
  }
}
