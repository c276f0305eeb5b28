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

  public static let standard = LoadMix()

  public init() {}

  /// Parses `new=45,cancel=40,replace=5,crossing=10`; shares left out are 0, and all must add up to 100.
  public init(parsing text: String) throws(LoadMixError) {
    new = 0
    cancel = 0
    replace = 0
    crossing = 0
    for part in text.split(separator: ",") {
      let pair = part.split(separator: "=")
      guard pair.count == 2, let share = Int(pair[1]), (0...100).contains(share) else {
        throw LoadMixError(reason: "'\(part)' is not of the form kind=percent")
      }
      switch pair[0] {
      case "new": new = share
      case "cancel": cancel = share
      case "replace": replace = share
      case "crossing": crossing = share
      default: throw LoadMixError(reason: "'\(pair[0])' is no kind; the kinds are new, cancel, replace, crossing")
      }
    }
    let sum = new + cancel + replace + crossing
    guard sum == 100 else { throw LoadMixError(reason: "the shares add up to \(sum), not 100") }
  }
}

/// A mix that cannot be read.
public struct LoadMixError: Error, CustomStringConvertible {
  public var reason: String
  public var description: String { "--mix: \(reason)" }
}
