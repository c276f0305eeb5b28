import Bytes
import Market

/// What a transport frame is for. A frame is one ZeroMQ message part: version u8, kind u8, body.
public enum FrameKind: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  /// Consumer to producer: send your stream to me from this number on (`StreamPosition`).
  case subscribe = 1
  /// Producer to consumer: messages of the stream (`StreamChunk`).
  case chunk = 2
  /// Consumer to producer: everything through this number is durable here (`StreamPosition`).
  case acknowledge = 3
  /// Signed actions, each a `u32` length and the bytes of a `SignedAction`.
  case submit = 4
  /// `ActionReply`s, each after a `u32` length.
  case replies = 5
  /// Execution reports and book changes (`Feed`).
  case feed = 6
  /// `ShardMarks` or `RiskMarks`.
  case marks = 7
  /// A question (`Query`) and its answer (`Answer`).
  case query = 8
  case answer = 9
  /// An action that did not reach a journal (`Refusal`).
  case refusal = 10
  /// A client session is over (`Machine.SessionEnd`): from its gateway to a shard, which says the same back when that
  /// is durable.
  case sessionEnd = 11
  /// Coordinator to verifier: re-execute this epoch: epoch u32, header hash [32].
  case attestationRequest = 12
  /// Verifier to coordinator: an `Attestation`.
  case attestation = 13
  /// Gateway to shard, client to gateway: send me your feed (`FeedSubscription`).
  case feedSubscription = 14
  /// Client to gateway: a shard u16, then as `submit`: actions for that shard. For those that name no instrument, such
  /// as a dead-man timer.
  case submitTo = 15
  /// Gateway to shard: I live (`GatewayHeartbeat`). Gateway to client, without a body: are you there?
  case heartbeat = 16
  /// Copy of a machine to its owner: here is where my journal ends, go on from there (`CopyPosition`); and how far it
  /// has what the owner sent: the owner's fence.
  case follow = 17
  case followed = 18
  /// Owner to copy: a commit batch, or a sign of life (`CopiedBatch`).
  case copiedBatch = 19
  /// Owner to copy, whose journal has another end: what mine held at some places (`CommonGround`).
  case commonGround = 20
  /// Owner to copy: all that I have is yours, take the next term. No body.
  case handOver = 21
  /// Anybody to a copy: do you own the machine? No body. Its answer, and what a new owner says to all who have asked
  /// (`OwnershipNotice`).
  case whoOwns = 22
  case ownership = 23
  /// Supervisor to node: a `NodeCommand`, and the node's answer: text, empty when it was done.
  case command = 24
  case commandDone = 25
  /// Owner to copy, which lacks entries that the owner's journal has no more, or that are not worth the way: this is my
  /// newest verified snapshot: term u32, then the offer.
  case snapshotOffer = 26
  /// Copy to owner: give me these parts of it, or what was owed to a consumer by then (`CopyRequest`).
  case snapshotWanted = 27
  /// Owner to copy: a part (`SnapshotPart`); messages that are owed (`OwedMessages`).
  case snapshotPart = 28
  case owedMessages = 29
  /// Consumer to producer: what does your clock say? And the answer (`ClockReading` both).
  case askTime = 30
  case time = 31
}

/// Writes and opens frames.
public enum Frame {
  public static let version: UInt8 = 1
  /// Bytes before the body.
  public static let headerBytes = 2

  /// Starts a frame in a cleared writer.
  public static func begin(_ kind: FrameKind, in writer: inout ByteWriter) {
    writer.clear()
    writer.u8(version)
    writer.u8(kind.rawValue)
  }

  /// A frame of one value.
  public static func write(_ kind: FrameKind, _ body: some ByteCodable, in writer: inout ByteWriter) {
    begin(kind, in: &writer)
    body.write(to: &writer)
  }

  /// The kind of a received frame and a reader over its body; `nil` for another version or an unknown kind.
  public static func open(_ bytes: UnsafeRawBufferPointer) -> (kind: FrameKind, body: ByteReader)? {
    var reader = ByteReader(bytes)
    guard reader.u8() == version, let kind = FrameKind(rawValue: reader.u8()), !reader.hasFailed else { return nil }
    return (kind, ByteReader(UnsafeRawBufferPointer(rebasing: bytes[headerBytes...])))
  }
}

/// A place on the stream towards `machine`: where to begin, or how far it got.
public struct StreamPosition: ByteCodable, Sendable, Hashable {
  /// The consumer.
  public var machine: MachineID
  public var number: UInt64
  public init(machine: MachineID, number: UInt64) {
    self.machine = machine
    self.number = number
  }
  public func write(to writer: inout ByteWriter) {
    machine.write(to: &writer)
    writer.u64(number)
  }
  public init(from reader: inout ByteReader) {
    machine = MachineID(from: &reader)
    number = reader.u64()
  }
}

/// Consecutive messages of one stream, as they stand in the outbox and will stand in the consumer's journal: source
/// u32, epoch u32, first number u64, count u16, then each message as `u32` length, kind byte, layout.
public struct StreamChunk {
  public static let headerBytes = 18
  public var source: MachineID
  /// The epoch in which the source produced them.
  public var epoch: Epoch
  public var firstNumber: UInt64
  public var count: UInt16
  /// Borrowed from the frame.
  public var messages: UnsafeRawBufferPointer

  public init(
    source: MachineID, epoch: Epoch, firstNumber: UInt64, count: UInt16, messages: UnsafeRawBufferPointer
  ) {
    self.source = source
    self.epoch = epoch
    self.firstNumber = firstNumber
    self.count = count
    self.messages = messages
  }

  public func write(to writer: inout ByteWriter) {
    source.write(to: &writer)
    epoch.write(to: &writer)
    writer.u64(firstNumber)
    writer.u16(count)
    writer.bytes(messages)
  }

  /// `nil` for a malformed chunk.
  public init?(from reader: inout ByteReader) {
    source = MachineID(from: &reader)
    epoch = Epoch(from: &reader)
    firstNumber = reader.u64()
    count = reader.u16()
    messages = reader.bytes(reader.remaining)
    if reader.hasFailed || count == 0 { return nil }
  }
}

/// An action refused before any journal saw it; it consumed no nonce.
public struct Refusal: ByteCodable, Sendable, Hashable {
  public var account: AccountID
  public var key: KeyID
  public var nonce: UInt64
  public var outcome: Outcome
  /// When to try again; 0 when trying again is of no use.
  public var retryAfterMilliseconds: UInt32
  /// Which field and why, for people.
  public var reason: String
  public init(
    account: AccountID, key: KeyID, nonce: UInt64, outcome: Outcome, retryAfterMilliseconds: UInt32 = 0,
    reason: String = ""
  ) {
    self.account = account
    self.key = key
    self.nonce = nonce
    self.outcome = outcome
    self.retryAfterMilliseconds = retryAfterMilliseconds
    self.reason = reason
  }
  public func write(to writer: inout ByteWriter) {
    account.write(to: &writer)
    key.write(to: &writer)
    writer.u64(nonce)
    writer.u16(outcome.rawValue)
    writer.u32(retryAfterMilliseconds)
    writer.text(reason)
  }
  public init(from reader: inout ByteReader) {
    account = AccountID(from: &reader)
    key = KeyID(from: &reader)
    nonce = reader.u64()
    outcome = reader.enumeration(Outcome.self, otherwise: .malformed)
    retryAfterMilliseconds = reader.u32()
    reason = reader.text()
  }
}

/// Which parts of a feed the sender wants.
public struct FeedSubscription: ByteCodable, Sendable, Hashable {
  public var wantsReports: Bool
  public var wantsBooks: Bool
  public init(wantsReports: Bool, wantsBooks: Bool) {
    self.wantsReports = wantsReports
    self.wantsBooks = wantsBooks
  }
  public func write(to writer: inout ByteWriter) {
    writer.bool(wantsReports)
    writer.bool(wantsBooks)
  }
  public init(from reader: inout ByteReader) {
    wantsReports = reader.bool()
    wantsBooks = reader.bool()
  }
}

extension StreamChunk {
  /// The chunk without its first `dropped` messages; `nil` when it has no more, or is malformed.
  public func dropping(_ dropped: Int) -> StreamChunk? {
    guard dropped > 0 else { return self }
    guard dropped < Int(count) else { return nil }
    var reader = ByteReader(messages)
    for _ in 0..<dropped { _ = reader.blob() }
    guard !reader.hasFailed else { return nil }
    return StreamChunk(
      source: source, epoch: epoch, firstNumber: firstNumber + UInt64(dropped), count: count - UInt16(dropped),
      messages: UnsafeRawBufferPointer(rebasing: messages[reader.offset...]))
  }
}
