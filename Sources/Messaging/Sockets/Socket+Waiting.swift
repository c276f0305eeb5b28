import CZeroMQ
import Glibc

extension Socket {
  /// Waits until a message can be received, at most `microseconds`; for clients that have no loop. A message ends the
  /// wait at once, also one of less than a millisecond, which `zmq_poll` cannot wait for.
  public func waitUntilReadable(microseconds: Int) {
    guard microseconds > 0 else { return }
    // Asking for the events first re-arms the descriptor, which tells of changes only.
    if isReadable { return }
    let deadline = MonotonicTime.now().advanced(by: Int64(microseconds) * 1_000)
    while true {
      var item = pollfd(fd: eventDescriptor, events: Int16(POLLIN), revents: 0)
      let left = deadline.nanoseconds - MonotonicTime.now().nanoseconds
      guard left > 0 else { return }
      var time = timespec(tv_sec: Int(left / 1_000_000_000), tv_nsec: Int(left % 1_000_000_000))
      guard ppoll(&item, 1, &time, nil) > 0 else { return }
      if isReadable { return }
    }
  }

  private var isReadable: Bool {
    var events: Int32 = 0
    var size = MemoryLayout<Int32>.size
    return zmq_getsockopt(handle, ZMQ_EVENTS, &events, &size) != 0 || events & ZMQ_POLLIN != 0
  }

  private var eventDescriptor: Int32 {
    var descriptor: Int32 = -1
    var size = MemoryLayout<Int32>.size
    zmq_getsockopt(handle, ZMQ_FD, &descriptor, &size)
    return descriptor
  }
}
