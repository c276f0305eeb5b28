import Authority
import Bytes
import Cryptography
import Journal
import Logging
import Machine
import Market
import Wire

/// A standby that begins after a snapshot of the owner's: it asks for the parts itself, so that nothing is remembered
/// elsewhere and a cut link, a restarted owner or another one only make it ask again.
extension HostCore where M: ~Copyable {
  /// The owner offers its newest snapshot, because its journal does not hold what comes after this one's end, or
  /// because the way from there is long.
  func consider(_ body: inout ByteReader) {
    let term = Term(from: &body)
    let offer = SnapshotOffer(from: &body)
    guard body.isExhausted, term == followedTerm, closed.isEmpty, !isAdopting else { return }
    // One of the fence keeps what it has acknowledged; the owner drops it from there first.
    guard offer.position.sequence > sequencer.lastSequence, record?.inSync.contains(nodeName) != true else { return }
    guard offer.version == M.snapshotVersion else {
      return log.error(
        "cannot follow",
        metadata: ["machine": "\(id)", "reason": "the owner's snapshots are of layout version \(offer.version)"])
    }
    if intake?.offer != offer {
      log.notice(
        "beginning after a snapshot",
        metadata: ["machine": "\(id)", "after": "\(offer.position.sequence)", "bytes": "\(offer.byteCount)"])
      intake = SnapshotIntake(offer, at: world.monotonic())
      adoptable = nil
    }
    askForRest()
    if intake?.isWhole == true, intake?.snapshot == nil { closeIntake() }
  }

  func take(_ part: SnapshotPart) {
    guard part.term == followedTerm, intake?.sequence == part.sequence, intake!.take(part.part, part.bytes) else {
      return
    }
    intake!.movedAt = world.monotonic()
    if intake!.isWhole { return closeIntake() }
    let next = part.part + SnapshotIntake.window
    if next <= intake!.offer.partCount { ask(forParts: next, 1) }
  }

  func take(_ answer: OwedMessages, _ body: inout ByteReader) {
    guard answer.term == followedTerm, !isAdopting, let (consumer, numbers) = intake?.missing.last,
      consumer == answer.consumer, numbers.lowerBound == answer.firstNumber
    else { return }
    var chunks: [OwedChunk] = []
    while body.remaining > 0 {
      chunks.append(OwedChunk(from: &body))
      guard !body.hasFailed else { return }
    }
    intake!.owed += chunks.filter { $0.lastNumber <= numbers.upperBound }
    intake!.movedAt = world.monotonic()
    if answer.isLast || chunks.isEmpty || chunks[chunks.count - 1].lastNumber >= numbers.upperBound {
      intake!.missing.removeLast()
    } else {
      let next = chunks[chunks.count - 1].lastNumber + 1
      intake!.missing[intake!.missing.count - 1].numbers = next...numbers.upperBound
    }
    askForRest()
  }

  /// Asks for what has not come, when nothing came for a while.
  func tendIntake() {
    guard let intake, !isAdopting, world.monotonic() - intake.movedAt > SnapshotIntake.silenceNanoseconds else {
      return
    }
    askForRest()
  }

  /// Gives up what was begun: another word of an owner has overtaken it.
  func dropIntake() {
    guard !isAdopting else { return }
    intake = nil
    adoptable = nil
  }

  private func askForRest() {
    guard let intake else { return }
    self.intake!.movedAt = world.monotonic()
    if !intake.isWhole {
      ask(forParts: intake.parts + 1, min(SnapshotIntake.window, intake.missingParts))
    } else if let (consumer, numbers) = intake.missing.last {
      ask(
        CopyRequest(
          machine: id, node: nodeName, term: followedTerm, sequence: intake.sequence, consumer: consumer,
          numbers: numbers))
    } else if intake.snapshot != nil {
      adopt()
    }
  }

  private func ask(forParts first: UInt32, _ count: UInt32) {
    guard let intake else { return }
    ask(
      CopyRequest(
        machine: id, node: nodeName, term: followedTerm, sequence: intake.sequence, firstPart: first, partCount: count))
  }

  private func ask(_ request: CopyRequest) {
    guard let ownerIdentity else { return }
    Frame.write(.snapshotWanted, request, in: &frame)
    _ = world.send(frame.bytes, to: ownerIdentity)
  }

  /// All parts are here: what the snapshot says must be the machine.
  private func closeIntake() {
    guard intake!.close(), let snapshot = intake!.snapshot else {
      log.warning("a snapshot came damaged", metadata: ["machine": "\(id)", "after": "\(intake!.sequence)"])
      dropIntake()
      mustAskToFollow = true
      return askToFollow()
    }
    attempt("restoring a snapshot") {
      let machine: M = try MachineRecovery.restore(id, snapshot)
      intake!.missing = machine.streams.sent.filter { $0.number > 0 }.map { ($0.peer, 1...$0.number) }
      adoptable = consume machine
      askForRest()
    }
  }

  private func adopt() {
    guard let intake, let snapshot = intake.snapshot else { return }
    isAdopting = true
    world.adopt(snapshot, outbox: intake.owed)
  }

  /// The snapshot is where the journal begins now; the machine is the one that it tells of.
  public func snapshotIsAdopted() {
    guard !isStopped, let position = intake?.offer.position else { return }
    var taken: M?
    swap(&taken, &adoptable)
    guard let machine = consume taken else { return }
    isAdopting = false
    intake = nil
    sequencer.adopt(machine, at: position)
    #if NOVATION_PLANT
      sequencer.plant(role.plant)
    #endif
    durable = position
    lastSnapshot = position.sequence
    recentLinks.removeAll()
    log.notice("began after a snapshot", metadata: ["machine": "\(id)", "after": "\(position.sequence)"])
    mustAskToFollow = true
    askToFollow()
    decide()
    endOfTurn()
  }
}
