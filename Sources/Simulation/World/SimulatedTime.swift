import Cluster
import Machine
import Market
import Operations

/// The one clock of a simulation, and the clocks that its hosts believe in.
final class SimulatedTime {
  /// Nanoseconds since the simulation began.
  private(set) var now: Int64 = 0
  /// Events so far.
  private(set) var steps = 0
  /// Folds in what happened when: two runs of one seed come to the same.
  private(set) var trace = StateHasher()
  private var queue = EventQueue()
  private let origin: Timestamp

  /// - Parameter origin: the true wall clock when the simulation begins.
  init(origin: Timestamp) { self.origin = origin }

  /// The true wall clock.
  var wall: Timestamp { Timestamp(nanoseconds: origin.nanoseconds + now) }

  func schedule(after delay: Int64, _ action: @escaping EventQueue.Action) {
    queue.schedule(at: now + max(0, delay), action)
  }

  /// Lets the next thing happen; false when nothing is left to happen.
  func step() -> Bool {
    guard let event = queue.popFirst() else { return false }
    now = event.time
    steps += 1
    trace.combine(UInt64(bitPattern: now))
    trace.combine(event.number)
    event.action()
    return true
  }

  /// Notes something in the trace.
  func note(_ value: UInt64) { trace.combine(value) }

  /// Nothing that was asked for will happen.
  func end() { queue.removeAll() }
}

/// The clock of one host: monotonic time that runs a little fast or slow, and a wall clock that may be off and jump.
struct HostClock {
  /// Parts per million by which the host's seconds are shorter.
  var drift: Int64 = 0
  /// Nanoseconds by which its wall clock is ahead.
  var offset: Int64 = 0
  /// Its monotonic clock began at another time than others'.
  var boot: Int64

  func monotonic(at now: Int64) -> Int64 { boot + now + now / 1_000_000 * drift }
  func wall(_ time: SimulatedTime) -> Timestamp {
    Timestamp(nanoseconds: time.wall.nanoseconds + offset + time.now / 1_000_000 * drift)
  }
}

/// The clocks of a host, as its process reads them.
final class HostTime: TimeSource {
  private let host: Int
  private unowned let cluster: SimulatedCluster

  init(_ host: Int, of cluster: SimulatedCluster) {
    self.host = host
    self.cluster = cluster
  }

  func monotonic() -> Int64 { cluster.hosts[host].clock.monotonic(at: cluster.time.now) }
  func wall() -> Timestamp { cluster.hosts[host].clock.wall(cluster.time) }
}
