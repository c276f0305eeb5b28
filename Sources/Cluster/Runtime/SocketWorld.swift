import Authority
import Bytes
import Cryptography
import Glibc
import Journal
import Machine
import Market
import Messaging
import Wire

/// The real world of a host: ZeroMQ sockets on a loop, LMDB on a thread of its own, the system's clocks, an authority.
final class SocketWorld: HostWorld {
  let router: Socket
  let sources: [MachineLink]
  /// Sockets to the machine's other copies, by node.
  private(set) var copies: [(node: String, socket: Socket)]
  private let loop: SocketLoop
  private let journal: JournalThread
  private let authority: NodeAuthority?
  private let shelf: QuarantineShelf
  private let machine: MachineID
  let lastDeath: NotedInput?
  /// Called on the loop.
  var batchIsDurable: @Sendable (CommitBatch, (any Error)?) -> Void = { _, _ in }
  var snapshotIsDurable: @Sendable ((any Error)?) -> Void = { _ in }
  var snapshotIsAdopted: @Sendable ((any Error)?) -> Void = { _ in }
  var authorityAnswered: @Sendable (AuthorityQuestion, AuthorityWord) -> Void = { _, _ in }
  /// Makes a snapshot beside the trading.
  var snapshotBeside: ((SequenceNumber, @escaping @Sendable ((any Error)?) -> Void) -> Void)?
  var wakeUp: LoopTimer?
  private var roomMeasuredAt: Int64 = 0
  private static let roomNanoseconds: Int64 = 200_000_000

  init(
    loop: SocketLoop, journal: JournalThread, router: Socket, sources: [MachineLink],
    copies: [(node: String, socket: Socket)], authority: NodeAuthority?, shelf: QuarantineShelf, machine: MachineID,
    lastDeath: NotedInput?
  ) {
    self.loop = loop
    self.journal = journal
    self.router = router
    self.sources = sources
    self.copies = copies
    self.authority = authority
    self.shelf = shelf
    self.machine = machine
    self.lastDeath = lastDeath
  }

  func monotonic() -> Int64 { MachineClock.monotonic() }
  func wall() -> Timestamp { MachineClock.wall() }

  func send(_ frame: UnsafeRawBufferPointer, to peer: [UInt8]) -> Socket.SendResult { router.offer(to: peer, frame) }
  func send(_ frame: UnsafeRawBufferPointer, toSource index: Int) -> Socket.SendResult { sources[index].offer(frame) }

  func write(_ batch: CommitBatch) {
    journal.write(batch) { [loop, batchIsDurable] failure in
      loop.perform { batchIsDurable(batch, failure) }
    }
  }

  func keep(snapshot: [UInt8], version: UInt16) {
    journal.keep(snapshot: snapshot, version: version) { [loop, snapshotIsDurable] failure in
      loop.perform { snapshotIsDurable(failure) }
    }
  }

  func makeSnapshotBeside(through sequence: SequenceNumber) -> Bool {
    guard let snapshotBeside else { return false }
    snapshotBeside(sequence) { [loop, snapshotIsDurable] failure in
      loop.perform { snapshotIsDurable(failure) }
    }
    return true
  }

  var room: JournalRoom {
    let now = monotonic()
    if now - roomMeasuredAt > Self.roomNanoseconds {
      roomMeasuredAt = now
      journal.measureRoom()
    }
    return journal.room
  }

  func forEachOutbox(destination: MachineID, from number: UInt64, _ body: (OutboxChunk) throws -> Bool) throws {
    try journal.journal.forEachOutbox(destination: destination, from: number, body)
  }

  var journalUse: (used: UInt64, capacity: UInt64) {
    (UInt64(journal.journal.bytesUsed), UInt64(journal.journal.mapSize))
  }

  func wake(at time: Int64) {
    wakeUp?.set(MonotonicTime.now().advanced(by: max(0, time - monotonic())))
  }

  /// What comes from other copies is taken at any time: the fence is among it.
  func setReceiving(_ isReceiving: Bool) {
    for socket in [router] + sources.flatMap(\.sockets) { loop.pause(socket, !isReceiving) }
  }

  // MARK: Other copies

  var hasAuthority: Bool { authority != nil }
  var leaseEnd: Int64 { authority?.holdsUntil ?? .max }
  var copyNodes: [String] { copies.map(\.node) }

  func ask(_ question: AuthorityQuestion) {
    guard let authority else { return }
    Task.detached { [loop, authorityAnswered] in
      let word = await authority.answer(question)
      loop.perform { authorityAnswered(question, word) }
    }
  }

  func send(_ frame: UnsafeRawBufferPointer, toCopyOn node: String) -> Socket.SendResult {
    copies.first { $0.node == node }?.socket.offer(frame) ?? .unreachable
  }

  func add(_ node: String, _ socket: Socket) { copies.append((node, socket)) }
  func remove(_ node: String) -> Socket? {
    guard let index = copies.firstIndex(where: { $0.node == node }) else { return nil }
    return copies.remove(at: index).socket
  }

  func forEachBatch(
    after sequence: SequenceNumber, _ body: (UnsafeRawBufferPointer, SequenceNumber) throws -> Bool
  ) throws {
    try journal.journal.forEachBatch(after: sequence, body)
  }

  func link(endingAt sequence: SequenceNumber) throws -> Digest? { try journal.journal.link(endingAt: sequence) }

  func recentLinks() throws -> [CommonGround.Link] {
    try journal.journal.recentLinks().map { CommonGround.Link(sequence: $0.sequence, link: $0.link) }
  }

  var journalBase: SequenceNumber { get throws { try journal.reader.base().sequence } }
  func newestSnapshot() throws -> SnapshotOffer? { try journal.reader.newestVerifiedSnapshot() }
  func snapshotPart(of sequence: SequenceNumber, _ part: UInt32) throws -> [UInt8]? {
    try journal.reader.snapshotPart(of: sequence, part)
  }

  func adopt(_ snapshot: JournalSnapshot, outbox: [OwedChunk]) {
    journal.adopt(snapshot, outbox: outbox) { [loop, snapshotIsAdopted] failure in
      loop.perform { snapshotIsAdopted(failure) }
    }
  }

  func copiesNeed(_ needs: [Retention.Need]) { journal.note(needsOfCopies: needs) }

  func cutJournal(after sequence: SequenceNumber) throws { try journal.cut(after: sequence) }

  func quarantines() throws -> [Quarantine] { try shelf.quarantines(of: machine) }

  /// Whatever ends the term ends the process: its supervisor starts it again from the journal.
  func endTerm(_ what: String, _ reason: any Error) { exit(HostExit.termEnded) }
}
