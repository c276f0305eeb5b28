import Foundation
import Market

/// Follows a cluster's keys: reads them all, then streams what changes from there, and again whenever that breaks.
struct EtcdWatch {
  let connection: EtcdConnection
  let keys: EtcdKeys
  let onChange: @Sendable (AuthorityChange) -> Void
  private var follower = ChangeFollower()
  /// The first revision not told yet; 0 if all has to be read.
  private var next: Int64 = 0

  /// A stream is begun anew now and then: one that died without a word is found out by then.
  private static let streamMilliseconds = 30_000
  private static let pause = Duration.milliseconds(100)
  private static let shortest = Duration.seconds(1)

  init(
    connection: EtcdConnection, keys: EtcdKeys, onChange: @escaping @Sendable (AuthorityChange) -> Void
  ) {
    self.connection = connection
    self.keys = keys
    self.onChange = onChange
  }

  /// Runs until the task is cancelled.
  mutating func run() async {
    while !Task.isCancelled {
      if next == 0 { await readAll() }
      if next > 0 { await follow() }
    }
  }

  private mutating func readAll() async {
    let (key, end) = keys.all
    let range = EtcdMessages.Range(key: key, range_end: end)
    guard let answer = try? await connection.call("kv/range", range, as: EtcdMessages.RangeAnswer.self),
      let revision = answer.header?.revision?.value
    else {
      try? await Task.sleep(for: Self.pause)
      return
    }
    var records: [Ownership] = []
    var alive: [String] = []
    for pair in answer.kvs ?? [] {
      switch keys.subject(of: pair.key) {
      // A value that is no record is not told; whoever asks for it hears what is wrong with it.
      case .machine(let machine): if let record = try? keys.record(of: machine, pair) { records.append(record) }
      case .node(let node): alive.append(node)
      case .other: break
      }
    }
    next = revision + 1
    for change in follower.everything(records, alive: alive) where !Task.isCancelled { onChange(change) }
  }

  private mutating func follow() async {
    let (key, end) = keys.all
    let creation = EtcdMessages.WatchCreation(key: key, range_end: end, start_revision: .init(next))
    let request = EtcdMessages.WatchRequest(create_request: creation)
    var wasHeard = false
    let began = ContinuousClock.now
    if let stream = await connection.stream("watch", request, milliseconds: Self.streamMilliseconds) {
      for await event in stream {
        guard case .line(let line) = event, !Task.isCancelled,
          let answer = try? JSONDecoder().decode(EtcdMessages.WatchAnswer.self, from: Data(line)),
          let result = answer.result, take(result)
        else { break }
        wasHeard = true
      }
    }
    // One that breaks again and again is not asked again and again without a pause.
    guard !wasHeard || ContinuousClock.now - began < Self.shortest, !Task.isCancelled else { return }
    await connection.giveUpMember()
    try? await Task.sleep(for: Self.pause)
  }

  /// `false` once the stream has nothing more to tell.
  private mutating func take(_ result: EtcdMessages.WatchAnswer.Result) -> Bool {
    if result.compact_revision != nil {
      // What was missed is not kept any more.
      next = 0
      return false
    }
    if result.canceled == true { return false }
    for event in result.events ?? [] {
      guard let revision = event.kv.mod_revision?.value, let change = change(event), !Task.isCancelled else { continue }
      next = max(next, revision + 1)
      if follower.note(change) { onChange(change) }
    }
    return true
  }

  private func change(_ event: EtcdMessages.WatchAnswer.Event) -> AuthorityChange? {
    let isDeletion = event.type == "DELETE"
    switch keys.subject(of: event.kv.key) {
    case .machine(let machine): return isDeletion ? nil : (try? keys.record(of: machine, event.kv)).map { .owned($0) }
    case .node(let node): return isDeletion ? .nodeDown(node, .silent) : .nodeUp(node)
    case .other: return nil
    }
  }
}
