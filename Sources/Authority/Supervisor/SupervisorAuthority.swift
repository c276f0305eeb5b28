import Bytes
import Market
import Messaging

/// The supervisor as authority, asked over ZeroMQ. It has a thread of its own, and asks again what is not answered,
/// until its time limit.
public actor SupervisorAuthority: Authority {
  private struct Pending {
    var frame: [UInt8]
    var deadline: MonotonicTime
    var askAgainAt: MonotonicTime
    var continuation: CheckedContinuation<Result<AuthorityAnswer, AuthorityError>, Never>
  }
  private struct Watching {
    var follower = ChangeFollower()
    var askAgainAt: MonotonicTime
    var onChange: @Sendable (AuthorityChange) -> Void
  }

  public nonisolated let name = "the supervisor"
  private let loop: SocketLoop
  private let socket: Socket
  private let limit: Int64
  private var pending: [UInt64: Pending] = [:]
  private var watches: [UInt64: Watching] = [:]
  private var lastNumber: UInt64 = 0
  private var message = MessageBuffer(frames: 1)
  private var wakeUp: LoopTimer?
  private var isClosed = false

  /// Between asking and asking again.
  private static let patience: Int64 = 150_000_000
  /// Between a watch's signs of life; what was pushed in vain is found by then.
  private static let followInterval: Int64 = 250_000_000

  public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  /// - Parameters:
  ///   - socket: A dealer, connected to the supervisor's router.
  ///   - timeLimitMilliseconds: How long a call waits for its answer.
  public init(socket: sending Socket, timeLimitMilliseconds: Int = 1_000) throws(MessagingError) {
    self.socket = socket
    limit = Int64(timeLimitMilliseconds) * 1_000_000
    loop = try SocketLoop(name: "authority")
    loop.perform { self.assumeIsolated { $0.start() } }
  }

  deinit { loop.endSoon() }

  private func start() {
    loop.watch(socket) { [weak self] in self?.assumeIsolated { $0.readable() } }
    wakeUp = loop.timer { [weak self] in self?.assumeIsolated { $0.tend() } }
  }

  /// Ends it: what waits for an answer is told so, watches hear no more. Not to be called on its own thread.
  public nonisolated func close() {
    loop.perform { self.assumeIsolated { $0.end() } }
    loop.stop()
  }

  private func end() {
    isClosed = true
    for (_, waiting) in pending { waiting.continuation.resume(returning: .failure(unreachable("it was closed"))) }
    pending = [:]
    watches = [:]
    loop.unwatch(socket)
    wakeUp?.cancel()
  }

  // MARK: Authority

  public func ownership(of machine: MachineID) async throws(AuthorityError) -> Ownership? {
    guard case .ownership(let record) = try await ask(.ownership(machine)) else { throw surprise("ownership") }
    return record
  }

  public func replace(_ record: Ownership, expecting expected: UInt64) async throws(AuthorityError) -> Replacement {
    if let problem = record.problem { throw .refused(authority: name, reason: problem) }
    guard case .replacement(let replacement) = try await ask(.replace(record, expecting: expected)) else {
      throw surprise("replace")
    }
    return replacement
  }

  public func grantLease(node: String, milliseconds: Int) async throws(AuthorityError) -> Lease {
    let askedAt = MonotonicTime.now()
    let request = AuthorityRequest.grantLease(
      node: node, nonce: .random(in: 1 ... .max), milliseconds: UInt32(clamping: milliseconds))
    guard case .leased(let identifier, let granted) = try await ask(request) else { throw surprise("lease") }
    return Lease(identifier: identifier, node: node, milliseconds: Int(granted), askedAt: askedAt)
  }

  public func renew(_ lease: Lease) async throws(AuthorityError) -> Lease {
    let askedAt = MonotonicTime.now()
    switch try await ask(.renew(lease: lease.identifier)) {
    case .leased(lease.identifier, let granted):
      return Lease(identifier: lease.identifier, node: lease.node, milliseconds: Int(granted), askedAt: askedAt)
    case .lapsed: throw .lapsed(authority: name, node: lease.node)
    default: throw surprise("renewal")
    }
  }

  public func release(_ lease: Lease) async throws(AuthorityError) {
    guard case .released = try await ask(.release(lease: lease.identifier)) else { throw surprise("release") }
  }

  public func isAlive(node: String) async throws(AuthorityError) -> Bool {
    guard case .alive(let isAlive) = try await ask(.isAlive(node: node)) else { throw surprise("liveness") }
    return isAlive
  }

  public nonisolated func watch(_ onChange: @escaping @Sendable (AuthorityChange) -> Void) -> AuthorityWatch {
    let number = UInt64.random(in: 1 << 63 ... .max)
    loop.perform { self.assumeIsolated { $0.begin(number, onChange) } }
    return AuthorityWatch { [weak self] in
      guard let self else { return }
      loop.perform { self.assumeIsolated { _ = $0.watches.removeValue(forKey: number) } }
    }
  }

  private func surprise(_ what: String) -> AuthorityError {
    .malformed(authority: name, place: what, reason: "the answer is to another question")
  }

  private func unreachable(_ reason: String) -> AuthorityError { .unreachable(authority: name, reason: reason) }

  // MARK: Asking

  private func ask(_ request: AuthorityRequest) async throws(AuthorityError) -> AuthorityAnswer {
    guard !isClosed else { throw unreachable("it was closed") }
    lastNumber += 1
    let number = lastNumber
    let frame = AuthorityFrame(number: number, body: request).encoded
    let result = await withCheckedContinuation { continuation in
      let now = MonotonicTime.now()
      pending[number] = Pending(
        frame: frame, deadline: now.advanced(by: limit), askAgainAt: now.advanced(by: Self.patience),
        continuation: continuation)
      offer(frame)
      rearm()
    }
    let answer = try result.get()
    if case .rejected(let reason) = answer { throw .refused(authority: name, reason: reason) }
    return answer
  }

  /// Sent or not: what is not answered is sent again.
  private func offer(_ frame: [UInt8]) { _ = frame.withUnsafeBytes { try? socket.send($0) } }

  private func begin(_ number: UInt64, _ onChange: @escaping @Sendable (AuthorityChange) -> Void) {
    guard !isClosed else { return }
    watches[number] = Watching(askAgainAt: .now(), onChange: onChange)
    tend()
  }

  private func follow(_ number: UInt64) {
    guard var watching = watches[number] else { return }
    watching.askAgainAt = MonotonicTime.now().advanced(by: Self.followInterval)
    watches[number] = watching
    offer(AuthorityFrame(number: number, body: watching.follower.request).encoded)
  }

  /// Asks again what has waited, and gives up what has waited too long.
  private func tend() {
    let now = MonotonicTime.now()
    for (number, waiting) in pending {
      if waiting.deadline <= now {
        pending[number] = nil
        let reason = "no answer within \(limit / 1_000_000) ms"
        waiting.continuation.resume(returning: .failure(unreachable(reason)))
      } else if waiting.askAgainAt <= now {
        pending[number]?.askAgainAt = now.advanced(by: Self.patience)
        offer(waiting.frame)
      }
    }
    for (number, watching) in watches where watching.askAgainAt <= now { follow(number) }
    rearm()
  }

  private func rearm() {
    var next = MonotonicTime.never
    for waiting in pending.values { next = min(next, waiting.deadline, waiting.askAgainAt) }
    for watching in watches.values { next = min(next, watching.askAgainAt) }
    wakeUp?.set(next)
  }

  private func readable() {
    while (try? socket.receive(into: &message)) == true {
      guard message.count == 1, !message.isMalformed,
        let answer = try? AuthorityFrame<AuthorityAnswer>(decoding: message.frame(0))
      else { continue }
      if let waiting = pending.removeValue(forKey: answer.number) {
        waiting.continuation.resume(returning: .success(answer.body))
      } else if watches[answer.number] != nil {
        hear(answer.number, answer.body)
      }
    }
    rearm()
  }

  private func hear(_ number: UInt64, _ answer: AuthorityAnswer) {
    guard var watching = watches[number] else { return }
    let missed = watching.follower.missedSomething(before: answer)
    let fresh = watching.follower.take(answer)
    watches[number] = watching
    for change in fresh { watching.onChange(change) }
    if missed { follow(number) }
  }
}
