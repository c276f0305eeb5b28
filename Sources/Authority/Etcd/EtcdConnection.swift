import Foundation
import Synchronization

/// Asks an etcd's members in turn until one answers, and logs in where that is asked for.
final class EtcdConnection: Sendable {
  /// How a call failed.
  enum Failure: Error {
    /// Nobody answered, or those who did could not do it now.
    case unreachable(String)
    /// etcd understood, and did not do it: gRPC's code and its words.
    case refused(code: Int, String)
    case malformed(String)
  }

  private struct State {
    /// The member that answered last.
    var member = 0
    var token: String?
  }

  let configuration: EtcdConfiguration
  private let transfers = HTTPTransfers()
  private let state = Mutex(State())

  /// gRPC's codes.
  static let notFound = 5
  static let failedPrecondition = 9
  private static let unauthenticated = 16
  private static let permissionDenied = 7
  private static let invalidArgument = 3
  /// Deadline exceeded, resource exhausted, aborted, internal, unavailable: may go better later, or elsewhere.
  private static let passing: Set<Int> = [4, 8, 10, 13, 14]
  /// How etcd words that a token is missing or too old, whatever the code.
  private static let staleTokens = ["invalid auth token", "user name is empty", "revision of auth store is old"]

  init(_ configuration: EtcdConfiguration) { self.configuration = configuration }

  /// Calls `path` with `body` as JSON. Everything asked here may be asked twice.
  func call<Answer: Decodable>(
    _ path: String, _ body: some Encodable, as type: Answer.Type
  ) async throws(Failure) -> Answer {
    let deadline = ContinuousClock.now + .milliseconds(configuration.timeLimitMilliseconds)
    let bytes = try encode(body)
    var lastReason = "no time left"
    var mayLogIn = true
    while true {
      let left = (deadline - .now).milliseconds
      guard left > 0 else { throw .unreachable(lastReason) }
      let member = state.withLock { $0.member }
      do throws(Failure) {
        return try await attempt(path, bytes, within: left)
      } catch {
        switch error {
        case .refused(let code, let text) where mayLogIn && isStaleToken(code, text):
          mayLogIn = false
          state.withLock { $0.token = nil }
        case .unreachable(let reason):
          lastReason = reason
          await moveOn(from: member)
        default: throw error
        }
      }
    }
  }

  /// Asks the next member from now on; a pause after all were asked.
  private func moveOn(from member: Int) async {
    let next = (member + 1) % configuration.endpoints.count
    state.withLock { if $0.member == member { $0.member = next } }
    if next == 0 { try? await Task.sleep(for: .milliseconds(50)) }
  }

  private func isStaleToken(_ code: Int, _ text: String) -> Bool {
    !configuration.user.isEmpty
      && (code == Self.unauthenticated || Self.staleTokens.contains { text.contains($0) })
  }

  /// One member's answer.
  private func attempt<Answer: Decodable>(
    _ path: String, _ body: [UInt8], within milliseconds: Int
  ) async throws(Failure) -> Answer {
    let limit = min(milliseconds, configuration.patienceMilliseconds)
    let headers = try await authorization(within: limit)
    return try decode(await transfers.exchange(request(path, body, headers, limit)), path)
  }

  /// A stream of JSON lines from the member that answered last. `nil`: it cannot be had now.
  func stream(_ path: String, _ body: some Encodable, milliseconds: Int) async -> AsyncStream<HTTPTransfers.Event>? {
    guard let bytes = try? encode(body),
      let headers = try? await authorization(within: configuration.patienceMilliseconds)
    else { return nil }
    // Without it, a member that is cut off from the others would be silent for ever.
    return transfers.stream(request(path, bytes, headers + ["Grpc-Metadata-hasleader: true"], milliseconds))
  }

  /// After a stream broke: another member, and a new token.
  func giveUpMember() async {
    state.withLock { $0.token = nil }
    await moveOn(from: state.withLock { $0.member })
  }

  private func authorization(within milliseconds: Int) async throws(Failure) -> [String] {
    guard !configuration.user.isEmpty else { return [] }
    if let token = state.withLock({ $0.token }) { return ["Authorization: \(token)"] }
    let login = EtcdMessages.Login(name: configuration.user, password: configuration.password)
    let request = request("auth/authenticate", try encode(login), [], milliseconds)
    let answer: EtcdMessages.LoginAnswer = try decode(await transfers.exchange(request), "auth/authenticate")
    guard let token = answer.token else { throw .malformed("auth/authenticate: no token") }
    state.withLock { $0.token = token }
    return ["Authorization: \(token)"]
  }

  private func request(_ path: String, _ body: [UInt8], _ headers: [String], _ milliseconds: Int) -> HTTPRequest {
    let base = configuration.endpoints[state.withLock { $0.member }]
    return HTTPRequest(
      url: "\(base.hasSuffix("/") ? String(base.dropLast()) : base)/v3/\(path)", headers: headers, body: body,
      timeLimitMilliseconds: milliseconds,
      security: HTTPSecurity(
        authorityFile: configuration.authorityFile, certificateFile: configuration.certificateFile,
        keyFile: configuration.keyFile))
  }

  private func encode(_ body: some Encodable) throws(Failure) -> [UInt8] {
    do { return [UInt8](try JSONEncoder().encode(body)) } catch { throw .malformed("\(error)") }
  }

  private func decode<Answer: Decodable>(_ outcome: HTTPOutcome, _ path: String) throws(Failure) -> Answer {
    switch outcome {
    case .failed(let reason): throw .unreachable(reason)
    case .answered(200, let body):
      do { return try JSONDecoder().decode(Answer.self, from: Data(body)) } catch {
        throw .malformed("\(path): \(String(decoding: body.prefix(200), as: UTF8.self))")
      }
    case .answered(let status, let body):
      guard let failure = try? JSONDecoder().decode(EtcdMessages.Failure.self, from: Data(body)) else {
        let text = "\(path): HTTP status \(status): \(String(decoding: body.prefix(200), as: UTF8.self))"
        // In words of the server's front: something is wrong with the request, or the server is not well.
        if (400..<500).contains(status) { throw .refused(code: status, text) }
        throw .unreachable(text)
      }
      if Self.passing.contains(failure.number) { throw .unreachable(failure.text) }
      throw .refused(code: failure.number, failure.text)
    }
  }
}

extension Duration {
  fileprivate var milliseconds: Int {
    Int(components.seconds) * 1_000 + Int(components.attoseconds / 1_000_000_000_000_000)
  }
}
