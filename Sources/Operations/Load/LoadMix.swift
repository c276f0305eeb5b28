/// Shares of a load's operations, in percent.
public struct LoadMix: Sendable, Hashable {
  /// New orders near the touch.
  public var new = 45
  /// Cancels of own resting orders.
  public var cancel = 40
  /// Replaces of own resting orders.
  public var replace = 5
  /// Orders that cross the touch.
  public var crossing = 10

  /// Stops near the mark, market orders when they trigger.
  public var stop = 0
  /// Orders near the touch that show a part of themselves.
  public var iceberg = 0
  /// Two-sided quotes.
  public var quote = 0

  public static let standard = LoadMix()

  public init() {}

  /// Every kind by its name.
  private static var kinds: [(name: String, share: WritableKeyPath<LoadMix, Int>)] {
    [
      ("new", \.new), ("cancel", \.cancel), ("replace", \.replace), ("crossing", \.crossing), ("stop", \.stop),
      ("iceberg", \.iceberg), ("quote", \.quote),
    ]
  }

  /// As `init(parsing:)` reads it.
  public var text: String {
    Self.kinds.filter { self[keyPath: $0.share] > 0 }.map { "\($0.name)=\(self[keyPath: $0.share])" }
      .joined(separator: ",")
  }

  /// Parses `new=45,cancel=40,replace=5,crossing=10`; shares left out are 0, and all must add up to 100.
  public init(parsing text: String) throws(LoadMixError) {
    for kind in Self.kinds { self[keyPath: kind.share] = 0 }
    for part in text.split(separator: ",") {
      let pair = part.split(separator: "=")
      guard pair.count == 2, let share = Int(pair[1]), (0...100).contains(share) else {
        throw LoadMixError(reason: "'\(part)' is not of the form kind=percent")
      }
      guard let kind = Self.kinds.first(where: { $0.name == pair[0] }) else {
        let names = Self.kinds.map(\.name).joined(separator: ", ")
        throw LoadMixError(reason: "'\(pair[0])' is no kind; the kinds are \(names)")
      }
      self[keyPath: kind.share] = share
    }
    let sum = Self.kinds.reduce(0) { $0 + self[keyPath: $1.share] }
    guard sum == 100 else { throw LoadMixError(reason: "the shares add up to \(sum), not 100") }
  }
}

/// A mix that cannot be read.
public struct LoadMixError: Error, CustomStringConvertible {
  public var reason: String
  public var description: String { "--mix: \(reason)" }
}
