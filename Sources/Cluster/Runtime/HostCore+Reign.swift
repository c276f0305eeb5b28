import Authority
import Bytes
import Journal
import Logging
import Machine
import Market
import Messaging
import Wire

#if NOVATION_PLANT
  import Synchronization
#endif

/// Who owns the machine: what the authority says, and what follows for this copy (DESIGN.md, Terms and fencing).
extension HostCore where M: ~Copyable {
  /// Asks the authority, one question at a time.
  private func ask(_ question: AuthorityQuestion) {
    guard !isAsking else { return }
    isAsking = true
    world.ask(question)
  }

  package func readOwnership() { ask(.ownership(id)) }

  /// The authority has answered a question.
  public func authorityAnswered(_ question: AuthorityQuestion, _ word: AuthorityWord) {
    guard !isStopped else { return }
    isAsking = false
    switch word {
    case .unreachable(let reason):
      log.warning("authority", metadata: ["machine": "\(id)", "reason": "\(reason)"])
      // What was asked may have been done: what stands decides.
      askAgainAt = world.monotonic() + configuration.authorityRetryNanoseconds
    case .ownership(let found):
      // A joining that was not answered is settled by what stands.
      joining = nil
      if let found { learn(found) } else { createRecord() }
      decide()
    case .replacement(.replaced(let mine)):
      joining = nil
      record = mine
      if mine.owner == nodeName, reign != .owner, !isHandingOver { take(mine.term) }
    case .replacement(.refused(let current)):
      joining = nil
      if let current { learn(current) }
      decide()
    }
    release()
    endOfTurn()
  }

  /// Something changed at the authority.
  public func authorityChanged(_ change: AuthorityChange) {
    guard !isStopped else { return }
    switch change {
    case .owned(let found) where found.machine == id: learn(found)
    case .owned: return
    case .nodeUp(let node):
      nodesUp.insert(node)
      nodesDown.remove(node)
    case .nodeDown(let node, _):
      nodesUp.remove(node)
      nodesDown.insert(node)
      followers.removeAll { $0.node == node }
      receivers.removeAll { $0.node == node }
    case .caughtUp: authorityKnownAt = world.monotonic()
    }
    if askAgainAt == .max { decide() }
    release()
    endOfTurn()
  }

  /// What the passing of time asks for.
  func tendReign() {
    guard world.hasAuthority else { return }
    let now = world.monotonic()
    if now >= askAgainAt {
      askAgainAt = .max
      readOwnership()
    }
    switch reign {
    case .owner, .handingOver: dropSilentFollowers()
    case .standby:
      // An owner's node that never came up has not gone down either.
      if let owner = record?.owner, !nodesUp.contains(owner), !nodesDown.contains(owner), authorityKnownAt != .max,
        now - authorityKnownAt > configuration.absenceNanoseconds
      {
        nodesDown.insert(owner)
        decide()
      }
      tendIntake()
      // Nobody asks a standby for entries.
      world.copiesNeed([])
    case .undecided, .candidate: break
    }
  }

  /// Whether it takes inputs as the machine's owner.
  package var isOwner: Bool { reign == .owner }
  package var term: Term { sequencer.term }
  /// Whether it only follows, and has asked for nothing.
  package var isStandby: Bool { reign == .standby && !isAsking }

  var isHandingOver: Bool {
    if case .handingOver = reign { return true }
    return false
  }

  /// Takes up a record that the authority holds.
  private func learn(_ found: Ownership) {
    if let record, found.revision < record.revision { return }
    let before = record
    record = found
    switch reign {
    case .owner, .handingOver:
      guard found.owner != nodeName || found.term != sequencer.term else { return }
      attempt("reigning") { throw ReignError.deposed(id, found) }
    case .candidate:
      if found.owner != nodeName { follow() }
    case .standby, .undecided:
      if found.owner != before?.owner, found.owner != nodeName { follow() }
    }
  }

  /// What this copy should do about what it knows.
  func decide() {
    guard let record, !isStopped, !isAsking, !isEnding, !isAdopting else { return }
    switch reign {
    case .owner, .handingOver: return
    case .candidate: ask(.replace(claim(record), expecting: record.revision))
    case .undecided, .standby:
      if record.owner == nodeName {
        // Restarted in place: the process that had the last term is gone, or it would hold the journal's lock.
        stand()
      } else if record.inSync.contains(nodeName), nodesDown.contains(record.owner) || wasHandedOver {
        stand()
      } else {
        follow()
      }
    }
  }

  /// Stops acknowledging and asks for the next term.
  private func stand() {
    guard let record else { return }
    if reign != .candidate {
      log.notice("standing for owner", metadata: ["machine": "\(id)", "after": "\(record.owner)"])
    }
    reign = .candidate
    dropIntake()
    ask(.replace(claim(record), expecting: record.revision))
  }

  private func claim(_ record: Ownership) -> Ownership {
    Ownership(machine: id, term: max(record.term, sequencer.term).next, owner: nodeName)
  }

  /// The first record is its home's to write.
  private func createRecord() {
    if map.node(hosting: id)?.name == nodeName {
      ask(
        .replace(
          Ownership(machine: id, term: max(sequencer.term, Term(1)), owner: nodeName), expecting: 0))
    } else {
      askAgainAt = world.monotonic() + configuration.authorityRetryNanoseconds
    }
  }

  /// The term is ours. What was followed and is not durable yet is waited for.
  private func take(_ term: Term) {
    pendingTerm = term
    assumeOwnership()
  }

  /// Begins to reign once all that was followed is durable.
  func assumeOwnership() {
    guard let term = pendingTerm, closed.isEmpty, !isWriting else { return }
    pendingTerm = nil
    wasHandedOver = false
    reign = .owner
    if term > sequencer.term { sequencer.begin(term) }
    serve()
    announce()
  }

  /// From now on it follows whoever owns the machine.
  private func follow() {
    if reign != .standby {
      log.info("following", metadata: ["machine": "\(id)", "owner": "\(record?.owner ?? "")"])
    }
    reign = .standby
    wasHandedOver = false
  }

  /// Where it stands, in one line for people.
  package var standing: String {
    let followed = followers.map { "\($0.node) at \($0.acknowledged)" }.joined(separator: ", ")
    let sent = outlets.map { outlet in
      "\(outlet.consumer) \(outlet.acknowledged)/\(outlet.sent)/\(outlet.ready)\(outlet.identity == nil ? " gone" : "")"
        + (outlet.isStalled ? " stalled" : "")
    }
    let received = inlets.map { "\($0.source) \($0.received)" }
    let waiting = (isStopped ? ", stopped" : "") + (isAsking ? ", asking" : "") + (isWriting ? ", writing" : "")
    return "\(id) on \(nodeName): \(reign) in term \(sequencer.term), applied \(sequencer.lastSequence), durable "
      + "\(durable.sequence), let out \(released), epoch \(sequencer.epoch)\(waiting), \(closed.count) closed, fence "
      + "[\(fencing.joined(separator: " "))], followers [\(followed)], "
      + "sent [\(sent.joined(separator: ", "))], received [\(received.joined(separator: ", "))]"
  }

  // MARK: Who asks

  func answerWhoOwns(_ identity: [UInt8]) {
    if !acquaintances.contains(identity) {
      if acquaintances.count == Self.acquaintanceLimit { acquaintances.removeFirst() }
      acquaintances.append(identity)
    }
    tellOwnership(identity)
  }

  func tellOwnership(_ identity: [UInt8]) {
    let notice = OwnershipNotice(machine: id, term: sequencer.term, isOwner: reign == .owner)
    Frame.write(.ownership, notice, in: &frame)
    _ = world.send(frame.bytes, to: identity)
  }

  private func announce() {
    for identity in acquaintances { tellOwnership(identity) }
  }

  static var acquaintanceLimit: Int { 1_024 }

  // MARK: Handing over

  func answerHandOver(_ query: Query, _ identity: [UInt8], _ name: String) {
    guard name == ClusterMap.operatorName else { return refuse(name, "the operator's word") }
    let problem = handOver(to: String(decoding: query.body, as: UTF8.self))
    Frame.write(
      .answer, Answer(tag: query.tag, isAnswered: problem == nil, body: [UInt8]((problem ?? "").utf8)), in: &frame)
    _ = world.send(frame.bytes, to: identity)
  }

  /// Gives the machine to a copy that is in sync; it takes nothing more meanwhile.
  /// - Returns: why not, or `nil`.
  func handOver(to node: String) -> String? {
    guard reign == .owner else { return "\(id): \(nodeName) does not own it" }
    guard record?.inSync.contains(node) == true else { return "\(id): the copy on \(node) is not in sync" }
    append(.handOver, UnsafeRawBufferPointer(start: nil, count: 0))
    reign = .handingOver(to: node)
    log.notice("handing over", metadata: ["machine": "\(id)", "to": "\(node)"])
    endOfTurn()
    return nil
  }

  /// Tells the copy that all is its, once all is settled, and follows it.
  func completeHandOver() {
    guard case .handingOver(let node) = reign, isSettled else { return }
    Frame.begin(.handOver, in: &frame)
    _ = world.send(frame.bytes, toCopyOn: node)
    #if NOVATION_PLANT
      if HostFaults.goesOnAfterHandOver.load(ordering: .relaxed) {
        record?.inSync.removeAll()
        reign = .owner
        return
      }
    #endif
    followers.removeAll()
    receivers.removeAll()
    subscribers.removeAll()
    for index in outlets.indices { outlets[index].identity = nil }
    reign = .standby
    ownerIdentity = nil
    announce()
    // If the other does not take it, the record still names this one.
    askAgainAt = world.monotonic() + configuration.handOverNanoseconds
  }
}
