/// Why an authority gave no answer that can be used.
public enum AuthorityError: Error, Sendable, Equatable, CustomStringConvertible {
  /// No answer in time: whether it was done is not known. Asking again is always safe.
  case unreachable(authority: String, reason: String)
  /// It was understood and not done, and will not be if asked again as it is: a wrong password, a name that is none.
  case refused(authority: String, reason: String)
  /// The lease has ended, or another was granted to its node since. Its holder must read who owns what before it asks
  /// for a new one and serves on.
  case lapsed(authority: String, node: String)
  /// What is stored cannot be read as what it should be.
  case malformed(authority: String, place: String, reason: String)

  public var description: String {
    switch self {
    case .unreachable(let authority, let reason): "\(authority) does not answer: \(reason)"
    case .refused(let authority, let reason): "\(authority) refuses: \(reason)"
    case .lapsed(let authority, let node): "\(authority) holds no such lease of \(node) any more"
    case .malformed(let authority, let place, let reason): "\(authority): \(place): \(reason)"
    }
  }
}
