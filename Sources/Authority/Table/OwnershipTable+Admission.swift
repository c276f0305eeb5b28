import Market

/// What a node may ask of the supervisor's authority. Who it is, its transport key says.
extension OwnershipTable {
  /// The nodes that have a copy of a machine.
  public typealias Placement = @Sendable (MachineID) -> Set<String>

  /// Why a node is refused what it asks; `nil` if it may.
  ///
  /// A lease is its node's own. A record is its owner's: a node may name itself the owner of a machine of which it has
  /// a copy, and take into the fence who has one too; who stands there already may stay or go.
  /// - Parameter placement: Without it, every node counts as having a copy.
  func objection(to request: AuthorityRequest, from user: String, _ placement: Placement?) -> String? {
    switch request {
    case .grantLease(let node, _, _):
      return user == node ? nil : "\(user) asks for a lease of \(node)"
    case .renew(let lease), .release(let lease):
      guard let node = node(ofLease: lease), node != user else { return nil }
      return "\(user) speaks of a lease of \(node)"
    case .replace(let record, _):
      let machine = record.machine
      guard record.owner == user else {
        return "\(user) names \(record.owner.isEmpty ? "nobody" : record.owner) the owner of \(machine)"
      }
      guard let holders = placement?(machine) else { return nil }
      guard holders.contains(user) else {
        return "\(user) claims \(machine), of which it has no copy; \(Self.list(holders)) have"
      }
      let known = records.first { $0.machine == machine }?.inSync ?? []
      let stranger = record.inSync.first { !holders.contains($0) && !known.contains($0) }
      return stranger.map {
        "\(user) takes \($0) into sync of \(machine), of which that has no copy; \(Self.list(holders)) have"
      }
    case .ownership, .isAlive, .follow: return nil
    }
  }

  private static func list(_ nodes: Set<String>) -> String {
    nodes.isEmpty ? "no nodes" : nodes.sorted().joined(separator: ", ")
  }
}
