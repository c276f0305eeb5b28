import Market

extension Journal {
  /// Puts messages `firstNumber ..< firstNumber + count` for `destination` into the outbox, where they stay until
  /// trimmed. `messages` is laid out as a `stream` payload.
  public func enqueue(
    destination: MachineID, firstNumber: UInt64, count: UInt16, epoch: Epoch, messages: UnsafeRawBufferPointer
  ) throws(JournalError) {
    precondition(batch != nil, "messages are enqueued in a batch")
    precondition(count > 0, "a chunk holds a message")
    let key = OutboxKey(destination: destination, firstNumber: firstNumber)
    let byteCount = OutboxChunk.headerByteCount + messages.count
    guard let bytes = try batch!.reserve(byteCount, at: key, in: store.outbox, .insert) else {
      throw .outboxConflict(path: store.path, destination: destination, firstNumber: firstNumber)
    }
    bytes.storeBytes(of: epoch.rawValue.littleEndian, toByteOffset: 0, as: UInt32.self)
    bytes.storeBytes(of: count.littleEndian, toByteOffset: 4, as: UInt16.self)
    UnsafeMutableRawBufferPointer(rebasing: bytes[OutboxChunk.headerByteCount...]).copyMemory(from: messages)
  }

  /// Deletes the chunks for `destination` all of whose messages are numbered `number` or lower.
  public func trimOutbox(destination: MachineID, through number: UInt64) throws(JournalError) {
    precondition(batch != nil, "the outbox is trimmed in a batch")
    try batch!.withCursor(over: store.outbox) { cursor throws(JournalError) in
      var record = try cursor.seek(OutboxKey(destination: destination, firstNumber: 0))
      while let found = record, found.key.destination == destination {
        guard try store.chunk(found).lastNumber <= number else { return }
        try cursor.delete()
        record = try cursor.next()
      }
    }
  }

  /// Calls `body` with the durable chunks for `destination`, from the one that holds message `number` on, in order,
  /// until it returns `false`.
  public func forEachOutbox(
    destination: MachineID, from number: UInt64, _ body: (OutboxChunk) throws -> Bool
  ) throws {
    let transaction = try store.environment.beginReading()
    try transaction.withCursor(over: store.outbox) { cursor in
      let sought = OutboxKey(destination: destination, firstNumber: number)
      var record = try cursor.seek(sought)
      if record?.key != sought {
        // The chunk before may hold `number` in its middle.
        record = try record == nil ? cursor.last() : cursor.previous()
        if let before = record, before.key.destination != destination { record = nil }
        if let before = record, try store.chunk(before).lastNumber < number { record = nil }
        if record == nil { record = try cursor.seek(sought) }
      }
      while let found = record, found.key.destination == destination {
        guard try body(store.chunk(found)) else { return }
        record = try cursor.next()
      }
    }
  }
}

extension JournalStore {
  func chunk(_ record: LMDBCursor<OutboxKey>.Record) throws(JournalError) -> OutboxChunk {
    guard let chunk = OutboxChunk(record.key, record.value) else {
      throw .damagedRecord(
        path: path, record: "the outbox for \(record.key.destination) from number \(record.key.firstNumber)",
        reason: "too short, or empty")
    }
    return chunk
  }
}
