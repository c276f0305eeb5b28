/// How a process is started where that is not plainly: in another network, or with a library loaded first.
public struct NodeLaunch: Sendable, Hashable {
  /// A program, by its absolute path, and its arguments; it ends in becoming the process.
  public var prefix: [String]
  /// Added to the environment.
  public var environment: [String: String]

  public init(prefix: [String] = [], environment: [String: String] = [:]) {
    self.prefix = prefix
    self.environment = environment
  }
}
