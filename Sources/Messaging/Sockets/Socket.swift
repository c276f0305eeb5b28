import Bytes
import CZeroMQ
import Synchronization

/// A ZeroMQ socket, used from one thread at a time and usually owned by an actor on a `SocketLoop`.
///
/// ZeroMQ may lose what is in flight when a peer dies or a connection breaks, so whoever needs a message to arrive
/// numbers it and sends it again.
public final class Socket {
  public enum Kind: Sendable {
    /// Knows its peers by routing id: the first frame of what it sends and receives.
    case router
    /// Speaks with one router (or several in turn).
    case dealer
    /// Speaks with exactly one other pair socket.
    case pair
    /// Answers one request at a time.
    case reply

    var code: Int32 {
      switch self {
      case .router: ZMQ_ROUTER
      case .dealer: ZMQ_DEALER
      case .pair: ZMQ_PAIR
      case .reply: ZMQ_REP
      }
    }
  }

  /// What became of a message.
  public enum SendResult: Sendable, Equatable {
    /// Queued for the peer (no more than that).
    case sent
    /// The peer's queue is full, or nobody is connected yet: nothing was sent; try later.
    case wouldBlock
    /// A router has no connection with that routing id: nothing was sent.
    case unreachable
  }

  public let kind: Kind
  let handle: UnsafeMutableRawPointer
  /// Keeps the context alive as long as the socket.
  private let context: ZeroMQContext

  public init(_ context: ZeroMQContext, _ kind: Kind, _ options: SocketOptions = SocketOptions()) throws(MessagingError)
  {
    if case .curveServer = options.security, !context.hasAuthenticator.load(ordering: .acquiring) {
      throw .noAuthenticator
    }
    guard let handle = zmq_socket(context.handle, kind.code) else {
      throw .failed(operation: "zmq_socket", subject: "\(kind)", code: zmq_errno())
    }
    self.kind = kind
    self.handle = handle
    self.context = context
    try apply(options)
  }

  deinit { zmq_close(handle) }

  // MARK: Endpoints

  /// Listens on `endpoint` (`ipc://PATH`, `tcp://ADDRESS:PORT`, port `*` for a free one; `inproc://NAME`) and returns
  /// the endpoint that it became.
  @discardableResult
  public func bind(_ endpoint: String) throws(MessagingError) -> String {
    try check(zmq_bind(handle, endpoint), "bind", endpoint)
    return try withUnsafeTemporaryAllocation(byteCount: 512, alignment: 1) { bytes throws(MessagingError) in
      var count = bytes.count
      try check(zmq_getsockopt(handle, ZMQ_LAST_ENDPOINT, bytes.baseAddress!, &count), "get", "last endpoint")
      return String(decoding: bytes.prefix(max(0, count - 1)), as: UTF8.self)
    }
  }

  /// Connects to `endpoint`, now and whenever the connection is lost. A wrong address shows only in that nobody
  /// answers.
  public func connect(_ endpoint: String) throws(MessagingError) {
    try check(zmq_connect(handle, endpoint), "connect", endpoint)
  }

  /// Ends the connection with `endpoint`; what is queued for it is dropped.
  public func disconnect(_ endpoint: String) throws(MessagingError) {
    try check(zmq_disconnect(handle, endpoint), "disconnect", endpoint)
  }

  /// Stops listening on `endpoint`, as `bind` returned it.
  public func unbind(_ endpoint: String) throws(MessagingError) {
    try check(zmq_unbind(handle, endpoint), "unbind", endpoint)
  }

  // MARK: Messages

  /// Sends a message of one frame. Never waits.
  public func send(_ body: UnsafeRawBufferPointer) throws(MessagingError) -> SendResult {
    try send(frame: body, isLast: true)
  }

  /// Sends a message of two frames: from a router, `body` to the peer with the routing id `peer`. Never waits.
  public func send(to peer: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer) throws(MessagingError) -> SendResult
  {
    let result = try send(frame: peer, isLast: false)
    guard result == .sent else { return result }
    return try send(frame: body, isLast: true)
  }

  /// Sends a message of `count` frames, all or none. Never waits.
  public func send(
    frames count: Int, _ frame: (_ index: Int) -> UnsafeRawBufferPointer
  ) throws(MessagingError) -> SendResult {
    for index in 0..<count {
      let result = try send(frame: frame(index), isLast: index == count - 1)
      guard result == .sent else { return result }
    }
    return .sent
  }

  /// Sends a message of these frames, all or none. Never waits.
  public func send(frames: [[UInt8]]) throws(MessagingError) -> SendResult {
    for (index, frame) in frames.enumerated() {
      let attempt = frame.withUnsafeBytes { bytes in
        Result { () throws(MessagingError) in try send(frame: bytes, isLast: index == frames.count - 1) }
      }
      let result = try attempt.get()
      guard result == .sent else { return result }
    }
    return .sent
  }

  /// One frame. ZeroMQ refuses a message at its first frame, or, if the peer goes meanwhile, takes the earlier frames
  /// back.
  private func send(frame: UnsafeRawBufferPointer, isLast: Bool) throws(MessagingError) -> SendResult {
    let flags = isLast ? ZMQ_DONTWAIT : ZMQ_DONTWAIT | ZMQ_SNDMORE
    while zmq_send(handle, frame.baseAddress, frame.count, flags) < 0 {
      let code = zmq_errno()
      switch code {
      case EINTR: continue
      case EAGAIN: return .wouldBlock
      case EHOSTUNREACH: return .unreachable
      default: throw .failed(operation: "send", subject: "\(kind)", code: code)
      }
    }
    return .sent
  }

  /// Takes the next message into `buffer`; `false` if there is none. Never waits.
  public func receive(into buffer: inout MessageBuffer) throws(MessagingError) -> Bool {
    switch buffer.receive(from: handle) {
    case .success(let received): return received
    case .failure(let error): throw .failed(operation: "receive", subject: "\(kind)", code: error.code)
    }
  }

  // MARK: Options

  private func apply(_ options: SocketOptions) throws(MessagingError) {
    var settings: [(Int32, Int32, String)] = [
      (ZMQ_LINGER, 0, "linger"), (ZMQ_IPV6, 0, "IPv6"),
      (ZMQ_SNDHWM, options.sendHighWater, "send high-water mark"),
      (ZMQ_RCVHWM, options.receiveHighWater, "receive high-water mark"),
      (ZMQ_HANDSHAKE_IVL, options.handshakeInterval, "handshake interval"),
      (ZMQ_RECONNECT_IVL, options.reconnectInterval, "reconnect interval"),
      (ZMQ_RECONNECT_IVL_MAX, options.reconnectIntervalMaximum, "greatest reconnect interval"),
      (ZMQ_TCP_KEEPALIVE, 1, "keepalive"),
      (ZMQ_TCP_KEEPALIVE_IDLE, options.keepaliveIdle, "keepalive idle"),
      (ZMQ_TCP_KEEPALIVE_INTVL, options.keepaliveInterval, "keepalive interval"),
      (ZMQ_TCP_KEEPALIVE_CNT, options.keepaliveCount, "keepalive count"),
      (ZMQ_IMMEDIATE, options.queuesOnlyForConnected ? 1 : 0, "queue only for connected"),
      (ZMQ_BACKLOG, options.backlog, "backlog"),
    ]
    if options.silence > 0 {
      let interval = max(1, options.silence / 3)
      settings.append((ZMQ_HEARTBEAT_IVL, interval, "heartbeat interval"))
      settings.append((ZMQ_HEARTBEAT_TIMEOUT, options.silence - interval, "heartbeat time-out"))
    }
    if kind == .router {
      settings.append((ZMQ_ROUTER_MANDATORY, 1, "mandatory routing"))
      settings.append((ZMQ_ROUTER_HANDOVER, 0, "routing id hand-over"))
    }
    for (option, value, name) in settings { try set(option, value, name) }
    try set(ZMQ_MAXMSGSIZE, options.maximumFrameBytes, "greatest frame")
    if !options.routingID.isEmpty { try set(ZMQ_ROUTING_ID, bytes: options.routingID, "routing id") }
    switch options.security {
    case .none: break
    case .curveServer(let keys, let domain):
      try set(ZMQ_CURVE_SERVER, 1 as Int32, "CURVE server")
      try set(ZMQ_CURVE_SECRETKEY, bytes: keys.secretKey.array, "secret key")
      try set(ZMQ_ZAP_DOMAIN, bytes: Array(domain.utf8), "ZAP domain")
    case .curveClient(let keys, let server):
      try set(ZMQ_CURVE_PUBLICKEY, bytes: keys.publicKey.bytes.array, "public key")
      try set(ZMQ_CURVE_SECRETKEY, bytes: keys.secretKey.array, "secret key")
      try set(ZMQ_CURVE_SERVERKEY, bytes: server.bytes.array, "server key")
    }
  }

  private func set<T: FixedWidthInteger>(_ option: Int32, _ value: T, _ name: String) throws(MessagingError) {
    var value = value
    try check(zmq_setsockopt(handle, option, &value, MemoryLayout<T>.size), "set", "\(name) = \(value)")
  }

  /// The value stays out of the error: it may be a secret.
  private func set(_ option: Int32, bytes: [UInt8], _ name: String) throws(MessagingError) {
    try check(zmq_setsockopt(handle, option, bytes, bytes.count), "set", name)
  }

  private func check(_ code: Int32, _ operation: String, _ subject: @autoclosure () -> String) throws(MessagingError) {
    if code < 0 { throw .failed(operation: operation, subject: subject(), code: zmq_errno()) }
  }
}
