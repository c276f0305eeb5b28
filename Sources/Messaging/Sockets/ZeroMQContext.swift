import CZeroMQ
import Synchronization

/// A ZeroMQ context: the I/O threads that a process's sockets share. It ends when its last socket has.
public final class ZeroMQContext: @unchecked Sendable {
  /// ZeroMQ's handle; it may be used from any thread.
  let handle: UnsafeMutableRawPointer
  /// Set once an `Authenticator` answers for this context's servers.
  let hasAuthenticator = Atomic<Bool>(false)

  /// - Parameters:
  ///   - ioThreads: Threads that move bytes; one carries about a gigabyte a second.
  ///   - sockets: Most sockets at the same time.
  public init(ioThreads: Int32 = 1, sockets: Int32 = 1023) throws(MessagingError) {
    guard let handle = zmq_ctx_new() else {
      throw .failed(operation: "zmq_ctx_new", subject: "", code: zmq_errno())
    }
    self.handle = handle
    for (option, value, name) in [(ZMQ_IO_THREADS, ioThreads, "I/O threads"), (ZMQ_MAX_SOCKETS, sockets, "sockets")] {
      guard zmq_ctx_set(handle, option, value) == 0 else {
        throw .failed(operation: "zmq_ctx_set", subject: "\(name) = \(value)", code: zmq_errno())
      }
    }
  }

  deinit { zmq_ctx_term(handle) }
}
