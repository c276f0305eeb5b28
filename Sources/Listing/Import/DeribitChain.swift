import Market

/// An option-chain snapshot: what was recorded, and what was not believed.
public struct DeribitChain: Sendable {
  /// Rows of one snapshot at most.
  static let rowLimit = 100_000

  /// The latest time in the file.
  public let snapshot: Timestamp
  /// Rows in the file, bad ones included.
  public let rowCount: Int
  /// Believed rows, by currency, expiry, strike, calls first.
  public private(set) var rows: [ChainRow]
  /// Excluded rows by reason, in order of the reasons' names.
  public private(set) var excluded: [(reason: String, count: Int)]

  /// Reads a snapshot, a CSV file with or without gzip.
  public static func load(_ path: String) throws(ListingError) -> DeribitChain {
    try DeribitChain(text: CompressedFile.text(path), name: path)
  }

  /// Reads the text of a snapshot. A row that cannot be believed is excluded; only a file without its columns, or
  /// without a single believable row, is refused.
  public init(text: String, name: String) throws(ListingError) {
    let lines = text.split(omittingEmptySubsequences: true) { $0 == "\n" || $0 == "\r\n" }
    guard let header = lines.first else {
      throw ListingError(field: "", value: "", rule: "is empty; must be an option-chain snapshot", file: name)
    }
    let columns = header.split(separator: ",", omittingEmptySubsequences: false)
    var places: [String: Int] = [:]
    for (index, column) in columns.enumerated() { places[String(column)] = index }
    for column in ChainRow.columns where places[column] == nil {
      throw ListingError(field: column, value: "", rule: "this column is missing from the header", file: name, line: 1)
    }
    guard lines.count - 1 <= Self.rowLimit else {
      throw ListingError(
        field: "", value: "\(lines.count - 1) rows", rule: "must be at most \(Self.rowLimit)", file: name)
    }
    rowCount = lines.count - 1
    var counts: [String: Int] = [:]
    var split: [[Substring]] = []
    var latest: Timestamp?
    for line in lines.dropFirst() {
      let fields = line.split(separator: ",", omittingEmptySubsequences: false)
      guard fields.count == columns.count else {
        counts["not as many fields as the header", default: 0] += 1
        continue
      }
      guard let time = ChainTime.parse(fields[places["timestamp", default: 0]]) else {
        counts["timestamp is no time", default: 0] += 1
        continue
      }
      latest = max(latest ?? time, time)
      split.append(fields)
    }
    snapshot = latest ?? .zero
    var rows: [ChainRow] = []
    var seen: Set<String> = []
    for fields in split {
      do throws(RowRefusal) {
        let row = try ChainRow(at: snapshot) { fields[places[$0, default: 0]] }
        guard seen.insert(row.name).inserted else { throw RowRefusal(reason: "instrument is there twice") }
        rows.append(row)
      } catch { counts[error.reason, default: 0] += 1 }
    }
    self.rows = rows.sorted {
      ($0.currency, $0.day, $0.strike, $1.isCall ? 1 : 0) < ($1.currency, $1.day, $1.strike, $0.isCall ? 1 : 0)
    }
    excluded = counts.map { (reason: $0.key, count: $0.value) }.sorted { $0.reason < $1.reason }
    guard !rows.isEmpty else {
      let reasons = excluded.map { "\($0.count) \($0.reason)" }.joined(separator: ", ")
      throw ListingError(
        field: "", value: "", rule: "has no row to import\(reasons.isEmpty ? "" : " (\(reasons))")", file: name)
    }
  }

  /// Excludes the rows that `isBad` names, for one more reason.
  mutating func exclude(_ reason: String, where isBad: (ChainRow) -> Bool) {
    let count = rows.count
    rows.removeAll(where: isBad)
    guard rows.count < count else { return }
    excluded = (excluded + [(reason: reason, count: count - rows.count)]).sorted { $0.reason < $1.reason }
  }
}
