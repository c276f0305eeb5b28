import Foundation
import Market

/// What a host tells about itself; the JSON answer to `Query.Kind.status`.
public struct HostStatus: Codable, Sendable {
  public struct Stream: Codable, Sendable {
    public var peer: String
    /// Last number sent (received).
    public var number: UInt64
    /// Messages that the peer has not acknowledged (of the own stream), or 0.
    public var lag: UInt64
  }
  public var machine: String
  public var node: String
  /// `owner` or `standby`; an edge owns itself.
  public var role: String
  /// Nodes whose copies are the owner's fence.
  public var inSync: [String]
  public var processIdentifier: Int32
  public var term: UInt32
  public var sequence: UInt64
  public var epoch: UInt32
  /// Group commits since the process started.
  public var commits: UInt64
  /// Inputs since the process started.
  public var inputs: UInt64
  public var journalBytes: UInt64
  public var journalCapacity: UInt64
  public var outgoing: [Stream]
  public var incoming: [Stream]
  /// Copies that follow this one, by node: the last entry that is durable there, and how many it is behind.
  public var followers: [Stream] = []
  /// Figures of the machine itself, by name.
  public var figures: [String: Int64]
  /// Texts of the machine itself, by name.
  public var texts: [String: String]

  /// The status of an edge, which has no journal.
  public static func edge(
    _ machine: MachineID, node: String, inputs: UInt64, figures: [String: Int64], texts: [String: String] = [:]
  ) -> HostStatus {
    HostStatus(
      machine: machine.description, node: node, role: "owner", inSync: [], processIdentifier: getpid(), term: 0,
      sequence: 0, epoch: 0,
      commits: 0, inputs: inputs, journalBytes: 0, journalCapacity: 0, outgoing: [], incoming: [], figures: figures,
      texts: texts)
  }

  /// As the answer to `Query.Kind.status`.
  public func json() throws -> [UInt8] { [UInt8](try JSONEncoder().encode(self)) }
}
