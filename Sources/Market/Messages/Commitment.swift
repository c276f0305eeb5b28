import Bytes

/// The runtime's input that ends a machine's epoch. It tells the machine what only its journal knows, so that the
/// machine's own output can commit to it: everything before this entry.
public struct Seal: ByteCodable, Sendable, Hashable {
  /// The epoch that ends; the machine is in `epoch + 1` afterwards.
  public var epoch: Epoch
  public var term: Term
  /// First journal entry of the epoch, and the last one before this seal (one less than first if there was none).
  public var firstSequence: SequenceNumber
  public var lastSequence: SequenceNumber
  /// Hash-chain link of the last commit batch before this entry.
  public var chainHead: Digest
  /// RFC 6962 root (SHA-256) over the epoch's entries, in order, this seal excluded.
  public var entryRoot: Digest
  public init(
    epoch: Epoch, term: Term, firstSequence: SequenceNumber, lastSequence: SequenceNumber, chainHead: Digest,
    entryRoot: Digest
  ) {
    self.epoch = epoch
    self.term = term
    self.firstSequence = firstSequence
    self.lastSequence = lastSequence
    self.chainHead = chainHead
    self.entryRoot = entryRoot
  }
  public func write(to writer: inout ByteWriter) {
    epoch.write(to: &writer)
    term.write(to: &writer)
    firstSequence.write(to: &writer)
    lastSequence.write(to: &writer)
    chainHead.write(to: &writer)
    entryRoot.write(to: &writer)
  }
  public init(from reader: inout ByteReader) {
    epoch = Epoch(from: &reader)
    term = Term(from: &reader)
    firstSequence = SequenceNumber(from: &reader)
    lastSequence = SequenceNumber(from: &reader)
    chainHead = Digest(from: &reader)
    entryRoot = Digest(from: &reader)
  }
}

/// A machine's answer to a seal: what happened in the epoch, as the settlement layer will hold it.
public struct Commitment: StreamMessage, Hashable {
  public static let kind = MessageKind.commitment

  /// Movement of one account's ledger in one currency over the epoch.
  public struct LedgerDelta: Sendable, Hashable, BitwiseCopyable {
    public var account: AccountID
    public var currency: Currency
    public var amount: Money
    public init(account: AccountID, currency: Currency, amount: Money) {
      self.account = account
      self.currency = currency
      self.amount = amount
    }
  }
  /// Movement of one account's position in one instrument over the epoch.
  public struct PositionDelta: Sendable, Hashable, BitwiseCopyable {
    public var account: AccountID
    public var instrument: InstrumentID
    public var lots: Lots
    public init(account: AccountID, instrument: InstrumentID, lots: Lots) {
      self.account = account
      self.instrument = instrument
      self.lots = lots
    }
  }
  /// A withdrawal granted in the epoch (risk only). Its ledger delta is among `ledger` too.
  public struct GrantedWithdrawal: Sendable, Hashable, BitwiseCopyable {
    public var account: AccountID
    public var currency: Currency
    public var amount: Money
    public var recipient: Address
    public var nonce: UInt64
    public init(account: AccountID, currency: Currency, amount: Money, recipient: Address, nonce: UInt64) {
      self.account = account
      self.currency = currency
      self.amount = amount
      self.recipient = recipient
      self.nonce = nonce
    }
  }
  /// A mark in force at risk's seal (risk only).
  public struct Mark: Sendable, Hashable, BitwiseCopyable {
    public var instrument: InstrumentID
    public var price: Price
    public init(instrument: InstrumentID, price: Price) {
      self.instrument = instrument
      self.price = price
    }
  }

  public var machine: MachineID
  public var seal: Seal
  /// Hash of the machine's whole state just after the seal.
  public var stateHash: UInt64
  /// Fills sent so far, in all epochs (shards).
  public var fillNumber: UInt64
  /// RFC 6962-shaped Keccak-256 root over the encoded fills of the epoch; zero if none (shards). Risk's own is zero.
  public var fillRoot: Digest
  /// In order of (account, currency), no zero amounts.
  public var ledger: [LedgerDelta]
  /// In order of (account, instrument), no zero amounts.
  public var positions: [PositionDelta]
  /// Risk only: deposits consumed so far, in all epochs.
  public var depositCursor: UInt64
  /// Risk only: in order of grant.
  public var withdrawals: [GrantedWithdrawal]
  /// Risk only: marks that changed since its last seal, in order of instrument.
  public var marks: [Mark]
  /// Risk only: index of each underlying in USD, in order of id; zero where none has come yet.
  public var indices: [Price]

  public init(machine: MachineID, seal: Seal) {
    self.machine = machine
    self.seal = seal
    stateHash = 0
    fillNumber = 0
    fillRoot = .zero
    ledger = []
    positions = []
    depositCursor = 0
    withdrawals = []
    marks = []
    indices = []
  }

  public func write(to writer: inout ByteWriter) {
    machine.write(to: &writer)
    seal.write(to: &writer)
    writer.u64(stateHash)
    writer.u64(fillNumber)
    fillRoot.write(to: &writer)
    writer.u32(UInt32(ledger.count))
    for delta in ledger {
      delta.account.write(to: &writer)
      delta.currency.write(to: &writer)
      delta.amount.write(to: &writer)
    }
    writer.u32(UInt32(positions.count))
    for delta in positions {
      delta.account.write(to: &writer)
      delta.instrument.write(to: &writer)
      delta.lots.write(to: &writer)
    }
    writer.u64(depositCursor)
    writer.u32(UInt32(withdrawals.count))
    for withdrawal in withdrawals {
      withdrawal.account.write(to: &writer)
      withdrawal.currency.write(to: &writer)
      withdrawal.amount.write(to: &writer)
      withdrawal.recipient.write(to: &writer)
      writer.u64(withdrawal.nonce)
    }
    writer.u32(UInt32(marks.count))
    for mark in marks {
      mark.instrument.write(to: &writer)
      mark.price.write(to: &writer)
    }
    writer.u32(UInt32(indices.count))
    for index in indices { index.write(to: &writer) }
  }

  public init(from reader: inout ByteReader) {
    machine = MachineID(from: &reader)
    seal = Seal(from: &reader)
    stateHash = reader.u64()
    fillNumber = reader.u64()
    fillRoot = Digest(from: &reader)
    ledger = (0..<reader.itemCount(minimumSize: 13)).map { _ in
      LedgerDelta(account: AccountID(from: &reader), currency: Currency(from: &reader), amount: Money(from: &reader))
    }
    positions = (0..<reader.itemCount(minimumSize: 16)).map { _ in
      PositionDelta(
        account: AccountID(from: &reader), instrument: InstrumentID(from: &reader), lots: Lots(from: &reader))
    }
    depositCursor = reader.u64()
    withdrawals = (0..<reader.itemCount(minimumSize: 41)).map { _ in
      GrantedWithdrawal(
        account: AccountID(from: &reader), currency: Currency(from: &reader), amount: Money(from: &reader),
        recipient: Address(from: &reader), nonce: reader.u64())
    }
    marks = (0..<reader.itemCount(minimumSize: 12)).map { _ in
      Mark(instrument: InstrumentID(from: &reader), price: Price(from: &reader))
    }
    indices = (0..<reader.itemCount(minimumSize: 8)).map { _ in Price(from: &reader) }
  }
}

/// Settlement to risk: a deposit that the settlement layer holds. Numbered from 1, without gaps.
public struct Deposit: StreamMessage, Hashable {
  public static let kind = MessageKind.deposit
  public var number: UInt64
  public var account: AccountID
  public var owner: Address
  public var currency: Currency
  public var amount: Money
  public init(number: UInt64, account: AccountID, owner: Address, currency: Currency, amount: Money) {
    self.number = number
    self.account = account
    self.owner = owner
    self.currency = currency
    self.amount = amount
  }
  public func write(to writer: inout ByteWriter) {
    writer.u64(number)
    account.write(to: &writer)
    owner.write(to: &writer)
    currency.write(to: &writer)
    amount.write(to: &writer)
  }
  public init(from reader: inout ByteReader) {
    number = reader.u64()
    account = AccountID(from: &reader)
    owner = Address(from: &reader)
    currency = Currency(from: &reader)
    amount = Money(from: &reader)
  }
}

/// Settlement to risk: the settlement layer has made the epoch final.
public struct EpochFinal: StreamMessage, Hashable {
  public static let kind = MessageKind.epochFinal
  public var epoch: Epoch
  public var root: Digest
  public init(epoch: Epoch, root: Digest) {
    self.epoch = epoch
    self.root = root
  }
  public func write(to writer: inout ByteWriter) {
    epoch.write(to: &writer)
    root.write(to: &writer)
  }
  public init(from reader: inout ByteReader) {
    epoch = Epoch(from: &reader)
    root = Digest(from: &reader)
  }
}
