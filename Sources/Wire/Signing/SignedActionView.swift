import Bytes
import Market

/// A signed action in place: its header, and its operations where they lie. The bytes must outlive the view.
public struct SignedActionView {
  public let header: SignedActionHeader
  /// `header.operationCount` times 64 bytes.
  public let operations: UnsafeRawBufferPointer

  /// Refuses a header that announces another number of operations, or a number that its module does not allow.
  public init(header: SignedActionHeader, operations: UnsafeRawBufferPointer) throws(SigningError) {
    let count = Int(header.operationCount)
    guard operations.count == count * Operation.byteCount else {
      throw .field(
        name: "operations", value: "\(operations.count) bytes", rule: "must be \(count) of \(Operation.byteCount) bytes"
      )
    }
    let most = header.module == .batch ? SignedActionHeader.maximumOperations : 1
    guard (1...most).contains(count) else {
      throw .field(name: "operation count", value: "\(count)", rule: "must be 1 to \(most) for a \(header.module)")
    }
    self.header = header
    self.operations = operations
  }

  /// Reads exactly one action in the layout of `SignedAction`.
  public init(_ bytes: UnsafeRawBufferPointer) throws(SigningError) {
    var reader = ByteReader(bytes)
    let header = SignedActionHeader(from: &reader)
    guard !reader.hasFailed else {
      throw .field(name: "action", value: "\(bytes.count) bytes", rule: "must begin with a well-formed header")
    }
    try self.init(header: header, operations: reader.bytes(reader.remaining))
  }

  public var operationCount: Int { Int(header.operationCount) }

  /// Operation `index`, which must be below the count.
  public subscript(index: Int) -> Operation {
    precondition(index >= 0 && index < operationCount, "an action has no such operation")
    return operations.loadUnaligned(fromByteOffset: index * Operation.byteCount, as: Operation.self)
  }
}

extension SignedAction {
  /// Calls `body` with a view of this action.
  public func withView<R>(_ body: (SignedActionView) throws(SigningError) -> R) throws(SigningError) -> R {
    try operations.withUnsafeBufferPointer { operations throws(SigningError) in
      try body(SignedActionView(header: header, operations: UnsafeRawBufferPointer(operations)))
    }
  }
}
