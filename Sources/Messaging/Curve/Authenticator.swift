import Bytes
import Synchronization

/// Answers, for every CURVE server of a context, whether a client with a given key may connect, and under which user id
/// (ZeroMQ's ZAP, RFC 27). It runs on a thread of its own, so a handshake never waits for a busy loop.
///
/// A domain that it was told nothing about admits nobody. Changing a domain concerns new connections.
public final class Authenticator: Sendable {
  /// Whom a domain admits.
  public enum Policy: Sendable {
    /// The listed peers, each under its name.
    case listed([CurveKeyring.Peer])
    /// Any key, under its 64 hexadecimal digits: for clients who prove themselves by their signatures.
    case anyKey
  }

  private let loop: SocketLoop
  private let rules = AdmissionRules()

  /// Starts answering for `context`, which must have no authenticator yet.
  public init(_ context: ZeroMQContext) throws(MessagingError) {
    loop = try SocketLoop(name: "authenticator")
    let socket: Socket
    do throws(MessagingError) {
      socket = try Socket(context, .reply)
      try socket.bind("inproc://zeromq.zap.01")
    } catch {
      loop.stop()
      throw error
    }
    // The socket goes over to the loop here; nothing on this thread touches it again.
    nonisolated(unsafe) let handed = socket
    loop.perform { [unowned loop, rules] in
      var request = MessageBuffer(frames: 7)
      loop.watch(handed) { rules.answer(handed, &request) }
    }
    context.hasAuthenticator.store(true, ordering: .releasing)
  }

  deinit { loop.stop() }

  /// Admits to `domain`'s servers whom `policy` says, from now on.
  public func admit(_ policy: Policy, to domain: String) { rules.set(policy, for: domain) }
}

/// What the authenticator's thread looks up.
private final class AdmissionRules: Sendable {
  private enum Rule {
    case listed([CurvePublicKey: String])
    case anyKey
  }

  private let rules = Mutex<[String: Rule]>([:])

  func set(_ policy: Authenticator.Policy, for domain: String) {
    let rule: Rule
    switch policy {
    case .anyKey: rule = .anyKey
    case .listed(let peers):
      rule = .listed(Dictionary(peers.map { ($0.key, $0.name) }, uniquingKeysWith: { first, _ in first }))
    }
    rules.withLock { $0[domain] = rule }
  }

  /// The user id of a client, or `nil` if it is not admitted.
  private func userID(of key: CurvePublicKey, in domain: String) -> String? {
    rules.withLock { rules in
      switch rules[domain] {
      case nil: nil
      case .anyKey: key.description
      case .listed(let names): names[key]
      }
    }
  }

  /// Request: version, request id, domain, address, routing id, mechanism, the client's public key. Reply: version,
  /// request id, status, its text, user id, metadata.
  func answer(_ socket: Socket, _ request: inout MessageBuffer) {
    guard (try? socket.receive(into: &request)) == true else { return }
    let id = request.count > 1 ? [UInt8](request.frame(1)) : []
    let user = admittedUser(request)
    let (status, explanation) = user == nil ? ("400", "not on the allow-list") : ("200", "OK")
    // Refused only while the context ends; then nobody waits for it.
    _ = try? socket.send(frames: [
      Array("1.0".utf8), id, Array(status.utf8), Array(explanation.utf8), Array((user ?? "").utf8), [],
    ])
  }

  private func admittedUser(_ request: borrowing MessageBuffer) -> String? {
    guard request.count == 7, !request.isMalformed, request.frame(6).count == 32 else { return nil }
    let (version, mechanism) = (request.text(0), request.text(5))
    guard version == "1.0", mechanism == "CURVE" else { return nil }
    return userID(of: CurvePublicKey(Digest(request.frame(6))), in: request.text(2))
  }
}

extension MessageBuffer {
  fileprivate borrowing func text(_ index: Int) -> String { String(decoding: frame(index), as: UTF8.self) }
}
