import CLMDB

/// A key of an LMDB database: 1 to 511 bytes whose order is the database's order.
public protocol LMDBKey {
  /// True when the bytes are one native integer of 4 or 8 bytes, compared as such; otherwise they compare as strings.
  static var comparesAsInteger: Bool { get }
  /// Calls `body` with the key's bytes.
  func withKeyBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result
  /// `nil` when the bytes are no such key.
  init?(keyBytes: UnsafeRawBufferPointer)
}

extension UInt64: LMDBKey {
  public static var comparesAsInteger: Bool { true }
  public func withKeyBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    withUnsafeBytes(of: self, body)
  }
  public init?(keyBytes: UnsafeRawBufferPointer) {
    guard keyBytes.count == 8 else { return nil }
    self = keyBytes.loadUnaligned(as: UInt64.self)
  }
}

extension String: LMDBKey {
  public static var comparesAsInteger: Bool { false }
  public func withKeyBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    var text = self
    return text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
  }
  public init?(keyBytes: UnsafeRawBufferPointer) { self.init(validating: keyBytes, as: UTF8.self) }
}

extension [UInt8]: LMDBKey {
  public static var comparesAsInteger: Bool { false }
  public func withKeyBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result { withUnsafeBytes(body) }
  public init?(keyBytes: UnsafeRawBufferPointer) { self = [UInt8](keyBytes) }
}

/// A named database of an environment, whose keys are of one type.
public struct LMDBDatabase<Key: LMDBKey>: Sendable {
  let index: MDB_dbi
  let name: String
}

extension MDB_val {
  init(_ bytes: UnsafeRawBufferPointer) {
    self.init(mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
  }
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: mv_data, count: mv_size) }
}
