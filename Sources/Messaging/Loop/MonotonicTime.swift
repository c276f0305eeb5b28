import Glibc

/// An instant of the machine's monotonic clock, in nanoseconds. It never jumps, and means nothing on another machine.
public struct MonotonicTime: Hashable, Comparable, Sendable, BitwiseCopyable {
  public var nanoseconds: Int64
  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
  /// An instant that never comes.
  public static let never = MonotonicTime(nanoseconds: .max)

  public static func now() -> MonotonicTime {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return MonotonicTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }

  /// The instant `nanoseconds` later; `never` beyond the clock's end.
  public func advanced(by nanoseconds: Int64) -> MonotonicTime {
    let (sum, overflow) = self.nanoseconds.addingReportingOverflow(nanoseconds)
    return overflow ? .never : MonotonicTime(nanoseconds: sum)
  }

  public static func < (a: MonotonicTime, b: MonotonicTime) -> Bool { a.nanoseconds < b.nanoseconds }
}
