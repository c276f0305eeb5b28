import Authority
import Bytes
import Foundation
import Journal
import Machine
import Market
import Messaging
import Wire

#if NOVATION_PLANT
  import Synchronization
#endif

/// Frames out, after the commit: streams to their consumers, answers to whoever asked, feeds to gateways.
extension HostCore where M: ~Copyable {
  func deliver(_ batch: CommitBatch) {
    // Clients wait for their answers; machines can wait a little longer for theirs.
    sendReplies(of: batch)
    batch.chunks.forEach { send($0) }
    sendFeed(of: batch)
    carryOutEffects(of: batch)
    for (source, number) in batch.consumed { inlets[source].durable = number }
    confirmSessionEnds(of: batch)
  }

  func carryOutEffects(of batch: CommitBatch) {
    batch.output.forEach { record in
      guard record.kind == .effect else { return }
      attempt("carrying out an effect") {
        let reaction = try role.effect(record.destination, [UInt8](record.payload))
        followUps.append(contentsOf: reaction.inputs)
        for (kind, body) in reaction.frames { broadcast(kind, body) }
      }
    }
  }

  private func broadcast(_ kind: FrameKind, _ body: [UInt8]) {
    Frame.begin(kind, in: &frame)
    frame.bytes(body)
    for subscriber in subscribers { _ = world.send(frame.bytes, to: subscriber.identity) }
  }

  // MARK: Streams

  func connect(_ position: StreamPosition, _ identity: [UInt8]) {
    let index = outlet(position.machine)
    if position.number > outlets[index].ready + 1, !believesOldCopies {
      return attempt("hearing a consumer") {
        throw ReignError.oldCopy(id, position.machine, has: position.number - 1, sent: outlets[index].ready)
      }
    }
    unheard.remove(position.machine)
    outlets[index].identity = identity
    outlets[index].isStalled = false
    outlets[index].sent = position.number &- 1
    // Not more than is asked for: what a consumer had applied when it asked before need not have become durable.
    outlets[index].acknowledged = position.number &- 1
  }

  private var believesOldCopies: Bool {
    #if NOVATION_PLANT
      HostFaults.believesOldCopies.load(ordering: .relaxed)
    #else
      false
    #endif
  }

  func acknowledge(_ position: StreamPosition) {
    let index = outlet(position.machine)
    guard position.number <= outlets[index].ready else { return }
    outlets[index].isStalled = false
    if position.number > outlets[index].acknowledged {
      outlets[index].acknowledged = position.number
      sequencer.open.trims.append(position)
    }
  }

  private func outlet(_ consumer: MachineID) -> Int {
    if let index = outlets.firstIndex(where: { $0.consumer == consumer }) { return index }
    outlets.append(Outlet(consumer: consumer, ready: 0))
    return outlets.count - 1
  }

  /// A chunk of this turn goes straight out if its consumer is level; otherwise the outbox has it.
  func send(_ chunk: ChunkAssembler.Chunk) {
    let index = outlet(chunk.destination)
    outlets[index].ready = chunk.firstNumber + UInt64(chunk.count) - 1
    guard outlets[index].hasRoom, outlets[index].sent + 1 == chunk.firstNumber else { return }
    transmit(
      StreamChunk(
        source: id, epoch: chunk.epoch, firstNumber: chunk.firstNumber, count: chunk.count, messages: chunk.messages),
      index)
  }

  private func transmit(_ chunk: StreamChunk, _ index: Int) {
    guard let identity = outlets[index].identity else { return }
    Frame.begin(.chunk, in: &frame)
    chunk.write(to: &frame)
    switch world.send(frame.bytes, to: identity) {
    case .sent: outlets[index].sent = chunk.firstNumber + UInt64(chunk.count) - 1
    case .wouldBlock: outlets[index].isStalled = true
    case .unreachable: outlets[index].identity = nil
    }
  }

  /// Sends from the outbox what connected consumers lack, within their windows.
  func pumpOutlets() {
    for index in outlets.indices {
      guard outlets[index].hasRoom, outlets[index].sent < outlets[index].ready else { continue }
      attempt("reading the outbox") {
        try world.forEachOutbox(destination: outlets[index].consumer, from: outlets[index].sent + 1) { stored in
          // What is durable here may not be fenced yet.
          guard stored.lastNumber <= outlets[index].ready else { return false }
          let chunk = StreamChunk(
            source: id, epoch: stored.epoch, firstNumber: stored.firstNumber, count: stored.count,
            messages: stored.messages)
          transmit(chunk, index)
          return outlets[index].hasRoom && outlets[index].sent == chunk.firstNumber + UInt64(chunk.count) - 1
        }
      }
    }
  }

  // MARK: Answers

  /// One frame of replies to each peer that submitted.
  func sendReplies(of batch: CommitBatch) {
    let origins = batch.origins
    guard !origins.isEmpty else { return }
    for peer in batch.peers.indices {
      var count = 0
      Frame.begin(.replies, in: &frame)
      var next = 0
      batch.output.forEach { record in
        guard record.kind == .reply else { return }
        while next < origins.count, origins[next].sequence.rawValue < record.number { next += 1 }
        guard next < origins.count, origins[next].sequence.rawValue == record.number, origins[next].peer == peer else {
          return
        }
        frame.blob(record.payload)
        count += 1
      }
      if count > 0 { _ = world.send(frame.bytes, to: batch.peers[peer]) }
    }
  }

  /// One frame of reports and book changes to each subscribed gateway; one that cannot take it asks again by snapshot.
  private func sendFeed(of batch: CommitBatch) {
    guard let shard = id.shard, !subscribers.isEmpty else { return }
    var gone: [[UInt8]] = []
    for subscriber in subscribers {
      Feed.begin(shard, in: &frame)
      batch.output.forEach { record in
        if record.kind == .report, subscriber.subscription.wantsReports {
          Feed.append(.report, record.payload, to: &frame)
        } else if record.kind == .book, subscriber.subscription.wantsBooks {
          Feed.append(.book, record.payload, to: &frame)
        } else if record.kind == .status, subscriber.subscription.wantsBooks {
          Feed.append(.status, record.payload, to: &frame)
        }
      }
      if Feed.isEmpty(frame) { continue }
      if world.send(frame.bytes, to: subscriber.identity) == .unreachable { gone.append(subscriber.identity) }
    }
    if !gone.isEmpty { subscribers.removeAll { gone.contains($0.identity) } }
  }

  func answerQuestions() {
    let asked = questions
    questions.removeAll()
    for question in asked {
      let query = question.query
      var answer = Answer(tag: query.tag, isAnswered: true, body: [])
      do {
        if query.kind == .status {
          answer.body = try status()
        } else {
          let answered = try role.answer(sequencer.machine, query)
          answer.body = answered.body
          followUps.append(contentsOf: answered.inputs)
        }
      } catch {
        answer.isAnswered = false
        answer.body = [UInt8]("\(error)".utf8)
      }
      Frame.write(.answer, answer, in: &frame)
      _ = world.send(frame.bytes, to: question.identity)
    }
  }

  /// A copy that does not own the machine tells of itself, and of nothing else.
  func answerAsStandby(_ body: inout ByteReader, _ identity: [UInt8]) {
    let query = Query(from: &body)
    guard body.isExhausted else { return }
    var answer = Answer(tag: query.tag, isAnswered: false, body: [UInt8]("\(id): \(nodeName) does not own it".utf8))
    if query.kind == .status, let status = try? status() {
      answer = Answer(tag: query.tag, isAnswered: true, body: status)
    }
    Frame.write(.answer, answer, in: &frame)
    _ = world.send(frame.bytes, to: identity)
  }

  private func status() throws -> [UInt8] {
    let described = role.figures(sequencer.machine)
    let streams = sequencer.machine.streams
    let status = HostStatus(
      machine: id.description, node: nodeName, role: "\(reign == .owner ? "owner" : "standby")",
      inSync: record?.inSync ?? [], processIdentifier: getpid(), term: sequencer.term.rawValue,
      sequence: sequencer.lastSequence.rawValue, epoch: sequencer.epoch.rawValue, commits: commits,
      inputs: inputs, journalBytes: world.journalUse.used, journalCapacity: world.journalUse.capacity,
      outgoing: streams.sent.map { peer, number in
        let acknowledged = outlets.first { $0.consumer == peer }?.acknowledged ?? 0
        return HostStatus.Stream(peer: peer.description, number: number, lag: number - min(number, acknowledged))
      },
      incoming: streams.received.map { peer, number in
        HostStatus.Stream(peer: peer.description, number: number, lag: 0)
      },
      followers: followers.map { follower in
        let (last, acknowledged) = (sequencer.lastSequence.rawValue, follower.acknowledged.rawValue)
        return HostStatus.Stream(peer: follower.node, number: acknowledged, lag: last - min(last, acknowledged))
      },
      figures: described.figures, texts: described.texts)
    return try status.json()
  }
}
