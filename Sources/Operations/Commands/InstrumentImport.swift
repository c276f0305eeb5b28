import Cluster
import Foundation
import Listing
import Market

/// What became of an option-chain snapshot.
public struct InstrumentImport: CommandReport {
  public struct Excluded: Encodable, Sendable {
    public var reason: String
    public var count: Int
  }
  public var file: String
  public var rows: Int
  public var excluded: [Excluded]
  public var options: Int
  public var futures: Int
  public var perpetuals: Int
  public var instruments: Int
  /// Whole days by which expiries were moved.
  public var shiftDays: Int64
  /// Recorded instant, ISO 8601, and the same moved by as much.
  public var snapshot: String
  public var instant: String

  public init(deribit csv: String, out: String, isAsRecorded: Bool) throws {
    let report = try DeribitImport.run(
      csvGzPath: csv, out: out, now: MachineClock.wall(), asRecorded: isAsRecorded)
    file = out
    rows = report.rows
    excluded = report.excluded.map { Excluded(reason: $0.reason, count: $0.count) }
    options = report.options
    futures = report.futures
    perpetuals = report.perpetuals
    instruments = report.instruments
    shiftDays = report.shiftDays
    snapshot = Date(timeIntervalSince1970: Double(report.snapshot.seconds)).ISO8601Format()
    instant = Date(timeIntervalSince1970: Double(report.instant.seconds)).ISO8601Format()
  }

  public var text: String {
    var lines = [
      "\(file): \(instruments) instruments (\(options) options, \(futures) futures, \(perpetuals) perpetuals) "
        + "from \(rows) rows of \(snapshot)",
      "expiries moved by \(shiftDays) days",
    ]
    for excluded in excluded { lines.append("  left out \(excluded.count): \(excluded.reason)") }
    return lines.joined(separator: "\n")
  }
}
