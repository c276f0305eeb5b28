import Bytes
import Cluster
import Market
import Messaging
import Wire

/// Frames from clients.
extension GatewayNode {
  func frontReadable() {
    for _ in 0..<configuration.framesPerTurn {
      guard front.take(into: &received) else { return }
      guard received.count == 2, !received.isMalformed else {
        counters.dropped += 1
        continue
      }
      take(received.frame(1), from: [UInt8](received.frame(0)), named: received.userID ?? "")
    }
  }

  private func take(_ bytes: UnsafeRawBufferPointer, from identity: [UInt8], named name: String) {
    guard let opened = Frame.open(bytes) else {
      counters.dropped += 1
      return
    }
    var body = opened.body
    switch opened.kind {
    case .submit, .submitTo:
      let shard = opened.kind == .submitTo ? ShardID(from: &body) : nil
      while body.remaining > 0 {
        let action = body.blob()
        if body.hasFailed { break }
        if SignedListing.isMeant(by: action) {
          submitListing(action, from: identity)
        } else {
          submit(action, to: shard, from: identity)
        }
      }
    case .query:
      let query = Query(from: &body)
      if body.isExhausted { ask(query, from: identity) }
    case .feedSubscription:
      let subscription = FeedSubscription(from: &body)
      guard body.isExhausted else { break }
      if subscription.wantsBooks, bookSubscribers.insert(identity).inserted {
        resubscribeForBooks()
      } else if !subscription.wantsBooks {
        bookSubscribers.remove(identity)
      }
    case .marks where name == marksKey:
      takeMarks(body.bytes(body.remaining))
    default:
      counters.dropped += 1
    }
  }

  /// Checks an action as far as no machine is needed, and hands it to the one machine it is for.
  private func submit(_ bytes: UnsafeRawBufferPointer, to shard: ShardID?, from identity: [UInt8]) {
    counters.actions += 1
    var reader = ByteReader(bytes)
    let header = SignedActionHeader(from: &reader)
    guard !reader.hasFailed, reader.remaining == Int(header.operationCount) * Operation.byteCount else {
      return refuse(header, .malformed, "the bytes are not a signed action", identity)
    }
    counters.operations += Int64(header.operationCount)
    let operations = reader.bytes(reader.remaining)
    let machine: MachineID
    switch routing.machine(for: header, operations, named: shard) {
    case .success(let found): machine = found
    case .failure(let refusal) where refusal.outcome == .unknownInstrument && !knowsListings:
      return refuse(
        header, .shardUnavailable, refusal.reason + ", unless risk has still to say so", identity,
        retryAfter: configuration.retryAfterMilliseconds)
    case .failure(let refusal): return refuse(header, refusal.outcome, refusal.reason, identity)
    }
    if header.expiry < UInt64(MachineClock.wall().seconds) {
      return refuse(header, .expired, "expiry: the signature's time is over", identity)
    }
    guard let index = backs.firstIndex(where: { $0.machine == machine }) else {
      return refuse(header, .shardUnavailable, "no such machine", identity)
    }
    guard backs[index].outstanding < configuration.outstandingPerMachine else {
      counters.throttled += 1
      return refuse(
        header, .throttled, "\(machine) has \(backs[index].outstanding) actions waiting", identity,
        retryAfter: configuration.retryAfterMilliseconds)
    }
    do throws(SigningError) {
      try signing.verify(SignedActionView(header: header, operations: operations))
    } catch {
      return refuse(header, error.outcome, "\(error)", identity)
    }
    guard let session = session(of: operations, identity, index) else {
      counters.throttled += 1
      return refuse(
        header, .throttled,
        "cancelOnDisconnect: \(SessionName.mostPlaces) sessions have such orders already", identity,
        retryAfter: configuration.retryAfterMilliseconds)
    }
    Frame.begin(.submit, in: &frame)
    frame.blob(bytes)
    let place = frame.count - bytes.count + SignedActionHeader.sessionOffset
    frame.patch(session.name, at: place)
    frame.patch(session.generation, at: place + 8)
    forward((header.account, header.key, header.nonce), to: index, identity)
    watchers[header.account, default: []].insert(identity)
  }

  /// Sends the frame at hand to a machine behind the gateway, and remembers whose answer will come.
  func forward(_ action: ActionName, to index: Int, _ identity: [UInt8]) {
    let machine = backs[index].machine
    guard backs[index].link.offer(frame.bytes) == .sent else {
      return refuse(
        action, .shardUnavailable, "\(machine) cannot be reached", identity,
        retryAfter: configuration.retryAfterMilliseconds)
    }
    let key = ActionKey(account: action.account, key: action.key, nonce: action.nonce, machine: machine)
    let entry = Waiting(identity: identity, since: MachineClock.monotonic(), frame: [UInt8](frame.bytes))
    if waiting.updateValue(entry, forKey: key) == nil {
      backs[index].outstanding += 1
    }
  }

  /// What the shard is told of the sender's session: zeros unless some order lives with it. `nil` when there is no
  /// place for another.
  private func session(
    of operations: UnsafeRawBufferPointer, _ identity: [UInt8], _ back: Int
  ) -> (name: UInt64, generation: UInt64)? {
    guard ClientSessions.isNeeded(for: operations) else { return (0, 0) }
    return sessions.enter(identity, back).map { ($0.name.rawValue, $0.generation) }
  }

  private func refuse(
    _ header: SignedActionHeader, _ outcome: Outcome, _ reason: String, _ identity: [UInt8], retryAfter: UInt32 = 0
  ) {
    refuse((header.account, header.key, header.nonce), outcome, reason, identity, retryAfter: retryAfter)
  }

  /// What an action is called before it has a place in a journal.
  typealias ActionName = (account: AccountID, key: KeyID, nonce: UInt64)

  func refuse(
    _ action: ActionName, _ outcome: Outcome, _ reason: String, _ identity: [UInt8], retryAfter: UInt32 = 0
  ) {
    counters.refused += 1
    let refusal = Refusal(
      account: action.account, key: action.key, nonce: action.nonce, outcome: outcome,
      retryAfterMilliseconds: retryAfter, reason: reason)
    Frame.write(.refusal, refusal, in: &frame)
    tell(identity)
  }

  private func ask(_ query: Query, from identity: [UInt8]) {
    switch query.kind {
    case .market: return answerMarket(query.tag, identity)
    case .marks: return answerMarks(query, identity)
    case .status where query.machine == id: return answer(query.tag, status(), identity)
    default: break
    }
    guard let index = backs.firstIndex(where: { $0.machine == query.machine }) else {
      return answer(query.tag, [UInt8]("\(query.machine) is not behind this gateway".utf8), identity, false)
    }
    nextTag += 1
    var forwarded = query
    forwarded.tag = nextTag
    Frame.write(.query, forwarded, in: &frame)
    guard backs[index].link.offer(frame.bytes) == .sent else {
      return answer(query.tag, [UInt8]("\(query.machine) cannot be reached".utf8), identity, false)
    }
    questions[nextTag] = (identity, query.tag)
  }

  func answer(_ tag: UInt64, _ body: [UInt8], _ identity: [UInt8], _ isAnswered: Bool = true) {
    Frame.write(.answer, Answer(tag: tag, isAnswered: isAnswered, body: body), in: &frame)
    tell(identity)
  }

  private func answerMarks(_ query: Query, _ identity: [UInt8]) {
    let shard = query.body.withUnsafeBytes { bytes in
      var reader = ByteReader(bytes)
      return ShardID(from: &reader)
    }
    guard let known = marks[shard] else {
      return answer(query.tag, [UInt8]("no marks of shard \(shard) have come yet".utf8), identity, false)
    }
    answer(query.tag, known, identity)
  }

  private func takeMarks(_ bytes: UnsafeRawBufferPointer) {
    guard let shardMarks = try? ShardMarks(decoding: bytes), let first = shardMarks.entries.first,
      let shard = market[first.instrument]?.shard
    else {
      counters.dropped += 1
      return
    }
    marks[shard] = [UInt8](bytes)
  }

  private func status() -> [UInt8] {
    let status = HostStatus.edge(
      id, node: nodeName, inputs: UInt64(counters.actions),
      figures: [
        "actions": counters.actions, "operations": counters.operations, "refused": counters.refused,
        "throttled": counters.throttled, "replies": counters.replies, "dropped": counters.dropped,
        "waiting": Int64(waiting.count),
        "sessions": Int64(sessions.count), "sessionEnds": Int64(sessions.endings),
      ])
    return (try? status.json()) ?? []
  }
}
