import Foundation
import Replay

/// One run of a stream through the bare matcher.
struct BareRun {
  var nanosecondsPerOperation: Double
  var trades: Int
  /// Folded as `novation replay` folds its own.
  var tapeHash: String

  private struct Tape: TradeSink {
    var trades = 0
    var hash: UInt64 = 14_695_981_039_346_656_037

    @inline(__always) mutating func trade(maker: UInt64, taker: UInt64, lots: UInt32, isFilled: Bool) {
      let prime: UInt64 = 1_099_511_628_211
      trades &+= 1
      hash = (((hash ^ maker) &* prime ^ taker) &* prime ^ UInt64(lots)) &* prime
    }
  }

  /// A stream in memory, every record of which has been looked at: the matcher itself checks nothing.
  struct Stream {
    fileprivate let data: Data
    fileprivate let header: ObsStream

    init(_ file: URL) throws {
      data = try Data(contentsOf: file)
      header = try data.withUnsafeBytes { try Self.checked($0, file.lastPathComponent) }
    }

    private static func checked(_ bytes: UnsafeRawBufferPointer, _ name: String) throws -> ObsStream {
      let header = try ObsStream(bytes)
      let prices = header.minimumPrice...header.maximumPrice
      guard Double(header.instruments) * Double(header.maximumPrice - header.minimumPrice) < 0x1p28 else {
        throw UsageError(reason: "\(name): more than 2^28 levels a side; the floor keeps each of them in memory")
      }
      for place in 0..<header.count {
        let record = try header.record(place)
        let hasPrice = record.kind != .cancel && record.kind != .reduce
        guard record.order != 0, !hasPrice || prices.contains(record.price) else {
          throw UsageError(reason: "\(name): record \(place) has order id 0 or a price that the header does not know")
        }
      }
      return header
    }
  }

  /// Runs all of it; the time is this thread's after the warm-up.
  init(_ stream: borrowing Stream) throws {
    let header = stream.header
    var matcher = BareMatcher(
      instruments: header.instruments, lowestPrice: header.minimumPrice, highestPrice: header.maximumPrice, sink: Tape()
    )
    let nanoseconds = stream.data.withUnsafeBytes { bytes in
      let records = UnsafeRawBufferPointer(rebasing: bytes.dropFirst(ObsStream.headerBytes))
        .assumingMemoryBound(to: StreamRecord.self)
      Self.apply(UnsafeBufferPointer(rebasing: records[..<header.warmUp]), to: &matcher)
      let start = processorTime()
      Self.apply(UnsafeBufferPointer(rebasing: records[header.warmUp..<header.count]), to: &matcher)
      return processorTime() - start
    }
    guard !matcher.isFull else {
      throw UsageError(reason: "more than 262,143 orders come to rest; the floor has room for no more")
    }
    nanosecondsPerOperation = Double(nanoseconds) / Double(max(1, header.count - header.warmUp))
    trades = matcher.sink.trades
    let hash = String(matcher.sink.hash, radix: 16)
    tapeHash = String(repeating: "0", count: 16 - hash.count) + hash
  }

  @inline(never)
  private static func apply(_ records: UnsafeBufferPointer<StreamRecord>, to matcher: inout BareMatcher<Tape>) {
    for record in records { matcher.apply(record) }
  }
}
