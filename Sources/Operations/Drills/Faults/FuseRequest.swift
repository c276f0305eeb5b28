import Bytes
import Foundation

/// What the kernel asks of a file system in user space, as far as one file needs it. The layouts are those of the
/// kernel's `fuse.h`, version 7.31; the C structures have their natural alignment, which is little-endian here.
enum FuseRequest {
  /// Bytes before a request's own.
  static let headerBytes = 40

  enum Operation: UInt32 {
    case lookup = 1
    case forget = 2
    case getAttributes = 3
    case setAttributes = 4
    case open = 14
    case read = 15
    case write = 16
    case statistics = 17
    case release = 18
    case synchronise = 20
    case flush = 25
    case initialise = 26
    case openDirectory = 27
    case readDirectory = 28
    case releaseDirectory = 29
    case interrupt = 36
    case destroy = 38
    case forgetMany = 42
    case allocate = 43
  }

  static let root: UInt64 = 1
  static let file: UInt64 = 2

  /// Largest write that one request carries.
  static let mostWritten = 1 << 20

  /// The answer to `initialise`: version, no read-ahead, big writes, no cache of writes.
  static var capabilities: ByteWriter {
    let bigWrites: UInt32 = 1 << 5
    let mostPagesIsSet: UInt32 = 1 << 22
    var body = ByteWriter()
    body.u32(7)
    body.u32(31)
    body.u32(0)
    body.u32(bigWrites | mostPagesIsSet)
    body.u16(16)
    body.u16(12)
    body.u32(UInt32(mostWritten))
    body.u32(1)
    body.u16(UInt16(mostWritten / 4_096))
    body.u16(0)
    for _ in 0..<8 { body.u32(0) }
    return body
  }

  /// `fuse_attr` of the root or of the file.
  static func attributes(of node: UInt64, size: Int, into body: inout ByteWriter) {
    let isFile = node == file
    body.u64(node)
    body.u64(isFile ? UInt64(size) : 0)
    body.u64(isFile ? UInt64(size / 512) : 0)
    for _ in 0..<3 { body.u64(0) }
    for _ in 0..<3 { body.u32(0) }
    body.u32(isFile ? UInt32(S_IFREG) | 0o600 : UInt32(S_IFDIR) | 0o700)
    body.u32(isFile ? 1 : 2)
    for _ in 0..<3 { body.u32(0) }
    body.u32(4_096)
    body.u32(0)
  }

  /// Seconds for which the kernel may believe what it was told of a node.
  private static let validSeconds: UInt64 = 3_600

  static func attributesAnswer(_ node: UInt64, size: Int) -> ByteWriter {
    var body = ByteWriter()
    body.u64(validSeconds)
    body.u64(0)
    attributes(of: node, size: size, into: &body)
    return body
  }

  static func entryAnswer(_ node: UInt64, size: Int) -> ByteWriter {
    var body = ByteWriter()
    body.u64(node)
    body.u64(0)
    body.u64(validSeconds)
    body.u64(validSeconds)
    body.u64(0)
    attributes(of: node, size: size, into: &body)
    return body
  }
}
