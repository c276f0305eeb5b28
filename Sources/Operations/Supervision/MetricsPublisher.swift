import Cluster
import Foundation
import Logging
import Market
import Metrics
import Synchronization
import Wire

/// Publishes a node's metrics: asks its machines once a second how they are, on a thread of its own, and serves what
/// they said last. However often somebody reads, it costs a machine one answer a second.
final class MetricsPublisher: Sendable {
  private let readings: MachineReadings
  private let serving: Task<Void, Never>

  /// Begins to publish; `nil` if the cluster's map has no address for the node's metrics. A node whose metrics cannot
  /// be served says so in its log, and serves its clients all the same.
  init?(of node: String, _ transport: Transport, registry: MetricsRegistry = .process, log: Logger) {
    guard let address = transport.map.metrics?[node] else { return nil }
    let readings = MachineReadings(node: node, transport: transport)
    registry.collect { ProcessMetrics.families() }
    registry.collect { readings.families }
    self.readings = readings
    serving = Task { await Self.serve(registry, at: address, readings, log) }
    let thread = Thread { readings.follow() }
    thread.name = "metrics"
    thread.start()
  }

  /// Ends it, without waiting for the last question or reader.
  func stop() {
    readings.stop()
    serving.cancel()
  }

  private static func serve(
    _ registry: MetricsRegistry, at address: String, _ readings: MachineReadings, _ log: Logger
  ) async {
    guard let colon = address.lastIndex(of: ":"), let port = UInt16(address[address.index(after: colon)...]) else {
      return log.error("no metrics", metadata: ["reason": "'\(address)' is no HOST:PORT"])
    }
    do {
      let host = String(address[..<colon])
      let endpoint = try await MetricsEndpoint(host: host, port: port, registry: registry) { readings.problem }
      log.info("metrics", metadata: ["address": "\(address)"])
      // Until it is cancelled.
      try? await Task.sleep(for: .seconds(1_000_000_000))
      await endpoint.stop()
    } catch {
      log.error("no metrics", metadata: ["reason": "\(error)"])
    }
  }
}

/// What each machine of a node said last.
private final class MachineReadings: Sendable {
  private struct State {
    var machines: [MachineID] = []
    var statuses: [String: HostStatus] = [:]
    var hasRead = false
    var isStopping = false
  }

  private let node: String
  private let transport: Transport
  private let state = Mutex(State())

  /// Between two rounds, and how long one waits for answers.
  private static let intervalMicroseconds: UInt32 = 1_000_000
  private static let patience: Int64 = 800_000_000

  init(node: String, transport: Transport) {
    self.node = node
    self.transport = transport
  }

  var families: [MetricFamily] {
    let (machines, statuses) = state.withLock { ($0.machines, $0.statuses) }
    return MachineMetrics.families(of: machines.map(\.description), statuses: statuses)
  }

  /// Which machines do not answer.
  var problem: String? {
    let state = state.withLock { $0 }
    guard state.hasRead else { return "nothing was asked yet" }
    let silent = state.machines.map(\.description).filter { state.statuses[$0] == nil }
    return silent.isEmpty ? nil : "no answer from \(silent.joined(separator: ", "))"
  }

  func stop() { state.withLock { $0.isStopping = true } }

  /// Asks again and again until it is stopped.
  func follow() {
    var clients: [MachineID: GatewayClient] = [:]
    while !state.withLock({ $0.isStopping }) {
      // Machines come and go while the process runs.
      let own = transport.map.nodes.first { $0.name == node }
      let machines = ((own?.hosts ?? []) + (own?.standbys ?? [])).compactMap { MachineID(name: $0) }
      for machine in machines where clients[machine] == nil {
        clients[machine] = own.flatMap { try? transport.dealer(connectingTo: machine, on: $0) }.map {
          GatewayClient($0)
        }
      }
      clients = clients.filter { machines.contains($0.key) }
      let statuses = ask(clients)
      state.withLock { state in
        state.machines = machines
        state.statuses = statuses
        state.hasRead = true
      }
      usleep(Self.intervalMicroseconds)
    }
  }

  /// All are asked at once.
  private func ask(_ clients: [MachineID: GatewayClient]) -> [String: HostStatus] {
    let asked = clients.map { ($0.key, $0.value, $0.value.ask(.status, $0.key)) }
    var found: [String: HostStatus] = [:]
    let deadline = MachineClock.monotonic() + Self.patience
    for (machine, client, tag) in asked {
      while found[machine.description] == nil {
        let left = deadline - MachineClock.monotonic()
        guard left > 0 else { break }
        client.poll(waitMicroseconds: Int(left / 1_000)) { event in
          guard case .answer(let answer) = event, answer.tag == tag, answer.isAnswered else { return }
          found[machine.description] = try? JSONDecoder().decode(HostStatus.self, from: Data(answer.body))
        }
      }
    }
    return found
  }
}
