import Bytes
import Glibc

/// Messages of one stream, each with a length before it, waiting to be held against the other end's.
struct MessageLog {
  private var bytes: [UInt8] = []
  private var head = 0
  /// Number of the first message that is still here.
  private(set) var firstNumber: UInt64 = 1
  /// Number of the last message appended.
  private(set) var lastNumber: UInt64 = 0

  mutating func append(_ message: UnsafeRawBufferPointer) {
    withUnsafeBytes(of: UInt32(message.count).littleEndian) { bytes.append(contentsOf: $0) }
    bytes.append(contentsOf: message)
    lastNumber += 1
  }

  /// Appends messages that have their lengths before them already.
  mutating func append(framed: UnsafeRawBufferPointer, count: UInt64) {
    bytes.append(contentsOf: framed)
    lastNumber += count
  }

  var isEmpty: Bool { head == bytes.count }

  /// Drops from both what is equal, as far as both go.
  /// - Returns: the number of the first message that differs, or `nil`.
  static func reconcile(_ a: inout MessageLog, _ b: inout MessageLog) -> UInt64? {
    let common = min(a.bytes.count - a.head, b.bytes.count - b.head)
    guard common > 0 else { return nil }
    let isEqual = a.bytes.withUnsafeBytes { left in
      b.bytes.withUnsafeBytes { right in
        memcmp(left.baseAddress! + a.head, right.baseAddress! + b.head, common) == 0
      }
    }
    guard isEqual else { return a.firstDifference(from: b) }
    a.drop(common)
    b.drop(common)
    return nil
  }

  private mutating func drop(_ count: Int) {
    // Both logs hold whole messages, so equal bytes end between two.
    var reader = head
    let end = head + count
    while reader + 4 <= end {
      let length = bytes.withUnsafeBytes {
        Int(UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: reader, as: UInt32.self)))
      }
      guard reader + 4 + length <= end else { break }
      reader += 4 + length
      firstNumber += 1
    }
    head = reader
    if head > 1 << 16 {
      bytes.removeFirst(head)
      head = 0
    }
  }

  private func firstDifference(from other: MessageLog) -> UInt64 {
    var number = firstNumber
    var left = head
    var right = other.head
    while left + 4 <= bytes.count, right + 4 <= other.bytes.count {
      let a = message(at: left)
      let b = other.message(at: right)
      guard a.elementsEqual(b) else { break }
      left += 4 + a.count
      right += 4 + b.count
      number += 1
    }
    return number
  }

  private func message(at offset: Int) -> ArraySlice<UInt8> {
    let length = bytes.withUnsafeBytes {
      Int(UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
    }
    return bytes[min(offset + 4, bytes.count)..<min(offset + 4 + length, bytes.count)]
  }
}
