import FlyingFox
import FlyingSocks
import Foundation

/// Where Prometheus reads: `GET /metrics`, and `GET /healthz` for whoever only asks whether the process is well.
public final class MetricsEndpoint: Sendable {
  private let server: HTTPServer
  private let serving: Task<Void, any Error>
  /// The port that it became.
  public let port: UInt16

  /// Listens at `host`, an IPv4 address, and `port`; 0 takes a free one.
  /// - Parameter health: what is wrong with the process; `nil` while it is well.
  /// - Throws: `MetricsEndpointError` if it cannot listen there.
  public init(
    host: String, port: UInt16, registry: MetricsRegistry, health: @escaping @Sendable () -> String? = { nil }
  ) async throws {
    let address: sockaddr_in
    do {
      address = try .inet(ip4: host, port: port)
    } catch {
      throw MetricsEndpointError(address: "\(host):\(port)", reason: "it is no IPv4 address")
    }
    let server = HTTPServer(address: address, timeout: Self.seconds, logger: .disabled)
    await server.appendRoute("GET /metrics") { _ in
      Self.answer(.ok, MetricText.contentType, registry.text)
    }
    await server.appendRoute("GET /healthz") { _ in
      let problem = health()
      return Self.answer(
        problem == nil ? .ok : .serviceUnavailable, "text/plain; charset=utf-8", "\(problem ?? "ok")\n")
    }
    let listening = Task { try await server.waitUntilListening(timeout: Self.seconds) }
    let serving = Task {
      do {
        try await server.run()
      } catch {
        listening.cancel()
        throw error
      }
    }
    do {
      try await listening.value
    } catch {
      serving.cancel()
      // The server's own reason, if it has ended, says more.
      var reason: any Error = error
      if case .failure(let cause) = await serving.result, !(cause is CancellationError) { reason = cause }
      throw MetricsEndpointError(address: "\(host):\(port)", reason: "\(reason)")
    }
    guard case .ip4(_, port: let actual) = await server.listeningAddress else {
      throw MetricsEndpointError(address: "\(host):\(port)", reason: "it does not listen")
    }
    self.server = server
    self.serving = serving
    self.port = actual
  }

  /// Seconds for a client to say what it wants, and for the start.
  private static let seconds = 5.0

  private static func answer(_ status: HTTPStatusCode, _ type: String, _ text: String) -> HTTPResponse {
    HTTPResponse(statusCode: status, headers: [.contentType: type], body: Data(text.utf8))
  }

  /// Ends it, with what is being answered.
  public func stop() async {
    await server.stop()
    _ = await serving.result
  }
}

/// An endpoint that cannot be had.
public struct MetricsEndpointError: Error, CustomStringConvertible {
  public var address: String
  public var reason: String
  public init(address: String, reason: String) {
    self.address = address
    self.reason = reason
  }
  public var description: String { "metrics at \(address): \(reason)" }
}
