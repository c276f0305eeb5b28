import Authority
import Messaging

/// A process at the authority: its lease, and the changes that it has heard of.
final class SimulatedMembership {
  private unowned let cluster: SimulatedCluster
  private let authority: SimulatedAuthority
  private let host: Int
  private let node: String
  private let nonce: UInt64
  private var lease: UInt64?
  private var follower = ChangeFollower()
  /// Monotonic time of the host until which the lease holds.
  private(set) var leaseEnd: Int64 = 0
  /// Called when a lease has ended and another one must be had.
  var lapsed: () -> Void = {}
  var changed: (AuthorityChange) -> Void = { _ in }
  /// Lets something happen to the process, if it still runs.
  var happen: (@escaping () -> Void) -> Void = { _ in }

  private static let renewal: Int64 = 200_000_000

  init(_ authority: SimulatedAuthority, of host: Int, incarnation: UInt32, in cluster: SimulatedCluster) {
    self.authority = authority
    self.cluster = cluster
    self.host = host
    node = cluster.hosts[host].name
    nonce = UInt64(incarnation)
  }

  private var monotonic: Int64 { cluster.hosts[host].clock.monotonic(at: cluster.time.now) }

  func begin() {
    hold()
    follow()
  }

  private func hold() {
    let askedAt = MonotonicTime(nanoseconds: monotonic)
    let request =
      lease.map { AuthorityRequest.renew(lease: $0) }
      ?? .grantLease(node: node, nonce: nonce, milliseconds: SimulatedAuthority.leaseMilliseconds)
    ask(request) { [unowned self] answer in
      switch answer {
      case .leased(let identifier, let milliseconds):
        lease = identifier
        leaseEnd =
          Lease(identifier: identifier, node: node, milliseconds: Int(milliseconds), askedAt: askedAt)
          .validUntil.nanoseconds
        // News that could not reach it is asked for now and then.
        follow()
      case .lapsed:
        lease = nil
        leaseEnd = 0
        lapsed()
        return hold()
      default: break
      }
      cluster.time.schedule(after: Self.renewal) { [weak self] in self?.happen { self?.hold() } }
    }
  }

  /// Asks for what is new.
  func follow() {
    ask(follower.request) { [unowned self] answer in
      guard let answer else {
        // It is asked again when it can be reached.
        cluster.time.schedule(after: Self.renewal) { [weak self] in self?.happen { self?.follow() } }
        return
      }
      for change in follower.take(answer) { changed(change) }
    }
  }

  func ask(_ request: AuthorityRequest, _ answered: @escaping (AuthorityAnswer?) -> Void) {
    authority.ask(request, from: host) { [weak self] answer in self?.happen { answered(answer) } }
  }
}
