/// Why a recorded stream cannot be replayed: the file or row, and the rule it breaks.
public struct ReplayError: Error, Equatable, CustomStringConvertible {
  public var description: String
  public init(_ description: String) { self.description = description }
}
