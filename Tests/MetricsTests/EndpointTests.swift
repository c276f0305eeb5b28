import Foundation
import Metrics
import Synchronization
import Testing

@Suite struct EndpointTests {
  private func registry() -> MetricsRegistry {
    let registry = MetricsRegistry()
    MachineMeters(registry, machine: "shard-0").committed(inputs: 3, nanoseconds: 200_000)
    registry.counter("novation_test_total", help: "With a \"quote\" and a\nline.", [MetricLabel("a", "\"\\\n")]).add()
    registry.collect { ProcessMetrics.families() }
    return registry
  }

  @Test func prometheusGetsItsFormat() async throws {
    let registry = registry()
    let endpoint = try await MetricsEndpoint(host: "127.0.0.1", port: 0, registry: registry)
    let answer = try await Curl.get("http://127.0.0.1:\(endpoint.port)/metrics")
    await endpoint.stop()
    #expect(answer.head.contains("200"))
    #expect(answer.head.lowercased().contains("content-type: text/plain; version=0.0.4; charset=utf-8"))
    #expect(answer.body.contains("novation_journal_commit_seconds_count{machine=\"shard-0\"} 1\n"))
    #expect(answer.body.contains("# TYPE process_cpu_seconds_total counter\n"))
  }

  /// Prometheus' own checker reads it, and finds nothing to say against the names.
  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/promtool"), "Debian's prometheus has it"))
  func promtoolFindsNothingWrong() throws {
    let process = Process()
    let (input, output) = (Pipe(), Pipe())
    process.executableURL = URL(fileURLWithPath: "/usr/bin/promtool")
    process.arguments = ["check", "metrics"]
    process.standardInput = input
    process.standardOutput = output
    process.standardError = output
    try process.run()
    input.fileHandleForWriting.write(Data(registry().text.utf8))
    try input.fileHandleForWriting.close()
    let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0 && said.isEmpty, "\(said)")
  }

  @Test func healthIsToldByTheStatusToo() async throws {
    let problem = Mutex<String?>(nil)
    let endpoint = try await MetricsEndpoint(host: "127.0.0.1", port: 0, registry: registry()) {
      problem.withLock { $0 }
    }
    let well = try await Curl.get("http://127.0.0.1:\(endpoint.port)/healthz")
    #expect(well.head.contains("200") && well.body == "ok\n")
    problem.withLock { $0 = "shard-0 does not answer" }
    let ill = try await Curl.get("http://127.0.0.1:\(endpoint.port)/healthz")
    #expect(ill.head.contains("503") && ill.body == "shard-0 does not answer\n")
    let other = try await Curl.get("http://127.0.0.1:\(endpoint.port)/other")
    #expect(other.head.contains("404"))
    await endpoint.stop()
  }

  @Test func aTakenPortAndABadAddressAreSaid() async throws {
    let endpoint = try await MetricsEndpoint(host: "127.0.0.1", port: 0, registry: registry())
    let start = ContinuousClock.now
    let taken = "127.0.0.1:\(endpoint.port)"
    await #expect {
      try await MetricsEndpoint(host: "127.0.0.1", port: endpoint.port, registry: registry())
    } throws: {
      "\($0)".contains(taken)
    }
    #expect(ContinuousClock.now - start < .seconds(2), "it is said at once")
    await endpoint.stop()
    await #expect {
      try await MetricsEndpoint(host: "not-an-address", port: 0, registry: registry())
    } throws: {
      "\($0)".contains("not-an-address")
    }
  }
}

/// The real client.
enum Curl {
  /// Waits on a thread of its own: the endpoint answers on the tests' few.
  static func get(_ url: String) async throws -> (head: String, body: String) {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread { continuation.resume(with: Result { try run(url) }) }
    }
  }

  private static func run(_ url: String) throws -> (head: String, body: String) {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/curl")
    process.arguments = ["--silent", "--show-error", "--include", "--max-time", "5", "--noproxy", "*", url]
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard let gap = text.range(of: "\r\n\r\n") else { return (text, "") }
    return (String(text[..<gap.lowerBound]), String(text[gap.upperBound...]))
  }
}
