import Bytes
import Cluster
import Foundation
import Journal
import Machine
import Market

/// Builds the disk as it may look after a power cut, at many points of its log, and opens the journal on each as a
/// process does that starts again.
struct CrashSeries {
  struct Outcome {
    var cuts = 0
    var writes = 0
    var flushes = 0
    /// Of what had not been flushed, in all cuts together.
    var sectorsKept = 0
    var sectorsDropped = 0
    /// Highest entry that a client had been told of at a cut.
    var mostAcknowledged: UInt64 = 0
    /// What was lost or could not be read, in words.
    var losses: [String] = []
  }

  /// What becomes of writes that were not flushed.
  private struct Fate {
    /// In percent.
    var kept: Int
    /// Each sector by itself, instead of each write as a whole.
    var isTorn: Bool
  }

  private static let sector = 512
  private static let fates = [
    Fate(kept: 0, isTorn: false), Fate(kept: 50, isTorn: false), Fate(kept: 50, isTorn: true),
    Fate(kept: 100, isTorn: false), Fate(kept: 90, isTorn: true),
  ]

  private let stage: DrillStage
  private let machine: MachineID
  private let shard: Int
  private let log: [LoggingDisk.Record]
  private let image: String
  private let mountPoint: String
  private let links: [UInt64: Digest]
  private var random: SeededGenerator
  private var durable = SparseBytes()
  private let size: Int
  /// Records that `durable` holds.
  private var applied = 0
  private var outcome = Outcome()

  /// - Parameter key: keeps the choices of two series apart.
  init(
    _ stage: DrillStage, _ machine: MachineID, _ disk: LoggingDisk, _ log: [LoggingDisk.Record], key: UInt64
  ) throws {
    self.stage = stage
    self.machine = machine
    self.log = log
    shard = Int(machine.index)
    image = "\(stage.directory.path).image"
    mountPoint = "\(stage.directory.path).crash"
    random = SeededGenerator(seed: stage.options.seed &* 2 &+ key)
    size = disk.bytes
    // The living journal, in which every one that a cut leaves must be a beginning.
    var links: [UInt64: Digest] = [:]
    try JournalReader(directory: stage.cluster.map.journalDirectory(of: machine), machine: machine)
      .forEachBatch(from: SequenceNumber(1)) { last, link in
        links[last.rawValue] = link
        return true
      }
    self.links = links
  }

  /// Cuts at random points of the log after the first acknowledgement.
  func run(cuts: Int) throws -> Outcome {
    var series = self
    try FileManager.default.createDirectory(atPath: mountPoint, withIntermediateDirectories: true)
    defer {
      unlink(image)
      rmdir(mountPoint)
    }
    for record in log {
      if case .flush = record.event { series.outcome.flushes += 1 } else { series.outcome.writes += 1 }
    }
    guard let first = log.firstIndex(where: { series.acknowledged(at: $0.time) > 0 }), first < log.count else {
      throw SupervisionError(what: "\(machine)", reason: "its disk saw nothing after the first acknowledgement")
    }
    let points = (0..<cuts).map { _ in first + series.random.below(log.count - first) }.sorted()
    for (number, point) in points.enumerated() { try series.cut(at: point, Self.fates[number % Self.fates.count]) }
    return series.outcome
  }

  /// The highest entry that a client had been told of by then.
  private func acknowledged(at time: Int64) -> UInt64 {
    var low = 0
    var high = stage.timeline.slices.count
    while low < high {
      let middle = (low + high) / 2
      // Milliseconds are rounded down; a slice may be over a little later than it says.
      if (stage.timeline.slices[middle].at_ms + 1) * 1_000_000 <= time { low = middle + 1 } else { high = middle }
    }
    return low > 0 ? stage.timeline.slices[low - 1].acknowledged_through[shard] : 0
  }

  /// The power goes before record `point` reaches the disk.
  private mutating func cut(at point: Int, _ fate: Fate) throws {
    let lastFlush = log[..<point].lastIndex { if case .flush = $0.event { true } else { false } } ?? 0
    while applied < lastFlush {
      if case .write(let offset, let bytes) = log[applied].event {
        durable.write(bytes[...], at: offset)
      }
      applied += 1
    }
    var disk = durable
    for record in log[lastFlush..<point] { apply(record, fate, to: &disk) }
    try disk.save(to: image, size: size)
    let wanted = acknowledged(at: log[point].time)
    outcome.cuts += 1
    outcome.mostAcknowledged = max(outcome.mostAcknowledged, wanted)
    let place = "a cut before write \(point) of \(log.count), \(fate.kept) % kept\(fate.isTorn ? ", torn" : "")"
    do {
      try Shell.run("mount", "-o", "loop", image, mountPoint)
    } catch {
      outcome.losses.append("\(place): the file system is lost: \(error)")
      return
    }
    defer { _ = try? Shell.run("umount", mountPoint) }
    do {
      let (sequence, link) = try reopen()
      if sequence < wanted {
        outcome.losses.append("\(place): the journal ends at \(sequence), and \(wanted) was acknowledged")
      } else if sequence > 0, links[sequence] != link {
        outcome.losses.append("\(place): the journal ends at \(sequence) with another chain")
      }
    } catch {
      outcome.losses.append("\(place): \(error)")
    }
    try stage.pause(0)
  }

  /// As a process that starts again does.
  private func reopen() throws -> (sequence: UInt64, link: Digest) {
    let journal = try Journal(
      directory: mountPoint, machine: machine, configuration: JournalConfiguration(mapSize: 1 << 30))
    return (journal.lastSequence.rawValue, journal.chainHead)
  }

  private mutating func apply(_ record: LoggingDisk.Record, _ fate: Fate, to disk: inout SparseBytes) {
    guard case .write(let offset, let bytes) = record.event else { return }
    let size = fate.isTorn ? Self.sector : bytes.count
    var start = 0
    while start < bytes.count {
      let end = min(bytes.count, start + size)
      let isKept = fate.kept == 100 || random.below(100) < fate.kept
      if isKept { disk.write(bytes[start..<end], at: offset + start) }
      let sectors = (end - start + Self.sector - 1) / Self.sector
      if isKept { outcome.sectorsKept += sectors } else { outcome.sectorsDropped += sectors }
      start = end
    }
  }
}
