import Foundation
import Market
import Messaging

/// etcd as authority, by the JSON gateway of its v3 API. Records are keys that are replaced by transactions on their
/// revision; a node's life is a key under a lease.
public final class EtcdAuthority: Authority {
  public let name: String
  private let connection: EtcdConnection
  private let keys: EtcdKeys

  /// - Throws: `refused` if the configuration cannot be used; nothing is asked of etcd yet.
  public init(_ configuration: EtcdConfiguration) throws(AuthorityError) {
    name = "etcd at \(configuration.endpoints.joined(separator: ", "))"
    if let problem = configuration.problem { throw .refused(authority: "etcd", reason: problem) }
    connection = EtcdConnection(configuration)
    keys = EtcdKeys(cluster: configuration.cluster)
  }

  // MARK: Records

  public func ownership(of machine: MachineID) async throws(AuthorityError) -> Ownership? {
    let range = EtcdMessages.Range(key: keys.machine(machine))
    let answer = try await call("kv/range", range, as: EtcdMessages.RangeAnswer.self)
    guard let pair = answer.kvs?.first else { return nil }
    return try keys.record(of: machine, pair)
  }

  public func replace(_ record: Ownership, expecting expected: UInt64) async throws(AuthorityError) -> Replacement {
    if let problem = record.problem { throw .refused(authority: name, reason: problem) }
    guard let revision = Int64(exactly: expected) else {
      return .refused(current: try await ownership(of: record.machine))
    }
    let key = keys.machine(record.machine)
    let transaction = EtcdMessages.Transaction(
      compare: [.init(target: "MOD", key: key, mod_revision: .init(revision))],
      success: [.init(request_put: .init(key: key, value: value(of: record)))],
      failure: [.init(request_range: .init(key: key))])
    let answer = try await call("kv/txn", transaction, as: EtcdMessages.TransactionAnswer.self)
    if answer.succeeded == true {
      guard let revision = answer.header?.revision?.value else {
        throw .malformed(authority: name, place: "kv/txn", reason: "an answer without a revision")
      }
      var written = record
      written.revision = UInt64(clamping: revision)
      return .replaced(written)
    }
    guard let pair = answer.responses?.first?.response_range?.kvs?.first else { return .refused(current: nil) }
    let current = try keys.record(of: record.machine, pair)
    // This request's own, asked again after its answer was lost.
    if current.revision > expected, current.saysTheSame(as: record) { return .replaced(current) }
    return .refused(current: current)
  }

  private func value(of record: Ownership) -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let value = EtcdMessages.Record(term: record.term.rawValue, owner: record.owner, in_sync: record.inSync)
    // A record of a number and names always has a JSON form.
    return (try? encoder.encode(value)) ?? Data()
  }

  // MARK: Leases

  public func grantLease(node: String, milliseconds: Int) async throws(AuthorityError) -> Lease {
    guard Ownership.isName(node) else { throw .refused(authority: name, reason: "'\(node)' is no node's name") }
    guard milliseconds > 0 else { throw .refused(authority: name, reason: "a lease of \(milliseconds) ms") }
    let askedAt = MonotonicTime.now()
    // Whole seconds, as etcd counts; the holder relies on no more than it asked for.
    let seconds = Int64((milliseconds + 999) / 1_000)
    // The number is chosen here, so that asking again does not make a second lease.
    let identifier = Int64.random(in: 1 ... .max)
    var granted = seconds
    do throws(EtcdConnection.Failure) {
      let grant = EtcdMessages.LeaseGrant(TTL: .init(seconds), ID: .init(identifier))
      granted = try await connection.call("lease/grant", grant, as: EtcdMessages.LeaseAnswer.self).TTL?.value ?? seconds
    } catch .refused(EtcdConnection.failedPrecondition, _) {
      // It was granted, and the answer lost.
    } catch {
      throw described(error)
    }
    let put = EtcdMessages.Put(
      key: keys.node(node), value: Data("{\"lease_ms\":\(milliseconds)}".utf8), lease: .init(identifier))
    _ = try await call("kv/put", put, as: EtcdMessages.Nothing.self)
    return Lease(
      identifier: UInt64(identifier), node: node, milliseconds: min(milliseconds, Int(granted) * 1_000),
      askedAt: askedAt)
  }

  public func renew(_ lease: Lease) async throws(AuthorityError) -> Lease {
    for _ in 0..<Self.renewals {
      if let renewed = try await renewOnce(lease) { return renewed }
    }
    throw .unreachable(authority: name, reason: "its leader changes too often")
  }

  /// Attempts at a renewal across changes of etcd's leader.
  private static let renewals = 3

  /// `nil`: etcd's leader changed meanwhile.
  private func renewOnce(_ lease: Lease) async throws(AuthorityError) -> Lease? {
    let askedAt = MonotonicTime.now()
    let identifier = EtcdMessages.Number(Int64(clamping: lease.identifier))
    let answer = try await call(
      "lease/keepalive", EtcdMessages.LeaseName(ID: identifier), as: EtcdMessages.KeepAliveAnswer.self)
    guard let result = answer.result, let seconds = result.TTL?.value, seconds > 0 else {
      throw .lapsed(authority: name, node: lease.node)
    }
    // The lease lives; the node's key must still be its own, or another process has taken the node's name since. And
    // this read, which needs a quorum, must happen in the same term of etcd's: a leader that was deposed without
    // knowing it renews leases that its successor lets run out.
    let key = keys.node(lease.node)
    let check = EtcdMessages.Transaction(
      compare: [.init(target: "LEASE", key: key, lease: identifier)],
      success: [.init(request_range: .init(key: key))], failure: [.init(request_range: .init(key: key))])
    let confirmed = try await call("kv/txn", check, as: EtcdMessages.TransactionAnswer.self)
    guard confirmed.succeeded == true else { throw .lapsed(authority: name, node: lease.node) }
    guard let term = confirmed.header?.raft_term?.value, term == result.header?.raft_term?.value else { return nil }
    var renewed = lease
    renewed.askedAt = askedAt
    renewed.milliseconds = min(lease.milliseconds, Int(seconds) * 1_000)
    return renewed
  }

  public func release(_ lease: Lease) async throws(AuthorityError) {
    do throws(EtcdConnection.Failure) {
      let identifier = EtcdMessages.LeaseName(ID: .init(Int64(clamping: lease.identifier)))
      _ = try await connection.call("lease/revoke", identifier, as: EtcdMessages.Nothing.self)
    } catch .refused(EtcdConnection.notFound, _) {
      // It has ended already.
    } catch {
      throw described(error)
    }
  }

  public func isAlive(node: String) async throws(AuthorityError) -> Bool {
    let range = EtcdMessages.Range(key: keys.node(node), count_only: true)
    return try await call("kv/range", range, as: EtcdMessages.RangeAnswer.self).count?.value ?? 0 > 0
  }

  // MARK: Changes

  public func watch(_ onChange: @escaping @Sendable (AuthorityChange) -> Void) -> AuthorityWatch {
    let task = Task { [connection, keys] in
      var watch = EtcdWatch(connection: connection, keys: keys, onChange: onChange)
      await watch.run()
    }
    return AuthorityWatch { task.cancel() }
  }

  // MARK: Errors

  private func call<Answer: Decodable>(
    _ path: String, _ body: some Encodable, as type: Answer.Type
  ) async throws(AuthorityError) -> Answer {
    do throws(EtcdConnection.Failure) {
      return try await connection.call(path, body, as: type)
    } catch {
      throw described(error)
    }
  }

  private func described(_ failure: EtcdConnection.Failure) -> AuthorityError {
    switch failure {
    case .unreachable(let reason): .unreachable(authority: name, reason: reason)
    case .refused(_, let reason): .refused(authority: name, reason: reason)
    case .malformed(let reason): .malformed(authority: name, place: "answer", reason: reason)
    }
  }
}
