/// Finds what a mistyped name may have meant.
public enum NearNames {
  /// At most `count` of `names`, the nearest first; none that is further off than half its length.
  public static func of(_ name: String, among names: [String], count: Int = 3) -> [String] {
    let wanted = Array(name.uppercased().utf8)
    return names.map { (name: $0, distance: distance(wanted, Array($0.uppercased().utf8))) }
      .filter { $0.distance * 2 <= max(wanted.count, 2) }
      .sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }
      .prefix(count).map(\.name)
  }

  /// `, did you mean A or B?`, or what else would be right.
  static func hint(_ name: String, among names: [String], otherwise: String) -> String {
    let near = of(name, among: names)
    return near.isEmpty ? "; \(otherwise)" : "; did you mean \(near.joined(separator: " or "))?"
  }

  /// Insertions, deletions and replacements between the two.
  private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var previous = Array(0...b.count)
    for (row, left) in a.enumerated() {
      var current = [row + 1]
      for (column, right) in b.enumerated() {
        current.append(
          min(previous[column] + (left == right ? 0 : 1), previous[column + 1] + 1, current[column] + 1))
      }
      previous = current
    }
    return previous[b.count]
  }
}
