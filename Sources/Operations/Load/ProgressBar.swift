import Foundation

/// A bar on standard error, where a terminal is there to show it.
public final class ProgressBar {
  private let isShown: Bool
  private var wasDrawn = false
  private static let cells = 30

  /// - Parameter isWanted: false keeps it silent, terminal or not.
  public init(isWanted: Bool) { isShown = isWanted && isatty(2) != 0 }

  public func show(_ progress: LoadGenerator.Progress) {
    guard isShown else { return }
    wasDrawn = true
    write("\r\u{1b}[2K" + Self.line(progress))
  }

  /// Takes the bar away.
  public func close() {
    if wasDrawn { write("\r\u{1b}[2K") }
    wasDrawn = false
  }

  static func line(_ progress: LoadGenerator.Progress) -> String {
    let full = min(cells, max(0, Int(progress.share * Double(cells))))
    let bar = String(repeating: "█", count: full) + String(repeating: "·", count: cells - full)
    let counts = progress.isWarmup ? "warming up" : "\(progress.acknowledged) of \(progress.sent) orders durable"
    return "\(bar) \(Int(progress.share * 100)) %  \(progress.rate) orders/s  \(counts)"
  }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
