import Foundation

/// A bare stream to a ZeroMQ endpoint, for bytes that no ZeroMQ socket would send.
final class RawConnection {
  private let descriptor: Int32

  /// - Throws: when nobody listens there.
  init(_ endpoint: String) throws {
    if endpoint.hasPrefix("ipc://") {
      descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &address.sun_path) { path in
        path.copyBytes(from: endpoint.dropFirst(6).utf8.prefix(path.count - 1))
      }
      try Self.connect(descriptor, &address, endpoint)
    } else {
      let parts = endpoint.dropFirst(6).split(separator: ":")
      guard endpoint.hasPrefix("tcp://"), parts.count == 2, let port = UInt16(parts[1]) else {
        throw SupervisionError(what: endpoint, reason: "neither ipc://PATH nor tcp://ADDRESS:PORT")
      }
      descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      inet_pton(AF_INET, String(parts[0]), &address.sin_addr)
      try Self.connect(descriptor, &address, endpoint)
    }
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
  }

  private static func connect<Address>(_ descriptor: Int32, _ address: inout Address, _ endpoint: String) throws {
    let status = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
      }
    }
    guard status == 0 else {
      let reason = String(cString: strerror(errno))
      close(descriptor)
      throw SupervisionError(what: endpoint, reason: reason)
    }
  }

  deinit { close(descriptor) }

  /// - Returns: bytes taken; fewer than offered when the other end is full or gone.
  func send(_ bytes: [UInt8]) -> Int {
    max(0, bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) })
  }

  /// Whether the other end has closed; what it says meanwhile is passed over.
  func isClosed() -> Bool {
    var buffer = [UInt8](repeating: 0, count: 4_096)
    while true {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      if count > 0 { continue }
      return count == 0 || (errno != EAGAIN && errno != EINTR)
    }
  }
}
