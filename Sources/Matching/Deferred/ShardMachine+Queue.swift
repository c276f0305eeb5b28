import Bytes
import Machine
import Market

// Operations that wait for an unfinished order of their book, or for one of their own action.
extension ShardMachine {
  /// Lets an operation wait; `book` is the one that it waits for, or `Job.everyBook`.
  mutating func enqueue(_ operation: OperationView, _ index: UInt16, _ origin: Origin, _ book: UInt32) -> Answer {
    enqueue(
      Deferral(origin: origin, index: index, operation: operation.base.loadUnaligned(as: Operation.self)), book)
  }
  mutating func enqueue(_ deferral: Deferral, _ book: UInt32) -> Answer {
    if queue.count >= Int(parameters.queuedOperations) || queue.isFull { return Answer(outcome: .busy) }
    enlistQueued(QueuedOperation(deferral: deferral, book: book))
    return Answer(outcome: .queued)
  }

  mutating func enlistQueued(_ operation: QueuedOperation) {
    let slot = queue.insert(operation)
    queue[slot].previous = lastQueued
    queue[slot].next = 0
    if lastQueued == 0 { firstQueued = slot } else { queue[lastQueued].next = slot }
    lastQueued = slot
    let account = operation.deferral.origin.accountSlot
    let last = accounts[account].lastQueued
    queue[slot].previousOwn = last
    queue[slot].nextOwn = 0
    if last == 0 { accounts[account].firstQueued = slot } else { queue[last].nextOwn = slot }
    accounts[account].lastQueued = slot
    accounts[account].deferred += 1
    if operation.book != Job.everyBook {
      books[Int(operation.book)].queued += 1
      updateGate(Int(operation.book))
    }
  }

  private mutating func delistQueued(_ slot: Slot) {
    let operation = queue[slot]
    if operation.previous == 0 { firstQueued = operation.next } else { queue[operation.previous].next = operation.next }
    if operation.next == 0 {
      lastQueued = operation.previous
    } else {
      queue[operation.next].previous = operation.previous
    }
    let account = operation.deferral.origin.accountSlot
    let (previous, next) = (operation.previousOwn, operation.nextOwn)
    if previous == 0 { accounts[account].firstQueued = next } else { queue[previous].nextOwn = next }
    if next == 0 { accounts[account].lastQueued = previous } else { queue[next].previousOwn = previous }
    accounts[account].deferred -= 1
    if operation.book != Job.everyBook {
      books[Int(operation.book)].queued -= 1
      updateGate(Int(operation.book))
    }
    if queueCursor == slot { queueCursor = operation.next }
    queue.remove(slot)
  }

  /// A book is free again, or an action: what waits is looked at.
  mutating func takeUpLater() {
    if firstQueued != 0, !jobs.contains(where: { $0.kind == .takeUp }) { start(Job(kind: .takeUp)) }
  }

  /// Ends an operation that has not been taken up.
  mutating func dequeue(_ slot: Slot, _ outcome: Outcome, into output: inout OutputBuffer) {
    let deferral = reported(queue[slot].deferral)
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
        let deferral = reported(operation.deferral)
        let answer = withUnsafeBytes(of: deferral.operation) { bytes in
          perform(
            OperationView(bytes.baseAddress.unsafelyUnwrapped), deferral.index, deferral.origin,
            isTakenUp: true, isTriggered: deferral.isTriggered, into: &output)
        }
        conclude(deferral, answer, into: &output)
        lookAtLast()
      }
    }
    return true
  }

  private func isSweeping(_ sequence: SequenceNumber) -> Bool {
    sweepSlots.contains { sweeps[$0].deferral.origin.sequence == sequence }
  }

  /// The operation under the name that a report about it gives: its target's, where that is known.
  private mutating func reported(_ deferral: Deferral) -> Deferral {
    var named = deferral.asNamed
    let kind = deferral.operation.rawKind
    guard kind == OperationCode.replace || kind == OperationCode.amend || kind == OperationCode.cancel,
      deferral.operation.flags.contains(.byClientID)
    else { return named }
    let slot = openOrder(deferral.origin.accountSlot, clientID: deferral.operation.targetNonce)
    let (book, absent) = book(of: deferral.operation.instrument)
    if slot != 0, absent == nil, Int(orders[slot].book) == book, orders[slot].key == deferral.origin.key {
      named.nameNonce = orders[slot].nonce
      named.nameIndex = orders[slot].index
    }
    return named
  }
}
