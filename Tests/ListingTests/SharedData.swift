import Foundation

/// Where the project and the recorded data beside it lie.
enum Place {
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  /// The instrument file that the project ships.
  static let shipped = root.appendingPathComponent("cluster/config/instruments.toml").path

  /// `../shared/data` from the package's root, or where `NOVATION_SHARED_DATA` says; `nil` when it is not there.
  static let sharedData: URL? = {
    let directory =
      ProcessInfo.processInfo.environment["NOVATION_SHARED_DATA"].map { URL(fileURLWithPath: $0) }
      ?? root.deletingLastPathComponent().appendingPathComponent("shared/data")
    return FileManager.default.fileExists(atPath: directory.path) ? directory : nil
  }()
  static let hasSharedData = sharedData != nil
  static let absence = "../shared/data is not beside the project; recorded chains are not checked"

  static let snapshots = [
    "deribit_options_snapshot_20251230T173115Z.csv.gz", "deribit_options_snapshot_20260205T155132Z.csv.gz",
    "deribit_options_snapshot_20260304T093315Z.csv.gz",
  ]
  static func snapshot(_ name: String) -> String {
    sharedData?.appendingPathComponent("deribit-snapshots/\(name)").path ?? name
  }

  /// A fresh file name in the temporary directory.
  static func temporary(_ name: String) -> String {
    FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString)-\(name)").path
  }
}
