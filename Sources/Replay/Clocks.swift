import Glibc

/// Nanoseconds of a clock that only goes forward.
func monotonicTime() -> UInt64 { read(CLOCK_MONOTONIC) }

/// Processor time of this thread in nanoseconds: a busy machine does not show in it.
public func processorTime() -> UInt64 { read(CLOCK_THREAD_CPUTIME_ID) }

@inline(__always) private func read(_ clock: clockid_t) -> UInt64 {
  var time = timespec()
  clock_gettime(clock, &time)
  return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
}
