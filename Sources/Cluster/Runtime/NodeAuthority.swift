import Authority
import Logging
import Market
import Messaging
import Synchronization

/// The authority as one node of a cluster sees it: asked for its machines, and told again and again that the node is
/// alive.
public final class NodeAuthority: Sendable {
  let authority: any Authority
  public let node: String
  private let milliseconds: Int
  private let log: Logger
  /// Monotonic nanoseconds until which the node's lease holds.
  private let leaseEnd = Atomic<Int64>(0)
  private let lease = Mutex<Lease?>(nil)
  private let renewal = Mutex<Task<Void, Never>?>(nil)
  /// Called when a lease has ended and was granted anew: whoever owned something must read whether it still does.
  private let lapses = Mutex<[@Sendable () -> Void]>([])

  /// - Parameter leaseMilliseconds: how long the authority takes the node for alive after its last word.
  public init(_ authority: any Authority, node: String, leaseMilliseconds: Int, log: Logger) {
    self.authority = authority
    self.node = node
    milliseconds = leaseMilliseconds
    self.log = log
  }

  /// Begins to hold a lease.
  public func start() {
    let task = Task.detached { [self] in
      while !Task.isCancelled {
        await hold()
        try? await Task.sleep(for: .milliseconds(milliseconds / 4))
      }
    }
    renewal.withLock { $0 = task }
  }

  /// Gives the lease back.
  public func stop() async {
    renewal.withLock { $0?.cancel() }
    let held = lease.withLock { lease in
      defer { lease = nil }
      return lease
    }
    leaseEnd.store(0, ordering: .relaxed)
    if let held { try? await authority.release(held) }
  }

  func onLapse(_ body: @escaping @Sendable () -> Void) { lapses.withLock { $0.append(body) } }

  /// Monotonic nanoseconds until which this node may serve alone.
  var holdsUntil: Int64 { leaseEnd.load(ordering: .relaxed) }

  private func hold() async {
    let held = lease.withLock { $0 }
    do throws(AuthorityError) {
      let fresh =
        if let held { try await authority.renew(held) } else {
          try await authority.grantLease(node: node, milliseconds: milliseconds)
        }
      lease.withLock { $0 = fresh }
      leaseEnd.store(fresh.validUntil.nanoseconds, ordering: .relaxed)
    } catch {
      if case .lapsed = error {
        lease.withLock { $0 = nil }
        leaseEnd.store(0, ordering: .relaxed)
        log.warning("lease lapsed", metadata: ["node": "\(node)"])
        for body in lapses.withLock({ $0 }) { body() }
        await hold()
      } else {
        log.warning("lease not renewed", metadata: ["node": "\(node)", "reason": "\(error)"])
      }
    }
  }

  /// Asks one question.
  func answer(_ question: AuthorityQuestion) async -> AuthorityWord {
    do throws(AuthorityError) {
      switch question {
      case .ownership(let machine): return .ownership(try await authority.ownership(of: machine))
      case .replace(let record, let expected):
        return .replacement(try await authority.replace(record, expecting: expected))
      }
    } catch {
      return .unreachable("\(error)")
    }
  }
}
