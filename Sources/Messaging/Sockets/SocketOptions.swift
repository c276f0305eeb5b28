/// How a socket behaves. What is not listed here is fixed: it lingers for nothing when closed, does not hand a peer's
/// routing id over to another connection, reports unreachable peers instead of dropping, and speaks IPv4.
public struct SocketOptions: Sendable {
  /// Who may be at the other end.
  public enum Security: Sendable {
    /// No authentication: for sockets in a directory, or a network, that only friends reach.
    case none
    /// CURVE server; the context's `Authenticator` admits clients by the rules of `domain`.
    case curveServer(CurveKeyPair, domain: String)
    /// CURVE client that accepts only the server with this key.
    case curveClient(CurveKeyPair, server: CurvePublicKey)
  }

  /// Messages queued for one peer before sending says `wouldBlock`.
  public var sendHighWater: Int32 = 1000
  /// Messages queued from one peer before it has to wait.
  public var receiveHighWater: Int32 = 1000
  /// Largest frame accepted, in bytes; a peer that announces a larger one loses its connection.
  public var maximumFrameBytes: Int64 = 8 << 20
  /// Milliseconds in which a new connection must have shaken hands; bounds what idle connections can occupy.
  public var handshakeInterval: Int32 = 1000
  /// The name by which a router knows this socket, at most 255 bytes; empty lets the router invent one.
  public var routingID: [UInt8] = []
  /// Milliseconds before the first attempt to reconnect, and the most that it grows to.
  public var reconnectInterval: Int32 = 20
  public var reconnectIntervalMaximum: Int32 = 1000
  /// Seconds of silence before TCP asks whether the peer still lives, between questions, and how many go unanswered
  /// before the connection is given up.
  public var keepaliveIdle: Int32 = 10
  public var keepaliveInterval: Int32 = 5
  public var keepaliveCount: Int32 = 3
  /// Milliseconds without a sign of life after which a connection is given up; the peer's transport is asked for one
  /// three times as often. 0 leaves it to TCP.
  public var silence: Int32 = 0
  /// Queue only for peers that are connected; otherwise a `connect` queues at once, up to the high-water mark.
  public var queuesOnlyForConnected = false
  /// Connections waiting to be accepted.
  public var backlog: Int32 = 128
  public var security = Security.none

  public init() {}
}
