import Cluster
import Foundation
import GatewayNode
import Journal
import Listing
import Logging
import MarkNode
import Market
import MatcherNode
import Messaging
import RiskNode
import SettlementNode
import VerifierNode

/// What one process hosts at present: the machines and edges that its node has in the cluster map, each on a loop of
/// its own. As the map changes, copies are opened and closed.
final class NodeHosts {
  /// Something with a loop that serves until stopped.
  private struct Hosted: Sendable {
    var machine: MachineID
    var loop: SocketLoop
    var stop: @Sendable () async -> Void
    var update: @Sendable (ClusterMap) async throws -> Void
  }

  private let name: String
  private let transport: Transport
  private let authority: NodeAuthority?
  private let listing: Listing
  private let log: Logger
  private var hosted: [Hosted] = []

  init(
    node: String, transport: Transport, authority: NodeAuthority?, listing: Listing, log: Logger
  ) {
    name = node
    self.transport = transport
    self.authority = authority
    self.listing = listing
    self.log = log
  }

  /// Opens what the map wants here, closes what it does not, and tells the rest of it.
  /// - Throws: what keeps something from being opened.
  func follow(_ map: ClusterMap) throws {
    guard let node = map.nodes.first(where: { $0.name == name }) else { return }
    let wanted = try (node.hosts + (node.standbys ?? [])).map { name in
      guard let machine = MachineID(name: name), machine.kind != .supervisor else {
        throw SupervisionError(what: node.name, reason: "it is to host '\(name)', which is no machine")
      }
      return machine
    }
    for gone in hosted where !wanted.contains(gone.machine) {
      log.info("closing", metadata: ["machine": "\(gone.machine)"])
      close(gone)
    }
    hosted.removeAll { !wanted.contains($0.machine) }
    for known in hosted {
      Self.blocking { [log] in
        do { try await known.update(map) } catch {
          log.error("cannot follow the map", metadata: ["machine": "\(known.machine)", "reason": "\(error)"])
        }
      }
    }
    for machine in wanted where !hosted.contains(where: { $0.machine == machine }) {
      hosted.append(try open(machine, map))
    }
  }

  /// Closes everything, in order.
  func close() {
    for host in hosted { Self.blocking { await host.stop() } }
    for host in hosted { host.loop.stop() }
    hosted.removeAll()
  }

  private func close(_ host: Hosted) {
    Self.blocking { await host.stop() }
    host.loop.stop()
  }

  private func open(_ machine: MachineID, _ map: ClusterMap) throws -> Hosted {
    var configuration = HostConfiguration()
    configuration.journal.mapSize = map.settings.journalMapGigabytes << 30
    if let bytes = map.settings.journalHeadroomBytes { configuration.journal.headroomBytes = bytes }
    if let entries = map.settings.journalRetainEntries { configuration.retention.entries = UInt64(entries) }
    if let hours = map.settings.journalRetainHours {
      configuration.retention.nanoseconds = Int64(hours) * 3_600_000_000_000
    }
    configuration.snapshotEvery = UInt64(map.settings.snapshotEvery)
    let loop = try SocketLoop(name: machine.description)
    switch machine.kind {
    case .shard:
      let host = try MatcherNode.host(
        machine, on: loop, map: map, node: name, market: listing.market, transport: transport, authority: authority,
        configuration: configuration, log: log)
      Self.blocking { await host.start() }
      return Hosted(machine: machine, loop: loop, stop: { await host.stop() }, update: { try await host.update($0) })
    case .risk:
      let host = try RiskNode.host(
        on: loop, map: map, node: name, market: listing.market, transport: transport, authority: authority,
        configuration: configuration, log: log)
      Self.blocking { await host.start() }
      return Hosted(machine: machine, loop: loop, stop: { await host.stop() }, update: { try await host.update($0) })
    case .settlement:
      let host = try SettlementNode.host(
        on: loop, map: map, node: name, market: listing.market, transport: transport, authority: authority,
        configuration: configuration, log: log)
      Self.blocking { await host.start() }
      return Hosted(machine: machine, loop: loop, stop: { await host.stop() }, update: { try await host.update($0) })
    case .marks:
      let marks = try MarkNode(
        on: loop, map: map, node: name, listing: listing, seed: UInt64(map.settings.marksSeed),
        intervalMilliseconds: map.settings.marksIntervalMilliseconds, transport: transport, log: log)
      Self.blocking { await marks.start() }
      return Hosted(machine: machine, loop: loop, stop: { await marks.stop() }, update: { try await marks.update($0) })
    case .gateway:
      var limits = GatewayConfiguration()
      limits.clientSilenceMilliseconds = map.settings.clientSilenceMilliseconds
      let gateway = try GatewayNode(
        machine, on: loop, map: map, node: name, market: listing.market, transport: transport, configuration: limits,
        log: log)
      Self.blocking { await gateway.start() }
      return Hosted(
        machine: machine, loop: loop, stop: { await gateway.stop() }, update: { try await gateway.update($0) })
    case .verifier:
      let verifier = try VerifierNode(
        machine, on: loop, map: map, node: name, market: listing.market, transport: transport, log: log)
      Self.blocking { await verifier.start() }
      return Hosted(
        machine: machine, loop: loop, stop: { await verifier.stop() }, update: { try await verifier.update($0) })
    case .supervisor, nil:
      throw SupervisionError(what: name, reason: "it is to host '\(machine)', which is not hosted")
    }
  }

  /// Waits, on a thread that is not the pool's, for something that runs on a loop.
  static func blocking(_ body: @escaping @Sendable () async -> Void) {
    let done = DispatchSemaphore(value: 0)
    Task.detached {
      await body()
      done.signal()
    }
    done.wait()
  }
}
