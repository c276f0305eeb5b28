import Bytes
import Cryptography
import Foundation
import Market

/// What a backup holds: written last, as `manifest.json`, so that a backup without one was never finished.
struct BackupManifest: Codable {
  static let currentVersion = 1
  static let fileName = "manifest.json"

  struct Machine: Codable {
    var machine: String
    /// The first entry that the journal has, and the last one.
    var firstSequence: UInt64
    var lastSequence: UInt64
    var lastTerm: UInt32
    var chainHead: String
    /// The last epoch that it has sealed; 0 before the first.
    var sealedEpoch: UInt32
  }

  struct File: Codable {
    /// Within the backup, as within a data directory.
    var path: String
    var bytes: UInt64
    /// Octal.
    var mode: String
    /// Of its bytes, 64 hexadecimal digits.
    var sha256: String
  }

  var formatVersion = currentVersion
  /// ISO 8601, UTC.
  var made: String
  /// The data directory that it is of.
  var dataDirectory: String
  /// True when nothing ran: the copies are of one instant then, and need not be cut to fit each other.
  var wasStopped: Bool
  /// The last epoch that the settlement layer had when the first journal was copied.
  var postedEpoch: UInt32
  var machines: [Machine]
  /// Directories of keys and accounts, the outer before the inner, whether anything lies in them or not; all are closed
  /// to others.
  var directories: [String]
  var files: [File]

  /// Reads the manifest of the backup in `directory`, and checks every file against it.
  static func load(_ directory: String) throws -> BackupManifest {
    let path = "\(directory)/\(fileName)"
    guard let data = FileManager.default.contents(atPath: path) else {
      throw CommandMistake("\(path): not there; --from names a directory that 'novation backup' has finished")
    }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let manifest: BackupManifest
    do {
      manifest = try decoder.decode(BackupManifest.self, from: data)
    } catch {
      throw CommandMistake("\(path): not a backup's manifest: \(error)")
    }
    guard manifest.formatVersion == currentVersion else {
      throw CommandMistake(
        "\(path): format version \(manifest.formatVersion) is unknown; this build reads \(currentVersion)")
    }
    for path in manifest.directories + manifest.files.map(\.path) { try expectInside(path, directory) }
    for file in manifest.files { try file.check(in: directory) }
    return manifest
  }

  private static func expectInside(_ path: String, _ directory: String) throws {
    guard !path.hasPrefix("/"), !path.split(separator: "/").contains("..") else {
      throw CommandMistake("\(directory)/\(fileName): \(path) is no path within a data directory")
    }
  }

  /// Writes it so that it is there whole, or not at all.
  func save(_ directory: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let path = "\(directory)/\(Self.fileName)"
    try encoder.encode(self).write(to: URL(fileURLWithPath: path + ".new"))
    try DurableFile.flush(path + ".new")
    try FileManager.default.moveItem(atPath: path + ".new", toPath: path)
    try DurableFile.flush(directory)
  }
}

extension BackupManifest.File {
  /// Describes the file that lies at `path` within `directory`.
  init(_ path: String, in directory: String) throws {
    let whole = "\(directory)/\(path)"
    var status = stat()
    guard stat(whole, &status) == 0 else { throw CommandMistake("\(whole): \(String(cString: strerror(errno)))") }
    self.path = path
    bytes = UInt64(status.st_size)
    mode = String(status.st_mode & 0o777, radix: 8)
    sha256 = try Self.digest(whole)
  }

  var permissions: Int { Int(mode, radix: 8) ?? 0o600 }

  fileprivate func check(in directory: String) throws {
    let whole = "\(directory)/\(path)"
    guard FileManager.default.fileExists(atPath: whole) else {
      throw CommandRefused("\(whole): is missing; the backup is not whole")
    }
    let found = try Self.digest(whole)
    guard found == sha256 else {
      throw CommandRefused("\(whole): its SHA-256 is \(found), not \(sha256) as the manifest says; the copy is damaged")
    }
  }

  private static func digest(_ path: String) throws -> String {
    let data = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
    return data.withUnsafeBytes { SHA256.hash($0) }.array.hexadecimal
  }
}

extension [UInt8] {
  fileprivate var hexadecimal: String { withUnsafeBytes { $0.hexadecimal } }
}

/// Files that must be on disk before something else is said.
enum DurableFile {
  /// Copies a file with the given permissions, and the directories above it as far as they are missing, closed to
  /// others.
  static func copy(_ source: String, to target: String, permissions: Int) throws {
    let directory = (target as NSString).deletingLastPathComponent
    try make(directory)
    try FileManager.default.copyItem(atPath: source, toPath: target)
    try FileManager.default.setAttributes([.posixPermissions: permissions], ofItemAtPath: target)
    try flush(target)
    try flush(directory)
  }

  static func make(_ directory: String) throws {
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
  }

  static func flush(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw CommandMistake("\(path): \(String(cString: strerror(errno)))") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw CommandRefused("\(path): \(String(cString: strerror(errno)))") }
  }

  /// Refuses a directory that something lies in; one that is not there is fine.
  static func expectFree(_ directory: String, option: String) throws {
    let found = try? FileManager.default.contentsOfDirectory(atPath: directory)
    if found == nil, !FileManager.default.fileExists(atPath: directory) { return }
    guard let found else { throw CommandMistake("\(option) \(directory): it must be a directory") }
    guard found.isEmpty else {
      throw CommandMistake("\(option) \(directory): something lies there already; name a new or an empty directory")
    }
  }
}
