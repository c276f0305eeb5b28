import Messaging

extension Socket {
  /// Sends if that can be done now. A failing socket is as good as an unreachable peer: what must arrive is numbered
  /// and
  /// sent again.
  public func offer(_ body: UnsafeRawBufferPointer) -> SendResult { (try? send(body)) ?? .unreachable }

  /// The same, from a router to one peer.
  public func offer(to identity: [UInt8], _ body: UnsafeRawBufferPointer) -> SendResult {
    identity.withUnsafeBytes { (try? send(to: $0, body)) ?? .unreachable }
  }

  /// Takes the next message if there is one and the socket is sound.
  public func take(into buffer: inout MessageBuffer) -> Bool { (try? receive(into: &buffer)) ?? false }
}
