import Bytes
import Logging
import Machine
import Market
import Messaging
import Wire

/// Frames in: from peers that consume, submit or ask, and from the sources this machine consumes.
extension MachineHost where M: ~Copyable {
  func routerReadable() {
    guard !isStopped else { return }
    for _ in 0..<configuration.framesPerTurn {
      guard router.take(into: &received) else { return }
      guard received.count == 2, !received.isMalformed, let name = received.userID else { continue }
      take(received.frame(1), from: [UInt8](received.frame(0)), named: name)
      if sequencer.pendingInputs >= configuration.inputsPerCommit { attempt("committing") { try flush() } }
    }
  }

  /// One frame of a peer; what is malformed or not the peer's to say is dropped and counted.
  private func take(_ bytes: UnsafeRawBufferPointer, from identity: [UInt8], named name: String) {
    guard let opened = Frame.open(bytes) else { return refuse(name, "a malformed frame") }
    var body = opened.body
    let kind = opened.kind
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
      questions.append((identity, query))
    case .feedSubscription:
      let subscription = FeedSubscription(from: &body)
      guard body.isExhausted, has(name, .gateway) || has(name, .verifier) else {
        return refuse(name, "a feed subscription")
      }
      subscribers.removeAll { $0.identity == identity }
      subscribers.append(FeedSubscriber(identity: identity, subscription: subscription))
      attempt("resuming effects") { try flush() }
      resumeEffects()
    case .submit:
      guard isAdmitted(kind, name) else { return refuse(name, "an action") }
      let peer = peer(identity)
      while body.remaining > 0 {
        let action = body.blob()
        guard !body.hasFailed else { return refuse(name, "a malformed submission") }
        origins.append((append(.action, action), peer))
        sessions?.saw(action)
      }
    case .marks:
      guard isAdmitted(kind, name) else { return refuse(name, "marks") }
      append(.marks, body.bytes(body.remaining))
    case .sessionEnd:
      guard isAdmitted(kind, name) else { return refuse(name, "a session's end") }
      let end = SessionEnd(from: &body)
      guard body.isExhausted else { return refuse(name, "a malformed session's end") }
      append(end)
      sessionEnds.append((identity, end))
    case .heartbeat:
      let heartbeat = GatewayHeartbeat(from: &body)
      guard body.isExhausted, isAdmitted(kind, name), isHosted(heartbeat.gateway, by: name) else {
        return refuse(name, "a heartbeat")
      }
      endSessions(sessions?.heard(heartbeat, at: MachineClock.monotonic()))
    case .attestation:
      guard isAdmitted(kind, name) else { return refuse(name, "an attestation") }
      append(.attestation, body.bytes(body.remaining))
    case .chunk, .replies, .feed, .answer, .refusal, .attestationRequest:
      refuse(name, "a frame that only hosts send")
    case .submitTo:
      refuse(name, "a frame that only gateways take")
    }
  }

  private func peer(_ identity: [UInt8]) -> Int {
    if let index = peers.firstIndex(where: { $0.identity == identity }) { return index }
    peers.append(Peer(identity: identity))
    return peers.count - 1
  }

  private func isHosted(_ machine: MachineID, by name: String) -> Bool { map.node(hosting: machine)?.name == name }
  private func has(_ name: String, _ role: ClusterMap.Role) -> Bool {
    map.nodes.first { $0.name == name }?.role == role
  }
  private func isAdmitted(_ kind: FrameKind, _ name: String) -> Bool {
    guard let role = role.admits[kind] else { return false }
    return has(name, role)
  }
  private func refuse(_ name: String, _ what: String) {
    log.warning("dropped a frame", metadata: ["peer": "\(name)", "what": "\(what)"])
  }

  // MARK: Sources

  func sourceReadable(_ index: Int) {
    guard !isStopped else { return }
    for _ in 0..<configuration.framesPerTurn {
      guard sources[index].socket.take(into: &received) else { return }
      guard received.count == 1, let opened = Frame.open(received.frame(0)), opened.kind == .chunk else { continue }
      var body = opened.body
      guard let chunk = StreamChunk(from: &body), chunk.source == sources[index].inlet.source else { continue }
      attempt("consuming a stream") { try consume(chunk, index) }
      if sequencer.pendingInputs >= configuration.inputsPerCommit { attempt("committing") { try flush() } }
    }
  }

  /// Journals the chunk if it is the next one. What was consumed before is acknowledged again; a gap asks for the rest.
  private func consume(_ chunk: StreamChunk, _ index: Int) throws {
    sources[index].inlet.heardAt = MachineClock.monotonic()
    let next = sources[index].inlet.received + 1
    let end = chunk.firstNumber + UInt64(chunk.count)
    guard chunk.firstNumber <= next else {
      sources[index].inlet.gaps += 1
      return subscribe(index)
    }
    guard end > next else {
      sources[index].inlet.duplicates += 1
      sources[index].inlet.acknowledged = 0
      return
    }
    guard let fresh = chunk.dropping(Int(next - chunk.firstNumber)) else { return }
    try seal(until: fresh.epoch)
    try sequencer.submit(
      .stream, fresh.messages, from: fresh.source, epoch: fresh.epoch, firstNumber: fresh.firstNumber,
      count: fresh.count)
    pace.appended(isUrgent: false)
    inputs += 1
    sources[index].inlet.received = end - 1
  }

  func subscribe(_ index: Int) {
    let now = MachineClock.monotonic()
    guard now - sources[index].inlet.subscribedAt > Inlet.silenceNanoseconds / 4 else { return }
    sources[index].inlet.subscribedAt = now
    let position = StreamPosition(machine: id, number: sources[index].inlet.received + 1)
    Frame.write(.subscribe, position, in: &frame)
    _ = sources[index].socket.offer(frame.bytes)
  }

  func resubscribeIfSilent() {
    let now = MachineClock.monotonic()
    for index in sources.indices
    where now - max(sources[index].inlet.heardAt, sources[index].inlet.subscribedAt) > Inlet.silenceNanoseconds {
      subscribe(index)
    }
  }

  /// Tells each source how far its stream is durable here.
  func acknowledgeSources() {
    for index in sources.indices where sources[index].inlet.acknowledged != sources[index].inlet.durable {
      let position = StreamPosition(machine: id, number: sources[index].inlet.durable)
      Frame.write(.acknowledge, position, in: &frame)
      if sources[index].socket.offer(frame.bytes) == .sent {
        sources[index].inlet.acknowledged = sources[index].inlet.durable
      }
    }
  }
}
