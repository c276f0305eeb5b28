import Glibc

/// Time since it was made, in seconds.
struct MonotonicSpan {
  private let started = MonotonicSpan.read(CLOCK_MONOTONIC)
  private let startedProcessor = MonotonicSpan.read(CLOCK_PROCESS_CPUTIME_ID)

  /// By the clock.
  var wall: Double { Self.read(CLOCK_MONOTONIC) - started }
  /// Processor time of the whole process.
  var processor: Double { Self.read(CLOCK_PROCESS_CPUTIME_ID) - startedProcessor }

  private static func read(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
