import Bytes
import Market

/// A signed action read where it lies, see `SignedActionHeader` for the layout.
struct SignedActionView {
  let base: UnsafeRawPointer
  let count: Int

  /// `nil` unless the bytes are exactly one well-formed action.
  @inline(__always) init?(_ payload: UnsafeRawBufferPointer) {
    guard let base = payload.baseAddress, payload.count >= SignedActionHeader.byteCount else { return nil }
    self.base = base
    count = Int(Self.load(base, 2, UInt16.self))
    let module = Self.load(base, 0, UInt8.self)
    guard module <= SignedActionHeader.Module.withdrawal.rawValue, Self.load(base, 1, UInt8.self) <= 1,
      count >= 1, count <= SignedActionHeader.maximumOperations, Self.load(base, 26, UInt16.self) == 0,
      Self.load(base, 28, UInt32.self) <= 255, module == 1 || count == 1,
      payload.count == SignedActionHeader.byteCount + count * Operation.byteCount
    else { return nil }
  }

  /// The same for what comes most: one operation of a batch under the owner's key in the shard's own underlying, whose
  /// key, zero and underlying stand in `expected`; `nil` leaves the judgement to the other initializer.
  @inline(__always) init?(lone payload: UnsafeRawBufferPointer, _ expected: UInt64) {
    guard _fastPath(payload.count == SignedActionHeader.byteCount + Operation.byteCount),
      let base = payload.baseAddress,
      _fastPath(Self.load(base, 0, UInt32.self) & 0xFFFF_FEFF == 0x0001_0001),
      _fastPath(Self.load(base, 24, UInt64.self) == expected)
    else { return nil }
    self.base = base
    count = 1
  }

  /// The same, of which it is known already.
  @inline(__always) init(lone base: UnsafeRawPointer) {
    self.base = base
    count = 1
  }
  /// The bytes of an action of one operation.
  var lonePayload: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: base, count: SignedActionHeader.byteCount + Operation.byteCount)
  }

  @inline(__always) private static func load<T: FixedWidthInteger & BitwiseCopyable>(
    _ base: UnsafeRawPointer, _ offset: Int, _ type: T.Type
  ) -> T { T(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: T.self)) }
  @inline(__always) private func word(_ offset: Int) -> UInt64 { Self.load(base, offset, UInt64.self) }

  @inline(__always) var isTrade: Bool { Self.load(base, 0, UInt8.self) == SignedActionHeader.Module.trade.rawValue }
  @inline(__always) var isWithdrawal: Bool {
    Self.load(base, 0, UInt8.self) == SignedActionHeader.Module.withdrawal.rawValue
  }
  @inline(__always) var account: AccountID { AccountID(Self.load(base, 4, UInt32.self)) }
  @inline(__always) var nonce: UInt64 { word(8) }
  /// Unix seconds.
  @inline(__always) var expiry: UInt64 { word(16) }
  @inline(__always) var key: UInt16 { Self.load(base, 24, UInt16.self) }
  @inline(__always) var underlying: UnderlyingID {
    UnderlyingID(UInt8(truncatingIfNeeded: Self.load(base, 28, UInt32.self)))
  }
  @inline(__always) var session: UInt64 { word(136) }
  @inline(__always) var generation: UInt64 { word(144) }
  @inline(__always) var maximumFee: Int64 { Int64(bitPattern: word(152)) }

  /// Whether signer and owner both are the account's owner.
  @inline(__always) func isSigned(by account: UnsafeMutablePointer<Account>) -> Bool {
    let address = account.pointee.owner.words
    let tail = UInt64(address.2)
    // `^` binds no closer than `|`: every difference stands in its own parentheses.
    let signer = (word(32) ^ address.0) | (word(40) ^ address.1)
    let owner = (word(52) ^ address.0) | (word(60) ^ address.1)
    let tails = (UInt64(Self.load(base, 48, UInt32.self)) ^ tail) | (UInt64(Self.load(base, 68, UInt32.self)) ^ tail)
    return signer | owner | tails == 0
  }

  @inline(__always) func operation(_ index: Int) -> OperationView {
    OperationView(base + SignedActionHeader.byteCount + index &* Operation.byteCount)
  }

  /// 64 bits over what the signature covers beyond account, key, nonce and signer, which are known when it is compared:
  /// a polynomial over the words of the rest. It tells a resend from another action under the same nonce; who makes two
  /// of their own collide only gets their old answer back.
  @inline(__always) var contentHash: UInt64 {
    let factor = Self.factor
    // Two halves, so that their multiplications overlap.
    var low = (word(0) & 0xFFFF_00FF) &* factor &+ word(16)
    var high = word(152)
    var place = base + SignedActionHeader.byteCount
    for _ in 0..<count {
      for offset in stride(from: 0, to: Operation.byteCount / 2, by: 8) {
        low = low &* factor &+ Self.load(place, offset, UInt64.self)
        high = high &* factor &+ Self.load(place, offset + Operation.byteCount / 2, UInt64.self)
      }
      place += Operation.byteCount
    }
    return low &+ high &* Self.lastFactor
  }
  private static var factor: UInt64 { 0xD6E8_FEB8_6659_FD93 }
  private static var lastFactor: UInt64 { 0x9E37_79B9_7F4A_7C15 }

  /// `contentHash` of a lone action, whose operation ends in zeros behind its quantity.
  @inline(__always) var contentOfLoneOrder: UInt64 {
    let factor = Self.factor
    let operation = base + SignedActionHeader.byteCount
    var low = 0x0001_0001 &* factor &+ word(16)
    for offset in stride(from: 0, to: Operation.byteCount / 2, by: 8) {
      low = low &* factor &+ Self.load(operation, offset, UInt64.self)
    }
    return low &+ word(152) &* (factor &* factor &* factor &* factor &* Self.lastFactor)
  }
  /// `contentHash` of a lone action, whose operation has nothing but manner, instrument and target.
  @inline(__always) var contentOfLoneCancel: UInt64 {
    let factor = Self.factor
    let operation = base + SignedActionHeader.byteCount
    let low = (0x0001_0001 &* factor &+ word(16)) &* factor &+ Self.load(operation, 0, UInt64.self)
    let high = word(152) &* factor &+ Self.load(operation, 32, UInt64.self)
    return (low &* factor &+ Self.load(operation, 8, UInt64.self)) &* (factor &* factor)
      &+ high &* (factor &* factor &* factor &* Self.lastFactor)
  }
}
