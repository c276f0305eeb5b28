import Glibc
import Market

/// The time that a host stamps onto inputs: the wall clock read once at start, carried on by the monotonic clock, so
/// that a step of the wall clock never reaches a machine, and set forward where its peers agree that it is behind.
/// Stamps never fall.
public struct MachineClock {
  private let source: any TimeSource
  private var offset: Int64
  private var last: Timestamp

  /// A clock whose stamps are at or after `last`.
  public init(notBefore last: Timestamp, source: any TimeSource = SystemTime()) {
    self.source = source
    offset = source.wall().nanoseconds - source.monotonic()
    self.last = last
  }

  /// The next stamp: max(last, now).
  public mutating func stamp() -> Timestamp {
    let now = reading
    if now > last { last = now }
    return last
  }

  /// Where the clock stands, whatever was stamped before.
  var reading: Timestamp { Timestamp(nanoseconds: source.monotonic() + offset) }

  /// Sets it forward.
  mutating func advance(by nanoseconds: Int64) { offset += nanoseconds }

  /// Takes note of another's stamp, behind which its own never fall.
  mutating func follow(_ stamp: Timestamp) { last = max(last, stamp) }

  /// Nanoseconds since boot, for intervals and timers.
  public static func monotonic() -> Int64 { read(CLOCK_MONOTONIC) }
  /// The wall clock.
  public static func wall() -> Timestamp { Timestamp(nanoseconds: read(CLOCK_REALTIME)) }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
