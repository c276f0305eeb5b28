import Glibc
import Journal
import Machine
import Market
import Messaging

/// The real world of a host: ZeroMQ sockets on a loop, LMDB on a thread of its own, the system's clocks.
final class SocketWorld: HostWorld {
  let router: Socket
  let sources: [Socket]
  private let loop: SocketLoop
  private let journal: JournalThread
  /// Called on the loop.
  var batchIsDurable: @Sendable (CommitBatch, (any Error)?) -> Void = { _, _ in }
  var snapshotIsDurable: @Sendable ((any Error)?) -> Void = { _ in }
  var wakeUp: LoopTimer?

  init(loop: SocketLoop, journal: JournalThread, router: Socket, sources: [Socket]) {
    self.loop = loop
    self.journal = journal
    self.router = router
    self.sources = sources
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

  func forEachOutbox(destination: MachineID, from number: UInt64, _ body: (OutboxChunk) throws -> Bool) throws {
    try journal.journal.forEachOutbox(destination: destination, from: number, body)
  }

  var journalUse: (used: UInt64, capacity: UInt64) {
    (UInt64(journal.journal.bytesUsed), UInt64(journal.journal.mapSize))
  }

  func wake(at time: Int64) {
    wakeUp?.set(MonotonicTime.now().advanced(by: max(0, time - monotonic())))
  }

  func setReceiving(_ isReceiving: Bool) {
    for socket in [router] + sources { loop.pause(socket, !isReceiving) }
  }

  /// Whatever ends the term ends the process: its supervisor starts it again from the journal.
  func endTerm(_ what: String, _ reason: any Error) { exit(HostExit.termEnded) }
}
