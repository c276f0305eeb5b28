import CZeroMQ
import Glibc

extension Socket {
  /// Waits until a message can be received, at most `microseconds`; for clients that have no loop. Waits of less than a
  /// millisecond sleep that long and look once.
  public func waitUntilReadable(microseconds: Int) {
    guard microseconds > 0 else { return }
    var item = zmq_pollitem_t(socket: handle, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
    if microseconds < 1_000 {
      if zmq_poll(&item, 1, 0) == 0 { usleep(UInt32(microseconds)) }
    } else {
      zmq_poll(&item, 1, microseconds / 1_000)
    }
  }
}
