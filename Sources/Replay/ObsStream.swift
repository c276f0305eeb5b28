import Bytes
import Market

/// An `OBSTRM01` order stream: 64 bytes of header, then 32 bytes a record, little-endian.
///
/// ```
/// header: magic [8] │ version u32 │ record size u32 │ records u64 │ warm-up records u64 │ instruments u32 │ flags u32
///         seed u64 │ minimum price i64 │ maximum price i64
/// record: 0 order id u64 │ 8 price i64 │ 16 quantity u32 │ 20 instrument u32 │ 24 operation u8 │ 25 side u8 │ 26
/// zero[6]
/// ```
public struct ObsStream {
  public static let headerBytes = 64
  public static let recordBytes = 32

  /// What a record asks for.
  public enum Kind: UInt8, Sendable {
    case new = 1
    /// What does not trade at once is dropped.
    case immediate = 2
    case cancel = 3
    /// A cancel and a new order of the same id.
    case replace = 4
    /// Takes `quantity` off what is open, in place.
    case reduce = 5
  }

  /// One operation; a cancel has neither price nor quantity, a reduction no price.
  public struct Record: Sendable {
    public var order: UInt64
    public var price: Int64
    public var quantity: UInt32
    public var instrument: UInt32
    public var kind: Kind
    public var side: Side
  }

  let bytes: UnsafeRawBufferPointer
  /// Records, warm-up included.
  public let count: Int
  /// The first so many records, which are not timed.
  public let warmUp: Int
  public let instruments: Int
  /// No price of the stream lies outside these two.
  public let minimumPrice: Int64
  public let maximumPrice: Int64

  /// Reads a stream's header; the bytes are the caller's to keep.
  /// - Parameter limit: takes the stream as if it ended after so many records.
  /// - Throws: `ReplayError` for what is no stream of a known version, and for a limit of none.
  public init(_ bytes: UnsafeRawBufferPointer, limit: Int? = nil) throws(ReplayError) {
    if let limit, limit < 1 { throw ReplayError("a limit of \(limit) records leaves nothing to replay") }
    guard bytes.count >= Self.headerBytes, bytes.prefix(8).elementsEqual("OBSTRM01".utf8) else {
      throw ReplayError("not an order stream: it does not begin with OBSTRM01")
    }
    var reader = ByteReader(bytes)
    _ = reader.u64()
    let version = reader.u32()
    let size = reader.u32()
    guard version == 1, size == Self.recordBytes else {
      throw ReplayError("order stream version \(version) with records of \(size) bytes; version 1 with 32 is known")
    }
    let records = reader.u64()
    let warmUp = reader.u64()
    let instruments = reader.u32()
    _ = reader.u32()
    _ = reader.u64()
    minimumPrice = reader.i64()
    maximumPrice = reader.i64()
    guard records <= UInt64((bytes.count - Self.headerBytes) / Self.recordBytes), warmUp <= records else {
      throw ReplayError("order stream claims \(records) records, \(warmUp) of them warm-up; it holds fewer")
    }
    guard instruments >= 1, instruments <= 65_536, minimumPrice >= 0, maximumPrice >= minimumPrice else {
      throw ReplayError("order stream with \(instruments) instruments, prices \(minimumPrice)-\(maximumPrice)")
    }
    self.bytes = bytes
    count = min(Int(records), limit ?? .max)
    self.warmUp = min(Int(warmUp), count)
    self.instruments = Int(instruments)
  }

  /// The record at `index`, from 0 up to `count`.
  /// - Throws: `ReplayError` for a kind, a side or an instrument that is none.
  public func record(_ index: Int) throws(ReplayError) -> Record {
    let start = Self.headerBytes + index * Self.recordBytes
    func load<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, _ type: T.Type) -> T {
      T(littleEndian: bytes.loadUnaligned(fromByteOffset: start + offset, as: T.self))
    }
    guard let kind = Kind(rawValue: load(24, UInt8.self)), let side = Side(rawValue: load(25, UInt8.self)) else {
      throw ReplayError("record \(index): unknown operation \(load(24, UInt8.self)) or side \(load(25, UInt8.self))")
    }
    let record = Record(
      order: load(0, UInt64.self), price: load(8, Int64.self), quantity: load(16, UInt32.self),
      instrument: load(20, UInt32.self), kind: kind, side: side)
    guard Int(record.instrument) < instruments else {
      throw ReplayError("record \(index): instrument \(record.instrument) of \(instruments)")
    }
    return record
  }
}
