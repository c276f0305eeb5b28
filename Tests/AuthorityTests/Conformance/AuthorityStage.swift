import Authority

/// An authority to put through its paces: something that runs, clients of it, and the ways in which it is treated
/// badly.
protocol AuthorityStage: Sendable {
  /// Shortest lease that it grants, in milliseconds, and how much later than that it may notice the end of one.
  var leaseMilliseconds: Int { get }
  var noticeMilliseconds: Int { get }

  /// A client of its own connection.
  func client() throws -> any Authority
  /// A client behind the network that `disturb` disturbs.
  func disturbedClient() throws -> any Authority
  func disturb(_ disturbance: TCPProxy.Mode)
  /// What the disturbance took.
  var lost: Int { get }
  /// Kills the authority without a word, and starts it again on what it has on disk.
  func restart() async throws
  func end() async
}
