import Foundation
import Journal
import Messaging

/// What no exchange of this shape can go below: the raw parts that an order's way is made of, measured alone.
struct Floor {
  /// Medians in microseconds.
  var roundTrip: Double
  var commit: Double

  /// Two round trips (client and gateway, gateway and matcher) and one durable commit.
  var sum: Double { 2 * roundTrip + commit }

  /// About a signed action with one operation, and the answer to it.
  static let messageBytes = 256
  static let roundTrips = 4_000
  static let commits = 1_000

  /// How the parts are repeated.
  enum Pace {
    /// One right after the other, so that nobody has gone to sleep: the lowest figure.
    case backToBack
    /// So many a second, as the orders that they are held against: every part begins with sleeping threads.
    case perSecond(Int)

    /// Of `most` repetitions, those for which there is time.
    func count(_ most: Int) -> Int {
      switch self {
      case .backToBack: most
      case .perSecond(let rate): min(most, max(50, rate * 2))
      }
    }

    func pause() {
      if case .perSecond(let rate) = self { usleep(UInt32(1_000_000 / max(1, rate))) }
    }
  }

  /// - Parameter directory: on the disk that the cluster's journals lie on.
  static func measure(in directory: String, _ pace: Pace) throws -> Floor {
    try Floor(roundTrip: measureRoundTrip(pace), commit: measureCommit(in: directory, pace))
  }

  /// DEALER here, ROUTER in another process, one message on its way, over a Unix socket without CURVE.
  private static func measureRoundTrip(_ pace: Pace) throws -> Double {
    let path = "/tmp/novation-floor-\(getpid())"
    defer { unlink(path) }
    guard let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else { return 0 }
    let echo = try Program(own, ["echo", "ipc://\(path)"])
    defer { echo.stop() }
    let context = try ZeroMQContext()
    let socket = try Socket(context, .dealer)
    try socket.connect("ipc://\(path)")
    var received = MessageBuffer()
    let message = [UInt8](repeating: 7, count: messageBytes)
    var times: [Double] = []
    let count = pace.count(roundTrips)
    for turn in 0..<(count + count / 4) {
      pace.pause()
      let start = MonotonicTime.now().nanoseconds
      _ = try message.withUnsafeBytes { try socket.send($0) }
      repeat {
        socket.waitUntilReadable(microseconds: 1_000_000)
        guard MonotonicTime.now().nanoseconds - start < 10_000_000_000 else {
          throw ProgramError(name: "the floor's echo", status: 1)
        }
      } while try !socket.receive(into: &received)
      if turn >= count / 4 { times.append(Double(MonotonicTime.now().nanoseconds - start) / 1_000) }
    }
    return times.median
  }

  /// The other process: gives every message back until it is stopped.
  static func echo(endpoint: String) throws {
    let context = try ZeroMQContext()
    let socket = try Socket(context, .router)
    try socket.bind(endpoint)
    var received = MessageBuffer()
    while getppid() != 1 {
      socket.waitUntilReadable(microseconds: 1_000_000)
      while try socket.receive(into: &received) {
        guard received.count == 2 else { continue }
        _ = try socket.send(to: received.frame(0), received.frame(1))
      }
    }
  }

  /// One record a transaction, LMDB's default flags: durable when it returns.
  private static func measureCommit(in directory: String, _ pace: Pace) throws -> Double {
    let path = "\(directory)/floor-\(getpid())"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let environment = try LMDBEnvironment(directory: path, configuration: LMDBConfiguration(mapSize: 1 << 30))
    let database = try environment.database(named: "records", keys: UInt64.self)
    let record = [UInt8](repeating: 7, count: messageBytes)
    var times: [Double] = []
    for key in 0..<UInt64(pace.count(commits)) {
      pace.pause()
      let start = MonotonicTime.now().nanoseconds
      var transaction = try environment.beginWriting()
      _ = try record.withUnsafeBytes { try transaction.put($0, at: key, in: database, .append) }
      try transaction.commit()
      times.append(Double(MonotonicTime.now().nanoseconds - start) / 1_000)
    }
    return times.median
  }
}
