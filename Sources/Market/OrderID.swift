import Bytes

/// Names an order for ever: the action that placed it and the place in that action. Replace and amend keep it.
@frozen public struct OrderID: Hashable, Sendable, BitwiseCopyable, ByteCodable {
  public var nonce: UInt64
  public var account: AccountID
  public var key: KeyID
  public var index: UInt16
  @inlinable public init(account: AccountID, key: KeyID, nonce: UInt64, index: UInt16) {
    self.nonce = nonce
    self.account = account
    self.key = key
    self.index = index
  }
  public func write(to writer: inout ByteWriter) {
    writer.u64(nonce)
    account.write(to: &writer)
    key.write(to: &writer)
    writer.u16(index)
  }
  public init(from reader: inout ByteReader) {
    nonce = reader.u64()
    account = AccountID(from: &reader)
    key = KeyID(from: &reader)
    index = reader.u16()
  }
}

extension OrderID: Comparable {
  @inlinable public static func < (a: OrderID, b: OrderID) -> Bool {
    (a.account, a.key, a.nonce, a.index) < (b.account, b.key, b.nonce, b.index)
  }
}
