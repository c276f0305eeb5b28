import Bytes

/// Nanoseconds since 1970-01-01T00:00:00Z, as stamped onto an input by the runtime. Machines know no other time.
public struct Timestamp: Hashable, Comparable, Sendable, BitwiseCopyable, ByteCodable, CustomStringConvertible {
  public let nanoseconds: Int64
  @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
  @inlinable public init(seconds: Int64) { nanoseconds = seconds * 1_000_000_000 }
  /// Later than every stamp: a deadline that never comes.
  @inlinable public static var never: Timestamp { Timestamp(nanoseconds: .max) }
  /// Before every stamp.
  @inlinable public static var zero: Timestamp { Timestamp(nanoseconds: 0) }

  /// Whole seconds, rounded down.
  public var seconds: Int64 { nanoseconds / 1_000_000_000 }
  @inlinable public static func < (a: Timestamp, b: Timestamp) -> Bool { a.nanoseconds < b.nanoseconds }
  @inlinable public static func + (a: Timestamp, b: Interval) -> Timestamp {
    let (sum, overflow) = a.nanoseconds.addingReportingOverflow(b.nanoseconds)
    return overflow ? .never : Timestamp(nanoseconds: sum)
  }
  @inlinable public static func - (a: Timestamp, b: Timestamp) -> Interval {
    Interval(nanoseconds: a.nanoseconds &- b.nanoseconds)
  }
  public func write(to writer: inout ByteWriter) { writer.i64(nanoseconds) }
  public init(from reader: inout ByteReader) { nanoseconds = reader.i64() }
  public var description: String { "\(nanoseconds)ns" }
}

/// A span of time in nanoseconds.
public struct Interval: Hashable, Comparable, Sendable, BitwiseCopyable, ByteCodable {
  public let nanoseconds: Int64
  @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
  public static func milliseconds(_ value: Int64) -> Interval { Interval(nanoseconds: value * 1_000_000) }
  public static func seconds(_ value: Int64) -> Interval { Interval(nanoseconds: value * 1_000_000_000) }
  public static func days(_ value: Int64) -> Interval { seconds(value * 86_400) }
  @inlinable public static func < (a: Interval, b: Interval) -> Bool { a.nanoseconds < b.nanoseconds }
  public func write(to writer: inout ByteWriter) { writer.i64(nanoseconds) }
  public init(from reader: inout ByteReader) { nanoseconds = reader.i64() }
}
