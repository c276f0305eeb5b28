import Bytes
import Foundation
import Market
import Wire

/// What a client did and was told, in its own hand: the auditor holds it against the journals. Records of kind u8,
/// length u32, layout; appended as they happen.
public final class ClientLog {
  public enum Record: Sendable {
    /// Sent: the action's account, nonce and number of operations.
    case submitted(account: AccountID, nonce: UInt64, operations: UInt16)
    /// The exchange's answer.
    case acknowledged(ActionReply)
    /// Refused before any journal.
    case refused(Refusal)
  }

  private let file: FileHandle
  private var buffer = ByteWriter(capacity: 1 << 20)
  private static let flushBytes = 1 << 18

  /// Creates or appends to the log at `path`.
  public init(path: String) throws {
    if !FileManager.default.fileExists(atPath: path) {
      _ = FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o640])
    }
    file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.seekToEnd()
  }

  public func append(_ record: Record) throws {
    var body = ByteWriter()
    let kind: UInt8
    switch record {
    case .submitted(let account, let nonce, let operations):
      kind = 1
      account.write(to: &body)
      body.u64(nonce)
      body.u16(operations)
    case .acknowledged(let reply):
      kind = 2
      reply.write(to: &body)
    case .refused(let refusal):
      kind = 3
      refusal.write(to: &body)
    }
    buffer.u8(kind)
    buffer.blob(body.bytes)
    if buffer.count >= Self.flushBytes { try flush() }
  }

  /// Hands everything to the operating system: a client that is killed loses nothing it flushed.
  public func flush() throws {
    guard buffer.count > 0 else { return }
    try file.write(contentsOf: Data(buffer.array))
    buffer.clear()
  }

  public func close() throws {
    try flush()
    try file.close()
  }

  /// Reads a log; a record cut short by a kill ends it.
  public static func read(path: String, _ each: (Record) -> Void) throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
    data.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
      var reader = ByteReader(bytes)
      while reader.remaining > 0 {
        let kind = reader.u8()
        var body = ByteReader(reader.blob())
        if reader.hasFailed { return }
        switch kind {
        case 1:
          each(.submitted(account: AccountID(from: &body), nonce: body.u64(), operations: body.u16()))
        case 2: each(.acknowledged(ActionReply(from: &body)))
        case 3: each(.refused(Refusal(from: &body)))
        default: return
        }
      }
    }
  }
}
