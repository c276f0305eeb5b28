import Foundation
import Market

/// How far a verifier has come for good: what it goes on from when it is started again. Written beside its saved state,
/// after that; journals keep what comes later, and what no final epoch holds yet.
public struct VerifierProgress: Codable, Sendable, Hashable {
  /// The last epoch attested by then.
  public var epoch: UInt32
  /// The last final epoch that the re-executed coordinator knew of.
  public var finalEpoch: UInt32
  /// The last entry re-executed, by machine.
  public var sequences: [String: UInt64]

  public init(epoch: UInt32, finalEpoch: UInt32, sequences: [String: UInt64]) {
    self.epoch = epoch
    self.finalEpoch = finalEpoch
    self.sequences = sequences
  }

  private static func path(in directory: String) -> String { "\(directory)/progress.json" }

  /// What the verifier with this directory has saved; `nil` before the first time, and for a file that cannot be read.
  public static func load(directory: String) -> VerifierProgress? {
    guard let data = FileManager.default.contents(atPath: path(in: directory)) else { return nil }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try? decoder.decode(VerifierProgress.self, from: data)
  }

  public func save(directory: String) throws {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys]
    try SavedFile.replace(Self.path(in: directory), with: [UInt8](encoder.encode(self)))
  }
}

/// A file that is replaced whole: a reader finds the old one or the new one, also after a power cut.
public enum SavedFile {
  public static func replace(_ path: String, with bytes: [UInt8]) throws {
    let draft = path + ".new"
    let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure("create", draft) }
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + written, $0.count - written) }
      guard count > 0 else { break }
      written += count
    }
    let isDurable = written == bytes.count && fsync(descriptor) == 0
    let problem = failure("write", draft)
    close(descriptor)
    guard isDurable else { throw problem }
    guard rename(draft, path) == 0 else { throw failure("rename", draft) }
    // The name, too, must outlast a power cut.
    let parent = open((path as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard parent >= 0 else { throw failure("open the directory of", path) }
    defer { close(parent) }
    guard fsync(parent) == 0 else { throw failure("sync the directory of", path) }
  }

  private static func failure(_ operation: String, _ path: String) -> SavedFileError {
    SavedFileError(path: path, reason: "cannot \(operation) it: \(String(cString: strerror(errno)))")
  }
}

/// A file that could not be written.
public struct SavedFileError: Error, Sendable, CustomStringConvertible {
  public var path: String
  public var reason: String
  public init(path: String, reason: String) {
    self.path = path
    self.reason = reason
  }
  public var description: String { "\(path): \(reason)" }
}
