import Bytes
import Foundation
import Machine
import Market

/// The quarantines of a cluster as its supervisor keeps them, a file for each machine: whoever owns the machine next
/// reads it before it takes an input. In a journal a quarantine stands with the input that it kept away.
///
/// A file is the quarantines' layouts, one after another; it is replaced whole.
public struct QuarantineShelf: Sendable {
  private let directory: String

  public init(dataDirectory: String) { directory = "\(dataDirectory)/quarantine" }

  private func path(of machine: MachineID) -> String { "\(directory)/\(machine)" }

  /// The quarantines of one machine, oldest first; none where there is no file.
  /// - Throws: `QuarantineError` for a file that cannot be read.
  public func quarantines(of machine: MachineID) throws -> [Quarantine] {
    let path = path(of: machine)
    guard FileManager.default.fileExists(atPath: path) else { return [] }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw QuarantineError(path: path, reason: "it cannot be read")
    }
    guard data.count % Quarantine.byteCount == 0 else {
      throw QuarantineError(path: path, reason: "\(data.count) bytes are not a number of quarantines")
    }
    return try [UInt8](data).withUnsafeBytes { bytes in
      var reader = ByteReader(bytes)
      return try (0..<bytes.count / Quarantine.byteCount).map { place in
        let found = Quarantine(from: &reader)
        guard !reader.hasFailed, found.machine == machine else {
          throw QuarantineError(path: path, reason: "quarantine \(place + 1) is malformed, or another machine's")
        }
        return found
      }
    }
  }

  /// Adds a quarantine; it is durable when this returns.
  public func add(_ quarantine: Quarantine) throws {
    let all = try quarantines(of: quarantine.machine) + [quarantine]
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let path = path(of: quarantine.machine)
    try Data(all.flatMap(\.encoded)).write(to: URL(fileURLWithPath: path), options: .atomic)
    for place in [path, directory] {
      let descriptor = open(place, O_RDONLY | O_CLOEXEC)
      defer { close(descriptor) }
      guard descriptor >= 0, fsync(descriptor) == 0 else {
        throw QuarantineError(path: place, reason: "it cannot be synced: \(String(cString: strerror(errno)))")
      }
    }
  }
}

/// A file of quarantines that cannot be used.
public struct QuarantineError: Error, CustomStringConvertible {
  public var path: String
  public var reason: String
  public var description: String { "\(path): \(reason)" }
}
