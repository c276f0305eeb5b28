import Authority
import Bytes
import Cryptography
import Journal
import Logging
import Machine
import Market
import Messaging
import Wire

/// The owner's side of replication: batches to those that follow, and the fence that their acknowledgements are.
extension HostCore where M: ~Copyable {
  /// Nodes whose acknowledgement an input needs before anything is said of it. One that is being taken into the record
  /// counts from the asking: it may be promoted from the moment that the authority has written it.
  var fencing: [String] {
    var nodes = record?.inSync ?? []
    if let joining, !nodes.contains(joining) { nodes.append(joining) }
    return nodes
  }

  /// Whether outputs up to `sequence` may leave.
  func isFenced(_ sequence: SequenceNumber) -> Bool {
    guard world.hasAuthority else { return true }
    switch reign {
    case .owner, .handingOver: break
    case .undecided, .standby, .candidate: return false
    }
    let nodes = fencing
    // Alone, a live lease is the fence.
    guard !nodes.isEmpty else { return world.leaseEnd > world.monotonic() }
    return nodes.allSatisfy { node in followers.contains { $0.node == node && $0.acknowledged >= sequence } }
  }

  /// Whether what is read now is nobody else's past: the fence has answered since `time`.
  func isReadable(since time: Int64) -> Bool {
    guard world.hasAuthority else { return true }
    let nodes = fencing
    guard !nodes.isEmpty else { return world.leaseEnd > world.monotonic() }
    return nodes.allSatisfy { node in followers.contains { $0.node == node && $0.heardAt >= time } }
  }

  /// One frame of another copy.
  public func receive(_ bytes: UnsafeRawBufferPointer, fromCopyOn node: String) {
    guard let opened = Frame.open(bytes), !isStopped, reign == .owner || isHandingOver else { return }
    var body = opened.body
    if opened.kind == .snapshotWanted {
      let request = CopyRequest(from: &body)
      guard body.isExhausted, request.machine == id, request.node == node, request.term == sequencer.term else {
        return
      }
      return answer(request)
    }
    let position = CopyPosition(from: &body)
    guard body.isExhausted, position.machine == id, position.node == node, position.term == sequencer.term else {
      return
    }
    switch opened.kind {
    case .follow: startFollowing(position)
    case .followed: hasFollowed(position)
    default: return
    }
  }

  /// A copy says where its journal ends.
  private func startFollowing(_ position: CopyPosition) {
    var isCommon = false
    followers.removeAll { $0.node == position.node }
    attempt("looking for a follower's end") {
      let base = try world.journalBase
      if position.sequence == SequenceNumber(0) || position.sequence < base {
        if try offerSnapshot(to: position.node, after: position.sequence) { return }
        // What it lacks is not here, and no snapshot may be known yet: it asks again.
        guard position.sequence >= base else { return }
        isCommon = true
      } else {
        isCommon = try world.link(endingAt: position.sequence) == position.chainHead
      }
      guard !isCommon else { return }
      Frame.write(.commonGround, CommonGround(term: sequencer.term, links: try world.recentLinks()), in: &frame)
      _ = world.send(frame.bytes, toCopyOn: position.node)
    }
    guard isCommon else { return }
    receivers.removeAll { $0.node == position.node }
    followers.append(
      Follower(
        node: position.node, sent: position.sequence, acknowledged: position.sequence, heardAt: world.monotonic()))
    pumpFollowers()
  }

  /// A copy says what is durable there.
  private func hasFollowed(_ position: CopyPosition) {
    guard let index = followers.firstIndex(where: { $0.node == position.node }) else { return }
    followers[index].heardAt = max(followers[index].heardAt, position.echo)
    if position.sequence > followers[index].acknowledged { followers[index].acknowledged = position.sequence }
    // What it was sent before it began to follow anew may have become durable there since.
    followers[index].sent = max(followers[index].sent, followers[index].acknowledged)
    takeIntoSync(followers[index])
    release()
  }

  /// One that has all that ever left joins the fence.
  private func takeIntoSync(_ follower: Follower) {
    guard var wanted = record, reign == .owner, joining == nil, !isAsking, !wanted.inSync.contains(follower.node),
      follower.acknowledged >= released, world.copyNodes.contains(follower.node)
    else { return }
    joining = follower.node
    wanted.inSync.append(follower.node)
    isAsking = true
    world.ask(.replace(wanted, expecting: wanted.revision))
  }

  /// One that is gone, silent for too long, or no copy any more, leaves the fence, before anything is said without it.
  func dropSilentFollowers() {
    guard reign == .owner || isHandingOver, var wanted = record, !isAsking else { return }
    let now = world.monotonic()
    let copies = world.copyNodes
    let silent = wanted.inSync.filter { node in
      guard copies.contains(node) else { return true }
      guard let follower = followers.first(where: { $0.node == node }) else {
        return nodesDown.contains(node) || now - reignedAt > configuration.followerSilenceNanoseconds
      }
      return now - follower.heardAt > configuration.followerSilenceNanoseconds
    }
    guard !silent.isEmpty else { return }
    log.notice("standby lost", metadata: ["machine": "\(id)", "nodes": "\(silent.joined(separator: " "))"])
    wanted.inSync.removeAll { silent.contains($0) }
    followers.removeAll { silent.contains($0.node) }
    isAsking = true
    world.ask(.replace(wanted, expecting: wanted.revision))
  }

  /// A closed batch goes at once to those that are level.
  func copy(_ batch: CommitBatch) {
    for index in followers.indices where followers[index].sent.next == batch.firstSequence {
      send(batch.entries.bytes, through: batch.lastSequence, batch.trims, index)
    }
  }

  /// Sends durable batches to those that are behind, within their windows, and a sign of life to those that are not.
  func pumpFollowers() {
    guard reign == .owner || isHandingOver else { return }
    let now = world.monotonic()
    let isLifeDue = now >= lifeDueAt
    if isLifeDue { lifeDueAt = now + configuration.lifeNanoseconds }
    for index in followers.indices where followers[index].sent < durable.sequence { pump(index) }
    followers.removeAll(where: \.isLeftBehind)
    guard isLifeDue else { return }
    tellNeeds()
    for node in world.copyNodes {
      // One that does not follow is told of an end that it has not.
      let sent = followers.first { $0.node == node }?.sent ?? SequenceNumber(.max)
      send(UnsafeRawBufferPointer(start: nil, count: 0), after: sent, [], node)
    }
  }

  private func pump(_ index: Int) {
    attempt("reading batches for a standby") {
      do {
        try world.forEachBatch(after: followers[index].sent) { entries, last in
          let unacknowledged = followers[index].sent.rawValue - followers[index].acknowledged.rawValue
          guard last <= durable.sequence, unacknowledged < configuration.followerWindow else { return false }
          return send(entries, through: last, [], index)
        }
      } catch JournalError.truncated {
        // It began to follow just when that went: it is offered a snapshot when it asks anew.
        followers[index].isLeftBehind = true
      }
    }
  }

  @discardableResult
  private func send(
    _ entries: UnsafeRawBufferPointer, through last: SequenceNumber, _ trims: [StreamPosition], _ index: Int
  ) -> Bool {
    guard send(entries, after: followers[index].sent, trims, followers[index].node) else { return false }
    followers[index].sent = last
    return true
  }

  @discardableResult
  private func send(
    _ entries: UnsafeRawBufferPointer, after: SequenceNumber, _ trims: [StreamPosition], _ node: String
  ) -> Bool {
    Frame.begin(.copiedBatch, in: &frame)
    CopiedBatch(
      term: sequencer.term, asked: world.monotonic(), after: after, durable: durable.sequence,
      durableLink: durable.chainHead, trims: trims, entries: entries
    ).write(to: &frame)
    return world.send(frame.bytes, toCopyOn: node) == .sent
  }
}
