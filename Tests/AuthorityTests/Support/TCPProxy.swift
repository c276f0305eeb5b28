import Foundation
import Synchronization

/// A network in miniature: passes bytes on to a server on this host, until it is told to lose them.
final class TCPProxy: Sendable {
  enum Mode: Sendable {
    case open
    /// Requests arrive, answers are lost.
    case losesAnswers
    /// Neither arrives.
    case cut
  }

  let port: Int
  private let target: Int
  private let listener: Int32
  private let mode = Mutex(Mode.open)
  private let links = Mutex<[Int32]>([])
  private let lostBytes = Mutex(0)

  init(to target: Int) throws {
    self.target = target
    listener = try LocalPort.listen()
    port = try LocalPort.port(of: listener)
    Thread.detachNewThread { [self] in accept() }
  }

  /// Bytes that were not passed on.
  var lost: Int { lostBytes.withLock { $0 } }

  func set(_ mode: Mode) { self.mode.withLock { $0 = mode } }

  /// Passes on again; what was connected meanwhile has to connect anew.
  func heal() {
    set(.open)
    breakLinks()
  }

  /// Ends the connections that are there.
  func breakLinks() {
    let open = links.withLock { links in
      defer { links = [] }
      return links
    }
    for link in open { shutdown(link, Int32(SHUT_RDWR)) }
  }

  func end() {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
    breakLinks()
  }

  private func accept() {
    while true {
      let client = Glibc.accept(listener, nil, nil)
      guard client >= 0 else { return }
      guard let server = try? LocalPort.connect(to: target) else {
        close(client)
        continue
      }
      links.withLock { $0 += [client, server] }
      pump(from: client, to: server, isAnswer: false)
      pump(from: server, to: client, isAnswer: true)
    }
  }

  private func pump(from source: Int32, to sink: Int32, isAnswer: Bool) {
    Thread.detachNewThread { [self] in
      var bytes = [UInt8](repeating: 0, count: 65_536)
      while true {
        let count = read(source, &bytes, bytes.count)
        guard count > 0 else { break }
        let mode = mode.withLock { $0 }
        if mode == .cut || (mode == .losesAnswers && isAnswer) {
          lostBytes.withLock { $0 += count }
        } else if send(sink, bytes, count, Int32(MSG_NOSIGNAL)) != count {
          break
        }
      }
      shutdown(sink, Int32(SHUT_RDWR))
      // The other direction may still use both: the descriptors go when it has ended, too.
      let isLast = ended.withLock { ended in
        let pair = [min(source, sink), max(source, sink)]
        if ended.remove(pair) != nil { return true }
        ended.insert(pair)
        return false
      }
      guard isLast else { return }
      links.withLock { $0.removeAll { $0 == source || $0 == sink } }
      close(source)
      close(sink)
    }
  }

  private let ended = Mutex<Set<[Int32]>>([])
}

/// Ports of the loopback address.
enum LocalPort {
  struct Failure: Error {
    var operation: String
    var code: Int32
  }

  static func listen() throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    try withAddress(port: 0) { address, length in
      guard bind(descriptor, address, length) == 0 else { throw Failure(operation: "bind", code: errno) }
    }
    guard Glibc.listen(descriptor, 64) == 0 else { throw Failure(operation: "listen", code: errno) }
    return descriptor
  }

  static func port(of descriptor: Int32) throws -> Int {
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
    }
    guard code == 0 else { throw Failure(operation: "getsockname", code: errno) }
    return Int(UInt16(bigEndian: address.sin_port))
  }

  static func connect(to port: Int) throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    try withAddress(port: port) { address, length in
      guard Glibc.connect(descriptor, address, length) == 0 else {
        let code = errno
        close(descriptor)
        throw Failure(operation: "connect", code: code)
      }
    }
    return descriptor
  }

  /// Ports that were free a moment ago.
  static func free(_ count: Int) throws -> [Int] {
    let listeners = try (0..<count).map { _ in try listen() }
    defer { for listener in listeners { close(listener) } }
    return try listeners.map { try port(of: $0) }
  }

  private static func withAddress(
    port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Void
  ) throws {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    address.sin_port = UInt16(port).bigEndian
    try withUnsafePointer(to: &address) { pointer in
      try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        try body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }
}
