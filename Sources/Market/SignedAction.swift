import Bytes

/// A user's signed action as journalled, the whole of what the user's key vouched for: 160 bytes of header, then the
/// operations, 64 bytes each. Little-endian.
///
/// ```
///   0 module u8 │ 1 recovery id u8 │ 2 operation count u16 │ 4 account u32 │ 8 nonce u64 │ 16 expiry u64 (unix s)
///  24 key u16 │ 26 zero u16 │ 28 underlying u32 │ 32 signer [20] │ 52 owner [20] │ 72 r [32] │ 104 s [32]
/// 136 session u64 │ 144 session generation u64 │ 152 maximum fee i64
/// ```
public struct SignedActionHeader: Sendable, Hashable, BitwiseCopyable {
  public static let byteCount = 160
  /// Where session and session generation lie, which the gateway fills in.
  public static let sessionOffset = 136
  /// Most operations under one signature.
  public static let maximumOperations = 256

  /// Which module's data the signature covers.
  public enum Module: UInt8, Sendable, BitwiseCopyable {
    /// Derive's own trade data: one order.
    case trade = 0
    /// Novation's batch: {underlying, count, Merkle root of the operations}.
    case batch = 1
    /// Derive's withdrawal data: one withdrawal.
    case withdrawal = 2
  }

  public var module: Module
  public var operationCount: UInt16
  public var account: AccountID
  public var nonce: UInt64
  /// Unix seconds after which the signature is void.
  public var expiry: UInt64
  public var key: KeyID
  /// The underlying that a batch names.
  public var underlying: UnderlyingID
  public var signer: Address
  public var owner: Address
  public var signature: RecoverableSignature
  /// The gateway's session with its sender, if some order in it is to be cancelled when that ends; else zero.
  /// Not signed.
  public var session: UInt64
  public var sessionGeneration: UInt64
  /// Most fee per unit that a trade's signer accepts, in USD; trades only.
  public var maximumFee: Money

  public init(
    module: Module, operationCount: UInt16, account: AccountID, nonce: UInt64, expiry: UInt64, key: KeyID = .owner,
    underlying: UnderlyingID, signer: Address, owner: Address, signature: RecoverableSignature, session: UInt64 = 0,
    sessionGeneration: UInt64 = 0, maximumFee: Money = .zero
  ) {
    self.module = module
    self.operationCount = operationCount
    self.account = account
    self.nonce = nonce
    self.expiry = expiry
    self.key = key
    self.underlying = underlying
    self.signer = signer
    self.owner = owner
    self.signature = signature
    self.session = session
    self.sessionGeneration = sessionGeneration
    self.maximumFee = maximumFee
  }
}

extension SignedActionHeader: ByteCodable {
  public func write(to writer: inout ByteWriter) {
    writer.u8(module.rawValue)
    writer.u8(signature.recoveryID)
    writer.u16(operationCount)
    account.write(to: &writer)
    writer.u64(nonce)
    writer.u64(expiry)
    key.write(to: &writer)
    writer.u16(0)
    writer.u32(UInt32(underlying.rawValue))
    signer.write(to: &writer)
    owner.write(to: &writer)
    signature.r.write(to: &writer)
    signature.s.write(to: &writer)
    writer.u64(session)
    writer.u64(sessionGeneration)
    maximumFee.write(to: &writer)
  }

  public init(from reader: inout ByteReader) {
    module = reader.enumeration(Module.self, otherwise: .batch)
    let recoveryID = reader.u8()
    operationCount = reader.u16()
    account = AccountID(from: &reader)
    nonce = reader.u64()
    expiry = reader.u64()
    key = KeyID(from: &reader)
    if reader.u16() != 0 { reader.fail() }
    let underlying = reader.u32()
    self.underlying = UnderlyingID(UInt8(truncatingIfNeeded: underlying))
    signer = Address(from: &reader)
    owner = Address(from: &reader)
    signature = RecoverableSignature(r: Digest(from: &reader), s: Digest(from: &reader), recoveryID: recoveryID)
    session = reader.u64()
    sessionGeneration = reader.u64()
    maximumFee = Money(from: &reader)
    if underlying > 255 || recoveryID > 1 || operationCount == 0 || operationCount > Self.maximumOperations {
      reader.fail()
    }
    if module != .batch && operationCount != 1 { reader.fail() }
  }
}

/// A signed action: its header and its operations.
public struct SignedAction: Sendable, Hashable, ByteCodable {
  public var header: SignedActionHeader
  public var operations: [Operation]
  public init(header: SignedActionHeader, operations: [Operation]) {
    self.header = header
    self.operations = operations
  }
  public func write(to writer: inout ByteWriter) {
    header.write(to: &writer)
    for operation in operations { operation.write(to: &writer) }
  }
  public init(from reader: inout ByteReader) {
    header = SignedActionHeader(from: &reader)
    operations = []
    guard reader.remaining >= Int(header.operationCount) * Operation.byteCount else {
      reader.fail()
      return
    }
    for _ in 0..<header.operationCount { operations.append(Operation(from: &reader)) }
  }
}

/// A withdrawal as it stands in the one operation slot of a withdrawal action:
/// kind u8 (6), zero u8, currency u8, zero[5], amount i64, recipient [20], maximum fee i64 (USD), zero to 64 bytes.
public struct Withdrawal: Sendable, Hashable, BitwiseCopyable, ByteCodable {
  public var currency: Currency
  /// In 1e-8 of the currency.
  public var amount: Money
  public var recipient: Address
  public var maximumFee: Money
  public init(currency: Currency, amount: Money, recipient: Address, maximumFee: Money) {
    self.currency = currency
    self.amount = amount
    self.recipient = recipient
    self.maximumFee = maximumFee
  }
  public func write(to writer: inout ByteWriter) {
    writer.u16(UInt16(Operation.Kind.withdraw.rawValue))
    currency.write(to: &writer)
    writer.bytes([0, 0, 0, 0, 0])
    amount.write(to: &writer)
    recipient.write(to: &writer)
    maximumFee.write(to: &writer)
    for _ in 0..<20 { writer.u8(0) }
  }
  public init(from reader: inout ByteReader) {
    if reader.u16() != UInt16(Operation.Kind.withdraw.rawValue) { reader.fail() }
    currency = Currency(from: &reader)
    if reader.bytes(5).contains(where: { $0 != 0 }) { reader.fail() }
    amount = Money(from: &reader)
    recipient = Address(from: &reader)
    maximumFee = Money(from: &reader)
    if reader.bytes(20).contains(where: { $0 != 0 }) { reader.fail() }
  }
}
