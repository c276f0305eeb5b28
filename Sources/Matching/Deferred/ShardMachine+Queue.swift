import Bytes
import Machine
import Market

// Operations that wait for an unfinished order of their book, or for one of their own action.
extension ShardMachine {
  /// Lets an operation wait; `book` is the one that it waits for, or `Job.everyBook`.
  mutating func enqueue(_ operation: OperationView, _ index: UInt16, _ origin: Origin, _ book: UInt32) -> Answer {
    if queue.count >= Int(parameters.queuedOperations) || queue.isFull { return Answer(outcome: .busy) }
    enlistQueued(
      QueuedOperation(
        deferral: Deferral(origin: origin, index: index, operation: operation.base.loadUnaligned(as: Operation.self)),
        book: book))
    return Answer(outcome: .queued)
  }

  mutating func enlistQueued(_ operation: QueuedOperation) {
    let slot = queue.insert(operation)
    queue[slot].previous = lastQueued
    queue[slot].next = 0
    if lastQueued == 0 { firstQueued = slot } else { queue[lastQueued].next = slot }
    lastQueued = slot
    accounts[operation.deferral.origin.accountSlot].deferred += 1
    if operation.book != Job.everyBook {
      books[Int(operation.book)].queued += 1
      updateGate(Int(operation.book))
    }
    if !jobs.contains(where: { $0.kind == .takeUp }) { jobs.append(Job(kind: .takeUp)) }
  }

  private mutating func delistQueued(_ slot: Slot) {
    let operation = queue[slot]
    if operation.previous == 0 { firstQueued = operation.next } else { queue[operation.previous].next = operation.next }
    if operation.next == 0 {
      lastQueued = operation.previous
    } else {
      queue[operation.next].previous = operation.previous
    }
    accounts[operation.deferral.origin.accountSlot].deferred -= 1
    if operation.book != Job.everyBook {
      books[Int(operation.book)].queued -= 1
      updateGate(Int(operation.book))
    }
    if queueCursor == slot { queueCursor = operation.next }
    queue.remove(slot)
    isQueueStuck = false
  }

  /// Ends an operation that has not been taken up.
  mutating func dequeue(_ slot: Slot, _ outcome: Outcome, into output: inout OutputBuffer) {
    let deferral = queue[slot].deferral
    delistQueued(slot)
    conclude(deferral, Answer(outcome: outcome), into: &output)
  }

  /// Takes up what need not wait any longer; true when nothing waits.
  mutating func takeUpQueued(into output: inout OutputBuffer) -> Bool {
    queuePass &+= 1
    queueCursor = firstQueued
    var blocked: SequenceNumber?
    while queueCursor != 0 {
      let slot = queueCursor
      let operation = queue[slot]
      let sequence = operation.deferral.origin.sequence
      var waits = blocked == sequence || isSweeping(sequence)
      if operation.book != Job.everyBook {
        let book = books.at(Int(operation.book))
        // Only the first in line of its book may go.
        if book.pointee.queuePass == queuePass || book.pointee.sweep != 0 || book.pointee.state == .uncrossing {
          waits = true
        }
        if waits { book.pointee.queuePass = queuePass }
      }
      if waits {
        blocked = sequence
        queueCursor = operation.next
      } else {
        if budget == 0 { return false }
        budget -= 1
        delistQueued(slot)
        let deferral = operation.deferral
        let answer = withUnsafeBytes(of: deferral.operation) { bytes in
          perform(
            OperationView(bytes.baseAddress.unsafelyUnwrapped), deferral.index, deferral.origin, into: &output)
        }
        conclude(deferral, answer, into: &output)
        lookAtLast(into: &output)
      }
    }
    isQueueStuck = true
    return firstQueued == 0
  }

  private func isSweeping(_ sequence: SequenceNumber) -> Bool {
    sweepSlots.contains { sweeps[$0].deferral.origin.sequence == sequence && sweeps[$0].liquidation == 0 }
  }
}
