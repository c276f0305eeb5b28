import Bytes
import Logging
import Messaging
import Synchronization

/// The supervisor's authority: an `OwnershipTable` behind a router socket, on a thread of its own. What a request
/// changes is durable in one file before it is answered.
public actor AuthorityServer {
  private struct Subscription {
    var identity: [UInt8]
    var number: UInt64
    var next: UInt64
    var heardAt: MonotonicTime
  }
  /// What the supervisor knows about its children.
  private enum Notice: Sendable {
    case started(String)
    case ended(String)
  }

  private let loop: SocketLoop
  private let socket: Socket
  private let file: AuthorityFile
  private let log: Logger
  private var table: OwnershipTable
  private let placement: OwnershipTable.Placement?
  /// Set after a failed write: what the file holds is read again before anything else is answered.
  private var mustReopen = false
  private var subscriptions: [Subscription] = []
  private var message = MessageBuffer(frames: 2)
  private var frame = ByteWriter()
  private var expiry: LoopTimer?
  private var malformed: UInt64 = 0
  private let notices = Mutex<[Notice]>([])

  /// Subscriptions at the same time, and how long one lasts that is not asked for again.
  private static let subscriptionLimit = 1_024
  private static let subscriptionNanoseconds: Int64 = 3_000_000_000
  /// Requests taken in one turn.
  private static let turnLimit = 256

  public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  /// Serves on `socket`, a bound router, what `path` holds; a file that is not there is an authority that holds
  /// nothing.
  /// - Parameter placement: Which nodes have a copy of a machine, and so a say in who owns it; without it, all.
  /// - Throws: `AuthorityFileError` if the file is damaged or cannot be written; nothing is served then.
  public init(socket: sending Socket, path: String, placement: OwnershipTable.Placement? = nil, log: Logger) throws {
    file = AuthorityFile(path: path)
    table = try file.load(now: .now())
    // The new era must be durable before anybody is told of it; and a disk that takes nothing is found out now.
    try file.save(table)
    self.socket = socket
    self.placement = placement
    self.log = log
    loop = try SocketLoop(name: "authority")
    loop.perform { self.assumeIsolated { $0.start() } }
  }

  deinit { loop.endSoon() }

  private func start() {
    loop.watch(socket) { [weak self] in self?.assumeIsolated { $0.readable() } }
    expiry = loop.timer { [weak self] in self?.assumeIsolated { $0.settle() } }
    armExpiry()
  }

  /// Ends the service. What was answered stands in the file.
  public nonisolated func stop() { loop.stop() }

  // MARK: The supervisor's own knowledge

  /// The process of `node` is about to be started. To be called before it is.
  public nonisolated func nodeStarted(_ node: String) { notice(.started(node)) }

  /// The process of `node` has ended and was reaped: whoever watches is told at once.
  public nonisolated func nodeEnded(_ node: String) { notice(.ended(node)) }

  private nonisolated func notice(_ notice: Notice) {
    notices.withLock { $0.append(notice) }
    loop.perform { self.assumeIsolated { $0.settle() } }
  }

  /// Takes up what the supervisor said and what has run out.
  private func settle() {
    let said = notices.withLock { notices in
      defer { notices = [] }
      return notices
    }
    change { table in
      for notice in said {
        switch notice {
        case .started(let node): table.nodeStarted(node)
        case .ended(let node): table.nodeEnded(node)
        }
      }
      table.expire(now: .now())
    }
    armExpiry()
  }

  private func armExpiry() { expiry?.set(table.nextExpiry) }

  // MARK: Requests

  private func readable() {
    // What the supervisor said came before what its children ask.
    settle()
    for _ in 0..<Self.turnLimit {
      guard (try? socket.receive(into: &message)) == true else { break }
      guard message.count == 2, !message.isMalformed,
        let request = try? AuthorityFrame<AuthorityRequest>(decoding: message.frame(1))
      else {
        malformed += 1
        // Said ever more rarely: a log is not to be filled from outside.
        if malformed.nonzeroBitCount == 1 {
          let sender = message.userID ?? "unknown"
          log.warning("malformed requests", metadata: ["from": "\(sender)", "in_all": "\(malformed)"])
        }
        continue
      }
      answer(request, from: [UInt8](message.frame(0)), user: message.userID)
    }
    armExpiry()
  }

  private func answer(_ request: AuthorityFrame<AuthorityRequest>, from identity: [UInt8], user: String?) {
    if let user, let objection = table.objection(to: request.body, from: user, placement) {
      log.warning("rejected", metadata: ["from": "\(user)", "reason": "\(objection)"])
      return send(.rejected(objection), request.number, to: identity)
    }
    let now = MonotonicTime.now()
    guard let answer = change({ $0.apply(request.body, now: now) }) else { return }
    send(answer, request.number, to: identity)
    if case .follow = request.body { subscribe(identity, request.number, now) }
  }

  /// Does `body` to the table: durable before it is visible. `nil` if it could not be made so; then nobody knows
  /// whether it was done, and nobody is answered.
  @discardableResult private func change<T>(_ body: (inout OwnershipTable) -> T) -> T? {
    do throws(AuthorityFileError) {
      if mustReopen {
        table = try file.load(now: .now())
        try file.save(table)
        mustReopen = false
        log.notice("reopened", metadata: ["file": "\(file.path)", "era": "\(table.era)"])
      }
      var changed = table
      let answer = body(&changed)
      if changed.edition != table.edition { try file.save(changed) }
      let isNews = changed.nextChange != table.nextChange
      table = changed
      if isNews { push() }
      return answer
    } catch {
      if !mustReopen { log.critical("not durable, so not answered", metadata: ["reason": "\(error)"]) }
      mustReopen = true
      return nil
    }
  }

  private func send(_ answer: AuthorityAnswer, _ number: UInt64, to identity: [UInt8]) {
    frame.clear()
    AuthorityFrame(number: number, body: answer).write(to: &frame)
    // Whoever cannot be reached asks again.
    _ = identity.withUnsafeBytes { try? socket.send(to: $0, frame.bytes) }
  }

  // MARK: Followers

  private func subscribe(_ identity: [UInt8], _ number: UInt64, _ now: MonotonicTime) {
    let lived = now.advanced(by: -Self.subscriptionNanoseconds)
    subscriptions.removeAll { $0.heardAt < lived || ($0.identity == identity && $0.number == number) }
    guard subscriptions.count < Self.subscriptionLimit else {
      return log.warning("too many watches", metadata: ["limit": "\(Self.subscriptionLimit)"])
    }
    subscriptions.append(
      Subscription(identity: identity, number: number, next: table.nextChange, heardAt: now))
  }

  /// Tells every follower what is new. What is lost on the way is asked for again.
  private func push() {
    let now = MonotonicTime.now()
    for index in subscriptions.indices {
      let answer = table.changes(from: subscriptions[index].next)
      send(answer, subscriptions[index].number, to: subscriptions[index].identity)
      subscriptions[index].next = table.nextChange
    }
    subscriptions.removeAll { $0.heardAt.advanced(by: Self.subscriptionNanoseconds) < now }
  }
}
