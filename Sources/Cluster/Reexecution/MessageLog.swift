import Bytes
import Glibc

/// Messages of one stream, each with a length before it, waiting to be held against the other end's.
struct MessageLog: ByteCodable {
  private var bytes: [UInt8] = []
  private var head = 0
  /// Number of the first message that is still here.
  private(set) var firstNumber: UInt64 = 1
  /// Number of the last message appended.
  private(set) var lastNumber: UInt64 = 0

  init() {}

  /// A log that begins after `number`: what came before is not known.
  init(after number: UInt64) {
    firstNumber = number + 1
    lastNumber = number
  }

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

  /// Drops from both what is equal, as far as both go. Where one begins later than the other, what the other has before
  /// has nothing to be held against, and goes.
  /// - Returns: the number of the first message that differs, or `nil`.
  static func reconcile(_ a: inout MessageLog, _ b: inout MessageLog) -> UInt64? {
    let start = max(a.firstNumber, b.firstNumber)
    a.skip(to: start)
    b.skip(to: start)
    guard a.firstNumber == b.firstNumber else { return nil }
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

  /// Drops what comes before message `number`, as far as it is here.
  private mutating func skip(to number: UInt64) {
    guard firstNumber < number, !isEmpty else { return }
    var end = head
    var next = firstNumber
    while next < number, end + 4 <= bytes.count {
      end += 4 + message(at: end).count
      next += 1
    }
    drop(end - head)
  }

  // MARK: Saving

  /// first number u64, last number u64, the messages as a blob, each with its length before it.
  func write(to writer: inout ByteWriter) {
    writer.u64(firstNumber)
    writer.u64(lastNumber)
    bytes[head...].withUnsafeBytes { writer.blob($0) }
  }

  init(from reader: inout ByteReader) {
    firstNumber = reader.u64()
    lastNumber = reader.u64()
    bytes = [UInt8](reader.blob())
    if firstNumber == 0 || lastNumber > UInt64(Int64.max) || lastNumber + 1 < firstNumber { reader.fail() }
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
