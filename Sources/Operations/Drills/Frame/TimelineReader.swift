import Cluster
import Foundation

/// Follows the timeline that a load writes.
final class TimelineReader {
  private let path: String
  private var offset: UInt64 = 0
  private var rest = Data()
  private(set) var slices: [LoadTimeline.Slice] = []

  init(path: String) { self.path = path }

  /// Takes what was written since.
  func refresh() {
    guard let file = FileHandle(forReadingAtPath: path) else { return }
    defer { try? file.close() }
    try? file.seek(toOffset: offset)
    guard let data = try? file.readToEnd(), !data.isEmpty else { return }
    offset += UInt64(data.count)
    rest.append(data)
    while let end = rest.firstIndex(of: 0x0A) {
      if let slice = try? JSONDecoder().decode(LoadTimeline.Slice.self, from: rest[rest.startIndex..<end]) {
        slices.append(slice)
      }
      rest = rest[rest.index(after: end)...]
    }
    rest = Data(rest)
  }

  /// Orders accepted in slices that end after `start` and not after `end`, in milliseconds of the monotonic clock.
  func accepted(after start: Int64, through end: Int64, shards: [Int]? = nil) -> Int {
    slices.reduce(0) { sum, slice in
      guard slice.at_ms > start, slice.at_ms <= end else { return sum }
      return sum + (shards.map { $0.reduce(0) { $0 + slice.accepted[$1] } } ?? slice.total)
    }
  }

  static func now() -> Int64 { MachineClock.monotonic() / 1_000_000 }
}
