import Glibc

extension Journal {
  /// How much room there is. Measured at most every 100 ms, and after each commit that made the file grow; between two
  /// measurements it costs next to nothing.
  public var room: JournalRoom {
    let now = Self.monotonic()
    if now >= nextRoomMeasurement { measureRoom(at: now) }
    return gauge.room
  }

  /// Nanoseconds between two measurements of a file that does not grow.
  private static let roomInterval: Int64 = 100_000_000

  private func measureRoom(at now: Int64) {
    nextRoomMeasurement = now + Self.roomInterval
    if bytesUsed > bytesUsedAtReaderCheck { checkReaders() }
    let diskFree = freeDiskBytes()
    // Near its end only: what other programs, or this machine, filled would otherwise keep it from its own needs.
    if diskFree < configuration.ballastBytes {
      ballast.release()
    } else if !ballast.isHeld, diskFree / 5 * 4 >= configuration.headroomBytes + configuration.ballastBytes {
      ballast.hold()
    }
    gauge.measured(mapFree: freeMapBytes(), diskFree: freeDiskBytes())
  }

  /// Bytes that this process can still get of the journal's file system.
  private func freeDiskBytes() -> Int {
    var status = statvfs()
    guard statvfs(store.path, &status) == 0 else { return 0 }
    return Int(clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).partialValue)
  }

  /// Bytes that can still be written within the map and within this process's limit on the size of a file.
  func freeMapBytes() -> Int {
    var limit = rlimit()
    var end = mapSize
    if getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 {
      end = min(end, Int(clamping: limit.rlim_cur))
    }
    let untouched = max(0, end - bytesUsed)
    // Counting freed pages takes a walk; where there is plenty, they make no difference.
    if untouched >= configuration.headroomBytes * 2, untouched >= mapSize / 2 { return untouched }
    return untouched + ((try? store.environment.reusableBytes()) ?? 0)
  }

  /// Frees the slots of readers that died. One would keep every page freed since, and the file would grow for it.
  private func checkReaders() {
    _ = try? store.environment.checkReaders()
    bytesUsedAtReaderCheck = bytesUsed
  }

  private static func monotonic() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
