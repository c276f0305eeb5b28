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
  /// Figures of the machine itself, by name.
  public var figures: [String: Int64]
  /// Texts of the machine itself, by name.
  public var texts: [String: String]
}
