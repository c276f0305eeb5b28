import Bytes
import Cryptography
import Market

/// How an account's margin is computed.
public enum MarginModel: UInt8, Sendable, BitwiseCopyable {
  /// The worst of the price × volatility scenarios.
  case scenario = 0
}

/// One account as the settlement layer holds it: a leaf of the account tree.
///
/// Layout, little-endian, `n` = the market's currencies; its hash is Keccak-256 of the byte 0x10 and these bytes:
///
/// ```
///  0 account u32 │ 4 owner [20] │ 24 session-key root [32] │ 56 positions root [32] │ 88 equity i64
/// 96 marks' epoch u32 │ 100 margin model u8 │ 101 n u8 │ 102 ledger n × i64 │ 102 + 8n withdrawn n × i64
/// ```
public struct AccountLeaf: ByteCodable, Sendable, Hashable {
  /// Sets a leaf's hash apart from every other hash of the exchange.
  public static let hashPrefix: UInt8 = 0x10

  public var account: AccountID
  /// Who may withdraw; zero for the house.
  public var owner: Address
  /// Root over the account's registered session keys; zero while it has none.
  public var sessionKeyRoot: Digest
  /// `RFC6962Keccak` root over the encoded `PositionEntry`s, in order of instrument.
  public var positionsRoot: Digest
  /// In USD, at the marks of `marksEpoch`; negative when the account owes.
  public var equity: Money
  /// The epoch whose committed marks and indices `equity` was taken at.
  public var marksEpoch: Epoch
  public var marginModel: MarginModel
  /// Balance in each currency of the market, in order.
  public var ledger: [Money]
  /// Granted withdrawals in each currency since the first epoch; never falls.
  public var withdrawn: [Money]

  /// An account that has nothing yet, in a market of `currencies`.
  public init(account: AccountID, owner: Address, currencies: Int) {
    self.account = account
    self.owner = owner
    sessionKeyRoot = .zero
    positionsRoot = RFC6962Keccak.emptyRoot
    equity = .zero
    marksEpoch = Epoch(0)
    marginModel = .scenario
    ledger = Array(repeating: .zero, count: currencies)
    withdrawn = ledger
  }

  /// The leaf's hash in the account tree.
  public var hash: Digest {
    var writer = ByteWriter(capacity: 192)
    writer.u8(Self.hashPrefix)
    write(to: &writer)
    return Keccak256.hash(writer.bytes)
  }

  public func write(to writer: inout ByteWriter) {
    account.write(to: &writer)
    owner.write(to: &writer)
    sessionKeyRoot.write(to: &writer)
    positionsRoot.write(to: &writer)
    equity.write(to: &writer)
    marksEpoch.write(to: &writer)
    writer.u8(marginModel.rawValue)
    writer.u8(UInt8(truncatingIfNeeded: ledger.count))
    for amount in ledger { amount.write(to: &writer) }
    for amount in withdrawn { amount.write(to: &writer) }
  }

  public init(from reader: inout ByteReader) {
    account = AccountID(from: &reader)
    owner = Address(from: &reader)
    sessionKeyRoot = Digest(from: &reader)
    positionsRoot = Digest(from: &reader)
    equity = Money(from: &reader)
    marksEpoch = Epoch(from: &reader)
    marginModel = reader.enumeration(MarginModel.self, otherwise: .scenario)
    let currencies = Int(reader.u8())
    ledger = (0..<currencies).map { _ in Money(from: &reader) }
    withdrawn = (0..<currencies).map { _ in Money(from: &reader) }
  }
}
