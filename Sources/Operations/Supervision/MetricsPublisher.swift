import Cluster
import Foundation
import Logging
import Market
import Messaging
import Metrics
import Synchronization
import Wire

/// Publishes a node's metrics: asks its machines once a second how they are, on a thread of its own, and serves what
/// they said last. However often somebody reads, it costs a machine one answer a second.
final class MetricsPublisher: Sendable {
  private let readings: MachineReadings
  private let endpoint: MetricsEndpoint

  /// - Parameters:
  ///   - address: `HOST:PORT`, as the cluster's map has it.
  ///   - machines: those that this process hosts.
  ///   - connect: a new connection to one of them; called on the publisher's thread.
  /// - Throws: `MetricsEndpointError` if it cannot be served there.
  init(
    address: String, machines: [MachineID], registry: MetricsRegistry,
    connect: @escaping @Sendable (MachineID) throws -> Socket
  ) async throws {
    guard let colon = address.lastIndex(of: ":"), let port = UInt16(address[address.index(after: colon)...]) else {
      throw MetricsEndpointError(address: address, reason: "it is no HOST:PORT")
    }
    let readings = MachineReadings(machines)
    registry.collect { ProcessMetrics.families() }
    registry.collect { MachineMetrics.families(of: machines.map(\.description), statuses: readings.latest) }
    endpoint = try await MetricsEndpoint(host: String(address[..<colon]), port: port, registry: registry) {
      readings.problem
    }
    self.readings = readings
    let thread = Thread { readings.follow(connect) }
    thread.name = "metrics"
    thread.start()
  }

  /// Ends it; the last question may go unanswered.
  func stop() async {
    readings.stop()
    await endpoint.stop()
  }
}

/// What each machine of a node said last.
private final class MachineReadings: Sendable {
  private struct State {
    var statuses: [String: HostStatus] = [:]
    var hasRead = false
    var isStopping = false
  }

  private let machines: [MachineID]
  private let state = Mutex(State())

  /// Between two rounds, and how long one waits for answers.
  private static let intervalMicroseconds: UInt32 = 1_000_000
  private static let patience: Int64 = 800_000_000

  init(_ machines: [MachineID]) { self.machines = machines }

  var latest: [String: HostStatus] { state.withLock { $0.statuses } }

  /// Which machines do not answer.
  var problem: String? {
    let (statuses, hasRead) = state.withLock { ($0.statuses, $0.hasRead) }
    guard hasRead else { return "nothing was asked yet" }
    let silent = machines.map(\.description).filter { statuses[$0] == nil }
    return silent.isEmpty ? nil : "no answer from \(silent.joined(separator: ", "))"
  }

  func stop() { state.withLock { $0.isStopping = true } }

  /// Asks again and again until it is stopped.
  func follow(_ connect: (MachineID) throws -> Socket) {
    let clients = machines.compactMap { machine in
      (try? connect(machine)).map { (machine: machine, client: GatewayClient($0)) }
    }
    while !state.withLock({ $0.isStopping }) {
      let asked = clients.map { ($0.machine, $0.client, $0.client.ask(.status, $0.machine)) }
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
      state.withLock { state in
        state.statuses = found
        state.hasRead = true
      }
      usleep(Self.intervalMicroseconds)
    }
  }
}
