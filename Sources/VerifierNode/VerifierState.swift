import Bytes
import Cluster
import Cryptography
import Foundation
import Market

/// What a verifier keeps, to go on from where it was: every machine as re-executed by then, and the headers that it came
/// to. One file, replaced whole.
///
/// Layout: magic [8], version u32, SHA-256 [32] of the rest; epoch u32; headers u32 and each: epoch u32, hash [32];
/// machines u32 and each: id u32, and a blob as `Replica.write` lays it out.
struct VerifierState {
  private static let magic = Array("NOVVERF\n".utf8)
  private static let version: UInt32 = 1
  private static let headerBytes = 44

  /// The last epoch attested.
  var epoch: Epoch
  var headers: [Epoch: Digest]

  private static func path(in directory: String) -> String { "\(directory)/state" }

  /// All but the header that says what it is, which `save` adds.
  func body(with machines: [any Reexecutable]) -> [UInt8] {
    var writer = ByteWriter(capacity: 1 << 20)
    epoch.write(to: &writer)
    writer.u32(UInt32(headers.count))
    for (epoch, hash) in headers.sorted(by: { $0.key < $1.key }) {
      epoch.write(to: &writer)
      hash.write(to: &writer)
    }
    writer.u32(UInt32(machines.count))
    for machine in machines {
      machine.id.write(to: &writer)
      let place = writer.count
      writer.u32(0)
      machine.write(to: &writer)
      writer.patch(UInt32(writer.count - place - 4), at: place)
    }
    return writer.array
  }

  /// Makes it durable.
  static func save(_ body: [UInt8], in directory: String) throws {
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    var writer = ByteWriter(capacity: headerBytes + body.count)
    writer.bytes(magic)
    writer.u32(version)
    SHA256.hash(body).write(to: &writer)
    writer.bytes(body)
    try SavedFile.replace(path(in: directory), with: writer.array)
  }

  /// Brings `machines` to where they were saved; `nil` if nothing was.
  /// - Throws: why it cannot be gone on from; the machines are then of no use.
  static func restore(_ machines: [any Reexecutable], from directory: String) throws -> VerifierState? {
    let path = path(in: directory)
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    let bytes = [UInt8](data)
    return try bytes.withUnsafeBytes { bytes in
      var reader = ByteReader(bytes)
      guard reader.bytes(magic.count).elementsEqual(magic) else {
        throw SavedFileError(path: path, reason: "it is not a verifier's state")
      }
      let version = reader.u32()
      guard version == Self.version else {
        throw SavedFileError(path: path, reason: "format version \(version); this build reads \(Self.version)")
      }
      let digest = Digest(from: &reader)
      guard !reader.hasFailed, SHA256.hash(UnsafeRawBufferPointer(rebasing: bytes[headerBytes...])) == digest else {
        throw SavedFileError(path: path, reason: "it is damaged: its SHA-256 is another")
      }
      var state = VerifierState(epoch: Epoch(from: &reader), headers: [:])
      for _ in 0..<reader.itemCount(minimumSize: 36) {
        let epoch = Epoch(from: &reader)
        state.headers[epoch] = Digest(from: &reader)
      }
      guard reader.u32() == UInt32(machines.count) else {
        throw SavedFileError(path: path, reason: "it has not the machines of this market")
      }
      for machine in machines {
        guard MachineID(from: &reader) == machine.id else {
          throw SavedFileError(path: path, reason: "it has not \(machine.id) where it should")
        }
        var saved = ByteReader(reader.blob())
        try machine.restore(from: &saved)
        guard saved.isExhausted else { throw SavedStateError(machine: machine.id, reason: "it is malformed") }
      }
      guard reader.isExhausted else { throw SavedFileError(path: path, reason: "it is malformed at its end") }
      return state
    }
  }
}
