import Foundation
import Glibc
import Journal
import Machine
import Market
import Testing

@testable import struct Journal.RoomGauge

@Suite struct RoomTests {
  @Test func fullIsSaidBelowTheHeadroomAndAmpleOnlyAQuarterAboveIt() {
    var gauge = RoomGauge(JournalConfiguration(mapSize: 1000 << 20, headroomBytes: 100 << 20), mapSize: 1000 << 20)
    let steps: [(diskFree: Int, accepting: Bool, low: Bool)] = [
      (1000, true, false), (201, true, false), (199, true, true), (100, true, true), (99, false, false),
      (100, false, false), (124, false, false), (125, true, true), (100, true, true), (0, false, false),
      (1000, true, false),
    ]
    for (free, accepting, low) in steps {
      gauge.measured(mapFree: 1000 << 20, diskFree: free << 20)
      #expect(gauge.room.isAccepting == accepting, "\(free) MiB free")
      #expect((gauge.room == .low) == low, "\(free) MiB free")
    }
  }

  @Test func aFullMapIsSaidAsAFullDiskIs() {
    var gauge = RoomGauge(JournalConfiguration(mapSize: 1000 << 20, headroomBytes: 100 << 20), mapSize: 1000 << 20)
    gauge.measured(mapFree: 301 << 20, diskFree: .max)
    #expect(gauge.room == .ample)
    gauge.measured(mapFree: 299 << 20, diskFree: .max)
    #expect(gauge.room == .low)
    gauge.measured(mapFree: 99 << 20, diskFree: .max)
    #expect(
      gauge.room
        == .full(
          reason: "journal map full: 101376 KiB free, and 102400 KiB must stay for the machine's own needs"))
    // A map too small for the headroom keeps an eighth of itself.
    gauge = RoomGauge(JournalConfiguration(mapSize: 80 << 20, headroomBytes: 100 << 20), mapSize: 80 << 20)
    gauge.measured(mapFree: 10 << 20, diskFree: .max)
    #expect(gauge.room == .low)
    gauge.measured(mapFree: 9 << 20, diskFree: .max)
    #expect(!gauge.room.isAccepting)
  }

  @Test func pagesThatWereFreedCountAsRoom() throws {
    let directory = TemporaryDirectory()
    let configuration = JournalConfiguration(mapSize: 4 << 20, headroomBytes: 2 << 20)
    let journal = try Journal(directory: directory.path, machine: .risk, configuration: configuration)
    let messages = [UInt8](repeating: 7, count: 100_000)
    var number: UInt64 = 1
    while journal.room.isAccepting {
      try journal.begin()
      try messages.withUnsafeBytes {
        try journal.enqueue(destination: .marks, firstNumber: number, count: 1, epoch: Epoch(1), messages: $0)
      }
      try journal.commit()
      number += 1
    }
    let used = journal.bytesUsed
    try journal.begin()
    try journal.trimOutbox(destination: .marks, through: number)
    try journal.commit()
    // What this commit freed is free for the one after the next.
    try journal.appendBatch(1)
    try journal.appendBatch(1)
    usleep(110_000)
    #expect(journal.room.isAccepting)
    #expect(journal.bytesUsed < used + 100_000)
  }

  @Test func theProcesssLimitOnTheSizeOfAFileIsALimitOfTheJournal() async throws {
    let directory = TemporaryDirectory()
    let path = directory.path
    await #expect(processExitsWith: .success) { [path = path as String] in
      signal(SIGXFSZ, SIG_IGN)
      let configuration = JournalConfiguration(headroomBytes: 8 << 20)
      let journal = try Journal(directory: path, machine: .risk, configuration: configuration)
      try journal.appendBatch(5)
      guard journal.room == .ample else { exit(2) }
      var limit = rlimit(rlim_cur: rlim_t(journal.bytesUsed + 4 << 20), rlim_max: rlim_t.max)
      setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      usleep(110_000)
      guard !journal.room.isAccepting else { exit(3) }
      limit.rlim_cur = rlim_t.max
      setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      usleep(110_000)
      exit(journal.room == .ample ? 0 : 4)
    }
  }

  @Test(.enabled(if: SmallDisk.isPossible, "needs root, to mount a small file system"))
  func aFullDiskIsSaidBeforeItIsFullAndTheBallastServesTheMachineItself() throws {
    let disk = try SmallDisk(megabytes: 96)
    let configuration = JournalConfiguration(headroomBytes: 24 << 20)
    let journal = try Journal(directory: "\(disk.path)/journal", machine: .risk, configuration: configuration)
    func room() -> JournalRoom {
      usleep(110_000)
      return journal.room
    }
    let ballast = "\(disk.path)/journal/ballast"
    #expect(room() == .ample)
    #expect(access(ballast, F_OK) == 0)
    // Another program fills the disk, but for 12 MiB.
    try disk.fill(leaving: 12 << 20)
    guard case .full(let reason) = room() else {
      Issue.record("a full disk went unnoticed")
      return
    }
    #expect(reason.hasPrefix("disk full: "))
    #expect(access(ballast, F_OK) == 0)
    // Then it takes the rest: the machine lives on the ballast.
    try disk.fill(leaving: 0)
    #expect(!room().isAccepting)
    #expect(access(ballast, F_OK) != 0)
    for _ in 0..<50 { try journal.appendBatch(10, size: 1000) }
    #expect(!room().isAccepting)
    try disk.empty()
    #expect(room() == .ample)
    #expect(access(ballast, F_OK) == 0)
    #expect(journal.lastSequence == SequenceNumber(500))
  }

  @Test(.enabled(if: SmallDisk.isPossible, "needs root, to mount a small file system"))
  func aCommitThatFindsTheDiskFullEndsTheTermAndTheReopenedJournalGoesOnFromTheBallast() throws {
    let disk = try SmallDisk(megabytes: 96)
    let configuration = JournalConfiguration(headroomBytes: 24 << 20)
    let path = "\(disk.path)/journal"
    var journal: Journal? = try Journal(directory: path, machine: .risk, configuration: configuration)
    try journal!.appendBatch(5)
    let before = journal!.position
    try journal!.begin()
    try journal!.appendEntries(900, size: 10_000)
    try disk.fill(leaving: 0)
    let failure = #expect(throws: JournalError.self) { try journal!.commit() }
    guard case .failed("mdb_txn_commit", path, ENOSPC) = failure else {
      Issue.record("\(String(describing: failure)) is not ENOSPC")
      return
    }
    #expect(throws: JournalError.self) { try journal!.begin() }
    journal = nil
    journal = try Journal(directory: path, machine: .risk, configuration: configuration)
    #expect(journal!.position == before)
    #expect(!journal!.room.isAccepting)
    try journal!.appendBatch(5)
    try disk.empty()
  }
}

/// A file system of its own, on a file of the test's.
final class SmallDisk {
  let path: String
  private let image: String

  static let isPossible = getuid() == 0 && (try? SmallDisk(megabytes: 8)) != nil

  init(megabytes: Int) throws {
    let stem = "/tmp/journal-disk-\(UInt32.random(in: 0 ... .max))"
    path = stem
    image = "\(stem).image"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    close(open(image, O_WRONLY | O_CREAT, 0o600))
    truncate(image, off_t(megabytes << 20))
    try Self.run("/sbin/mkfs.ext4", ["-q", "-m", "0", "-O", "^has_journal", image])
    try Self.run("/bin/mount", ["-o", "loop", image, path])
  }

  deinit {
    try? Self.run("/bin/umount", ["-l", path])
    unlink(image)
    rmdir(path)
  }

  /// Fills the disk with another program's bytes.
  func fill(leaving: Int) throws {
    let descriptor = open("\(path)/filler", O_WRONLY | O_CREAT | O_APPEND, 0o600)
    defer { close(descriptor) }
    let piece = [UInt8](repeating: 1, count: 64 << 10)
    while free() > leaving {
      let count = min(piece.count, free() - leaving)
      guard write(descriptor, piece, count) > 0 else { break }
    }
  }

  func empty() throws { unlink("\(path)/filler") }

  private func free() -> Int {
    var status = statvfs()
    statvfs(path, &status)
    return Int(status.f_bavail) * Int(status.f_frsize)
  }

  private static func run(_ program: String, _ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw CocoaError(.fileWriteUnknown) }
  }
}
