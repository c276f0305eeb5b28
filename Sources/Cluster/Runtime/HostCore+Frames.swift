import Bytes
import Logging
import Machine
import Market
import Messaging
import Wire

#if NOVATION_PLANT
  import Synchronization
#endif

/// Frames in: from peers that consume, submit or ask, and from the sources this machine consumes.
extension HostCore where M: ~Copyable {
  /// One frame of a peer, only while `takesInput`; what is malformed or not the peer's to say is dropped.
  /// - Parameters:
  ///   - identity: where answers go.
  ///   - name: the node that the transport has authenticated.
  public func receive(_ bytes: UnsafeRawBufferPointer, from identity: [UInt8], named name: String) {
    guard let opened = Frame.open(bytes) else { return refuse(name, "a malformed frame") }
    var body = opened.body
    let kind = opened.kind
    switch kind {
    case .whoOwns: return answerWhoOwns(identity)
    case .askTime: return answerTime(&body, identity, name)
    case .query where reign != .owner: return answerAsStandby(&body, identity)
    case .copiedBatch, .commonGround, .handOver, .snapshotOffer, .snapshotPart, .owedMessages:
      guard isCopy(name) else { return refuse(name, "a copy's frame") }
      return receive(kind, &body, fromOwnerOn: name, identity)
    default: if reign != .owner { return tellOwnership(identity) }
    }
    switch kind {
    case .subscribe:
      let position = StreamPosition(from: &body)
      guard body.isExhausted, isHosted(position.machine, by: name) else { return refuse(name, "a subscription") }
      connect(position, identity)
    case .acknowledge:
      let position = StreamPosition(from: &body)
      guard body.isExhausted, isHosted(position.machine, by: name) else { return refuse(name, "an acknowledgement") }
      acknowledge(position)
    case .query:
      let query = Query(from: &body)
      guard body.isExhausted else { return refuse(name, "a query") }
      if query.kind == .handOver { return answerHandOver(query, identity, name) }
      questions.append(Question(identity: identity, query: query, askedAt: world.monotonic()))
    case .feedSubscription:
      let subscription = FeedSubscription(from: &body)
      guard body.isExhausted, has(name, .gateway) || has(name, .verifier) else {
        return refuse(name, "a feed subscription")
      }
      subscribers.removeAll { $0.identity == identity }
      subscribers.append(FeedSubscriber(identity: identity, subscription: subscription))
      owesEffects = true
    case .submit:
      guard isAdmitted(kind, name) else { return refuse(name, "an action") }
      submit(&body, identity)
    case .marks:
      guard isAdmitted(kind, name) else { return refuse(name, "marks") }
      guard !isHeldBack else { return }
      append(.marks, body.bytes(body.remaining))
    case .sessionEnd:
      guard isAdmitted(kind, name) else { return refuse(name, "a session's end") }
      let end = SessionEnd(from: &body)
      guard body.isExhausted else { return refuse(name, "a malformed session's end") }
      guard !isHeldBack else { return }
      append(end)
      sequencer.open.sessionEnds.append((identity, end))
    case .heartbeat:
      let heartbeat = GatewayHeartbeat(from: &body)
      guard body.isExhausted, isAdmitted(kind, name), isHosted(heartbeat.gateway, by: name) else {
        return refuse(name, "a heartbeat")
      }
      endSessions(sessions?.heard(heartbeat, at: world.monotonic()))
    case .attestation:
      guard isAdmitted(kind, name) else { return refuse(name, "an attestation") }
      append(.attestation, body.bytes(body.remaining))
    case .chunk, .replies, .feed, .answer, .refusal, .attestationRequest, .ownership, .follow, .followed,
      .commandDone, .time, .snapshotWanted:
      refuse(name, "a frame that only hosts send")
    case .whoOwns, .askTime, .copiedBatch, .commonGround, .handOver, .command, .snapshotOffer, .snapshotPart,
      .owedMessages:
      refuse(name, "a frame for another place")
    case .submitTo:
      refuse(name, "a frame that only gateways take")
    }
  }

  private func isHosted(_ machine: MachineID, by name: String) -> Bool {
    map.nodes(holding: machine).contains { $0.name == name }
  }
  private func isCopy(_ name: String) -> Bool { name != nodeName && isHosted(id, by: name) }
  private func has(_ name: String, _ role: ClusterMap.Role) -> Bool {
    map.nodes.first { $0.name == name }?.role == role
  }
  private func isAdmitted(_ kind: FrameKind, _ name: String) -> Bool {
    guard let role = role.admits[kind] else { return false }
    return has(name, role)
  }
  func refuse(_ name: String, _ what: String) {
    log.warning("dropped a frame", metadata: ["peer": "\(name)", "what": "\(what)"])
  }

  // MARK: Sources

  /// One frame of the source at this place of `HostRole.sources`, only while `takesInput`.
  public func receive(_ bytes: UnsafeRawBufferPointer, fromSource index: Int) {
    guard let opened = Frame.open(bytes) else { return }
    var body = opened.body
    if opened.kind == .time { return heardTime(&body, fromSource: index) }
    guard reign == .owner, !isHeldBack, opened.kind == .chunk else { return }
    let whole = body
    guard let chunk = StreamChunk(from: &body), chunk.source == inlets[index].source else { return }
    if isAhead(chunk.epoch) {
      // What was sent in an epoch is received in it or later.
      sealsUntil = max(sealsUntil, chunk.epoch)
      var rest = whole
      deferred.append((index, [UInt8](rest.bytes(rest.remaining))))
    } else {
      consume(chunk, index)
    }
  }

  private func isAhead(_ epoch: Epoch) -> Bool {
    #if NOVATION_PLANT
      if HostFaults.ignoresEpochs.load(ordering: .relaxed) { return false }
    #endif
    return epoch > sequencer.epoch
  }

  /// Journals the chunk if it is the next one. What was consumed before is acknowledged again; a gap asks for the rest.
  func consume(_ chunk: StreamChunk, _ index: Int) {
    inlets[index].heardAt = world.monotonic()
    let next = inlets[index].received + 1
    let end = chunk.firstNumber + UInt64(chunk.count)
    guard chunk.firstNumber <= next else {
      inlets[index].gaps += 1
      return subscribe(index)
    }
    guard end > next else {
      inlets[index].duplicates += 1
      inlets[index].acknowledged = 0
      return
    }
    guard let fresh = chunk.dropping(Int(next - chunk.firstNumber)) else { return }
    take(fresh)
    pace.appended(isUrgent: false, at: world.monotonic())
    inlets[index].received = end - 1
    sequencer.open.consumed.append((index, end - 1))
  }

  /// A source has another owner, which has not heard of this consumer.
  public func sourceHasNewOwner(_ index: Int) {
    guard reign == .owner else { return }
    inlets[index].subscribedAt = 0
    inlets[index].acknowledged = 0
    subscribe(index)
  }

  func subscribe(_ index: Int) {
    let now = world.monotonic()
    guard now - inlets[index].subscribedAt > Inlet.silenceNanoseconds / 4 else { return }
    #if NOVATION_PLANT
      if HostFaults.neverResubscribes.load(ordering: .relaxed), inlets[index].subscribedAt != 0 { return }
    #endif
    inlets[index].subscribedAt = now
    let position = StreamPosition(machine: id, number: inlets[index].received + 1)
    Frame.write(.subscribe, position, in: &frame)
    _ = world.send(frame.bytes, toSource: index)
  }

  func resubscribeIfSilent() {
    let now = world.monotonic()
    for index in inlets.indices
    where now - max(inlets[index].heardAt, inlets[index].subscribedAt) > Inlet.silenceNanoseconds {
      subscribe(index)
    }
  }

  /// Tells each source how far its stream is durable here.
  func acknowledgeSources() {
    for index in inlets.indices where inlets[index].acknowledged != inlets[index].durable {
      let position = StreamPosition(machine: id, number: inlets[index].durable)
      Frame.write(.acknowledge, position, in: &frame)
      if world.send(frame.bytes, toSource: index) == .sent {
        inlets[index].acknowledged = inlets[index].durable
      }
    }
  }
}
