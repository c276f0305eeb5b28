import Cluster
import Market
import Synchronization

/// The cluster map as it is now, for threads that do not follow it themselves.
final class CurrentMap: Sendable {
  private let map: Mutex<ClusterMap>

  init(_ map: ClusterMap) { self.map = Mutex(map) }

  func follow(_ newer: ClusterMap) { map.withLock { $0 = newer } }

  /// The nodes that have a copy of a machine.
  func holders(of machine: MachineID) -> Set<String> {
    Set(map.withLock { $0 }.nodes(holding: machine).map(\.name))
  }
}
