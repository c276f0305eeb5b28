import Authority
import Market
import Messaging
import Synchronization

/// The table itself, asked in this process, with requests and answers lost on purpose.
final class TableStage: AuthorityStage {
  let leaseMilliseconds = 300
  let noticeMilliseconds = 200
  private let table = Mutex(OwnershipTable())
  private let mode = Mutex(TCPProxy.Mode.open)
  private let lostAnswers = Mutex(0)

  func client() -> any Authority { TableClient(stage: self, isDisturbed: false) }
  func disturbedClient() -> any Authority { TableClient(stage: self, isDisturbed: true) }
  func disturb(_ disturbance: TCPProxy.Mode) { mode.withLock { $0 = disturbance } }
  var lost: Int { lostAnswers.withLock { $0 } }
  func restart() { table.withLock { $0 = $0.restarted(now: .now()) } }
  func end() {}

  /// `nil`: lost on the way.
  fileprivate func ask(_ request: AuthorityRequest, isDisturbed: Bool) -> AuthorityAnswer? {
    let mode = isDisturbed ? mode.withLock { $0 } : .open
    if mode == .cut { return nil }
    let answer = table.withLock { $0.apply(request, now: .now()) }
    if mode == .losesAnswers {
      lostAnswers.withLock { $0 += 1 }
      return nil
    }
    return answer
  }
}

private struct TableClient: Authority {
  let name = "the table"
  let stage: TableStage
  let isDisturbed: Bool

  private func ask(_ request: AuthorityRequest) throws(AuthorityError) -> AuthorityAnswer {
    guard let answer = stage.ask(request, isDisturbed: isDisturbed) else {
      throw .unreachable(authority: name, reason: "lost")
    }
    if case .rejected(let reason) = answer { throw .refused(authority: name, reason: reason) }
    return answer
  }

  private var surprise: AuthorityError { .malformed(authority: name, place: "answer", reason: "to another question") }

  func ownership(of machine: MachineID) throws(AuthorityError) -> Ownership? {
    guard case .ownership(let record) = try ask(.ownership(machine)) else { throw surprise }
    return record
  }

  func replace(_ record: Ownership, expecting expected: UInt64) throws(AuthorityError) -> Replacement {
    guard case .replacement(let replacement) = try ask(.replace(record, expecting: expected)) else { throw surprise }
    return replacement
  }

  func grantLease(node: String, milliseconds: Int) throws(AuthorityError) -> Lease {
    let askedAt = MonotonicTime.now()
    let request = AuthorityRequest.grantLease(
      node: node, nonce: .random(in: 1 ... .max), milliseconds: UInt32(milliseconds))
    guard case .leased(let identifier, let granted) = try ask(request) else { throw surprise }
    return Lease(identifier: identifier, node: node, milliseconds: Int(granted), askedAt: askedAt)
  }

  func renew(_ lease: Lease) throws(AuthorityError) -> Lease {
    var renewed = lease
    renewed.askedAt = .now()
    guard case .leased = try ask(.renew(lease: lease.identifier)) else {
      throw .lapsed(authority: name, node: lease.node)
    }
    return renewed
  }

  func release(_ lease: Lease) throws(AuthorityError) { _ = try ask(.release(lease: lease.identifier)) }

  func isAlive(node: String) throws(AuthorityError) -> Bool { try ask(.isAlive(node: node)) == .alive(true) }

  func watch(_ onChange: @escaping @Sendable (AuthorityChange) -> Void) -> AuthorityWatch {
    let task = Task {
      var follower = ChangeFollower()
      while !Task.isCancelled {
        if let answer = stage.ask(follower.request, isDisturbed: isDisturbed) {
          for change in follower.take(answer) { onChange(change) }
        }
        try? await Task.sleep(for: .milliseconds(3))
      }
    }
    return AuthorityWatch { task.cancel() }
  }
}
