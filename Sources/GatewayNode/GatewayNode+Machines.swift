import Bytes
import Cluster
import Machine
import Market
import Messaging
import Wire

/// Frames from the machines behind the gateway.
extension GatewayNode {
  func backReadable(_ index: Int, _ socket: Socket) {
    for _ in 0..<configuration.framesPerTurn {
      switch backs[index].link.take(from: socket, into: &received) {
      case .nothing: return
      case .message: break
      case .own: continue
      case .newOwner:
        takeUpWithNewOwner(index)
        continue
      }
      backs[index].heardAt = MachineClock.monotonic()
      guard received.count == 1, let opened = Frame.open(received.frame(0)) else {
        counters.dropped += 1
        continue
      }
      var body = opened.body
      switch opened.kind {
      case .replies: forwardReplies(&body, index)
      case .refusal: forwardRefusal(&body, index)
      case .sessionEnd:
        let end = SessionEnd(from: &body)
        if body.isExhausted { sessions.confirmed(end, by: index) }
      case .feed: forwardFeed(received.frame(0), &body)
      case .answer:
        let answered = Answer(from: &body)
        if body.isExhausted, answered.tag == Self.listingsTag, backs[index].machine == .risk {
          takeListings(answered)
          continue
        }
        guard body.isExhausted, let asker = questions.removeValue(forKey: answered.tag) else { continue }
        answer(asker.tag, answered.body, asker.identity, answered.isAnswered)
      default: counters.dropped += 1
      }
    }
  }

  /// A machine did not take an action.
  private func forwardRefusal(_ body: inout ByteReader, _ index: Int) {
    let refusal = Refusal(from: &body)
    let key = ActionKey(
      account: refusal.account, key: refusal.key, nonce: refusal.nonce, machine: backs[index].machine)
    guard body.isExhausted, let entry = waiting.removeValue(forKey: key) else { return }
    backs[index].outstanding = max(0, backs[index].outstanding - 1)
    counters.refused += 1
    Frame.write(.refusal, refusal, in: &frame)
    tell(entry.identity)
  }

  private func forwardReplies(_ body: inout ByteReader, _ index: Int) {
    while body.remaining > 0 {
      let bytes = body.blob()
      guard !body.hasFailed, let reply = try? ActionReply(decoding: bytes) else {
        counters.dropped += 1
        return
      }
      counters.replies += 1
      let key = ActionKey(
        account: reply.account, key: reply.key, nonce: reply.nonce, machine: backs[index].machine)
      guard let entry = waiting.removeValue(forKey: key) else { continue }
      backs[index].outstanding = max(0, backs[index].outstanding - 1)
      Frame.begin(.replies, in: &frame)
      frame.blob(bytes)
      tell(entry.identity)
      if reply.account == .house, key.machine == .risk { askForListings() }
    }
  }

  /// Reports go to the sessions that trade their account; books, whole, to who asked for them.
  private func forwardFeed(_ whole: UnsafeRawBufferPointer, _ body: inout ByteReader) {
    var reports: [[UInt8]: [[UInt8]]] = [:]
    var shard = ShardID(0)
    var hasBooks = false
    let isSound = Feed.read(&body) { source, item, layout in
      shard = source
      switch item {
      case .book, .status: hasBooks = true
      case .report:
        guard let report = try? ExecutionReport(decoding: layout) else { return }
        for identity in watchers[report.order.account] ?? [] {
          reports[identity, default: []].append([UInt8](layout))
        }
      }
    }
    if !isSound { counters.dropped += 1 }
    for (identity, layouts) in reports {
      Feed.begin(shard, in: &frame)
      for layout in layouts { layout.withUnsafeBytes { Feed.append(.report, $0, to: &frame) } }
      tell(identity)
    }
    if hasBooks {
      for identity in bookSubscribers where front.offer(to: identity, whole) == .unreachable { forget(identity) }
    }
  }
}
