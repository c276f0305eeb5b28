import Foundation

/// Recorded data beside the project, which is not part of it.
enum SharedData {
  /// `../shared/data` from the package's root, or where `NOVATION_SHARED_DATA` says; `nil` when it is not there.
  static let directory: URL? = {
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let directory =
      ProcessInfo.processInfo.environment["NOVATION_SHARED_DATA"].map { URL(fileURLWithPath: $0) }
      ?? root.deletingLastPathComponent().appendingPathComponent("shared/data")
    return FileManager.default.fileExists(atPath: directory.path) ? directory : nil
  }()
  static let isPresent = directory != nil
  static let absence = "../shared/data is not beside the project; recorded numbers are not checked"

  static func json(_ path: String) throws -> [String: Any] {
    let url = (directory ?? URL(fileURLWithPath: "/nonexistent")).appendingPathComponent(path)
    let object = try JSONSerialization.jsonObject(with: Data(contentsOf: url))
    return object as? [String: Any] ?? [:]
  }

  /// A number that the file holds as number or as text.
  static func number(_ value: Any?) -> Double {
    if let text = value as? String { return Double(text) ?? .nan }
    return (value as? NSNumber)?.doubleValue ?? .nan
  }
}
