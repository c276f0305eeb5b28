import CZeroMQ

/// Why a socket, a key or a loop could not be made or used.
public enum MessagingError: Error, Equatable, Sendable, CustomStringConvertible {
  /// ZeroMQ or the system refused `operation` on `subject` (an endpoint, an option, a path).
  case failed(operation: String, subject: String, code: Int32)
  /// A CURVE server was asked for before the context had an `Authenticator`: ZeroMQ would let every key in.
  case noAuthenticator
  /// A secret key file that others may read or write.
  case looseMode(path: String, mode: UInt32)
  /// A file that does not hold a key, or a peer's name that is none.
  case malformedKey(path: String, expected: String)

  public var description: String {
    switch self {
    case .failed(let operation, let subject, let code):
      "\(operation) \(subject): \(String(cString: zmq_strerror(code))) (\(code))"
    case .noAuthenticator:
      "a CURVE server needs an authenticator on its context first, else it would admit every key"
    case .looseMode(let path, let mode):
      "\(path): mode 0\(String(mode, radix: 8)) lets others at the secret key; it must be 0600"
    case .malformedKey(let path, let expected):
      "\(path): expected \(expected)"
    }
  }
}
