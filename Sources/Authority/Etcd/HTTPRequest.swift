/// A POST of JSON to one server.
struct HTTPRequest: Sendable {
  var url: String
  var headers: [String] = []
  var body: [UInt8]
  /// Milliseconds for the whole exchange.
  var timeLimitMilliseconds: Int
  var security = HTTPSecurity()
}

/// Whom to believe, and how to show who one is, over TLS: PEM files, empty where there is none. Without a CA file the
/// system's certificates are believed.
struct HTTPSecurity: Sendable, Hashable {
  var authorityFile = ""
  var certificateFile = ""
  var keyFile = ""
}

/// How an exchange ended.
enum HTTPOutcome: Sendable, Equatable {
  /// The server answered with a status and, unless it was streamed, a body.
  case answered(status: Int, body: [UInt8])
  /// There was no complete answer.
  case failed(reason: String)
}
