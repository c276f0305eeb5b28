import Foundation
import Market
import Pricing

/// Makes an instrument file from an option-chain snapshot, so that a recorded market can be traded.
public enum DeribitImport {
  /// What became of a snapshot.
  public struct Report: Sendable, CustomStringConvertible {
    /// The recorded instant.
    public var snapshot: Timestamp
    /// Whole days by which expiries were moved.
    public var shiftDays: Int64
    /// The recorded instant moved by as much: at this time and the file's index, marks are the recorded ones.
    public var instant: Timestamp
    /// Rows in the snapshot.
    public var rows: Int
    /// Excluded rows by reason.
    public var excluded: [(reason: String, count: Int)]
    /// Instruments that the file lists at `instant`.
    public var options: Int
    public var futures: Int
    public var perpetuals: Int
    public var instruments: Int { options + futures + perpetuals }

    public var description: String {
      let reasons = excluded.map { "\n  excluded \($0.count): \($0.reason)" }.joined()
      return "\(rows) rows, expiries moved by \(shiftDays) days: \(options) options, \(futures) futures, "
        + "\(perpetuals) perpetuals\(reasons)"
    }
  }

  /// Reads the snapshot at `csvGzPath` and writes an instrument file to `out`.
  ///
  /// - Parameters:
  ///   - now: expiries are moved by the smallest whole number of days that brings the recorded instant to now or later,
  ///     so that nothing that was alive is dead.
  ///   - asRecorded: leaves the expiries where they are.
  public static func run(
    csvGzPath: String, out: String, now: Timestamp, asRecorded: Bool = false
  ) throws(ListingError) -> Report {
    let chain = try DeribitChain.load(csvGzPath)
    let (text, report) = try instrumentFile(of: chain, now: now, asRecorded: asRecorded, name: out)
    do { try text.write(toFile: out, atomically: true, encoding: .utf8) } catch {
      throw ListingError(field: "", value: "", rule: "cannot be written: \(error.localizedDescription)", file: out)
    }
    return report
  }

  /// The text of the instrument file, and what became of the snapshot.
  static func instrumentFile(
    of chain: DeribitChain, now: Timestamp, asRecorded: Bool, name: String
  ) throws(ListingError) -> (text: String, report: Report) {
    var chain = chain
    let indices = self.indices(of: chain)
    let snapshot = chain.snapshot
    chain.exclude("forward too far from the index") { row in
      guard let index = indices[row.currency] else { return true }
      return !ExpirySlice.carries.contains(carry(row.forward, index: index, day: row.day, at: snapshot))
    }
    let (elapsed, overflow) = now.nanoseconds.subtractingReportingOverflow(chain.snapshot.nanoseconds)
    let day: Int64 = 86_400_000_000_000
    let shift = asRecorded || overflow ? 0 : elapsed / day + (elapsed % day > 0 ? 1 : 0)
    guard let last = chain.rows.map(\.day).max(), CalendarDay.numbers.contains(last.number + shift) else {
      throw ListingError(
        field: "now", value: "\(now)", rule: "must leave expiries between 1970 and 2106, and rows to import", file: name
      )
    }
    let text = ChainText(chain: chain, indices: indices, shift: shift).text
    let instant = chain.snapshot + .days(shift)
    // What is written must open; and the counts are those of the market, not of the intention.
    let listed = try ListingFile(text: text, name: name).open(at: instant).market.instruments
    let report = Report(
      snapshot: chain.snapshot, shiftDays: shift, instant: instant, rows: chain.rowCount, excluded: chain.excluded,
      options: listed.count { $0.kind.isOption }, futures: listed.count { $0.kind == .future },
      perpetuals: listed.count { $0.kind == .perpetual })
    return (text, report)
  }

  /// The median index of each currency, in cents or finer: rows are not of one instant.
  private static func indices(of chain: DeribitChain) -> [String: Double] {
    var values: [String: [Double]] = [:]
    for row in chain.rows { values[row.currency, default: []].append(row.index) }
    return values.mapValues { (median($0) * 1e6).rounded() / 1e6 }
  }

  /// The middle value; the lower one of an even number.
  static func median(_ values: [Double]) -> Double { values.sorted()[(values.count - 1) / 2] }

  /// The annual carry of a forward: ln(forward / index) over the years to the expiry.
  static func carry(_ forward: Double, index: Double, day: CalendarDay, at snapshot: Timestamp) -> Double {
    let seconds = Double((day.expiry - snapshot).nanoseconds) / 1e9
    return log(forward / index) / (seconds / Black76.secondsPerYear)
  }
}
