import CZeroMQ

/// Room for one received message, reused from message to message. Frames are ZeroMQ's own memory, not copies: they are
/// valid until the next `receive` into the buffer.
public struct MessageBuffer: ~Copyable {
  private let slots: UnsafeMutablePointer<zmq_msg_t>
  private let slotCount: Int
  /// Frames of the message that were kept: at most the buffer's capacity.
  public private(set) var count = 0
  /// True when the message had more frames than the buffer takes. The rest was thrown away; so should the message be.
  public private(set) var isMalformed = false

  /// A buffer for messages of up to `frames` frames, a router's routing id included.
  public init(frames: Int = 4) {
    precondition(frames > 0, "a message has a frame")
    slotCount = frames
    // The slot after the last takes the frames that are thrown away.
    slots = .allocate(capacity: frames + 1)
    for slot in 0...frames { zmq_msg_init(slots + slot) }
  }

  deinit {
    for slot in 0...slotCount { zmq_msg_close(slots + slot) }
    slots.deallocate()
  }

  /// The bytes of a frame.
  public borrowing func frame(_ index: Int) -> UnsafeRawBufferPointer {
    precondition(index >= 0 && index < count, "the message has that frame")
    return UnsafeRawBufferPointer(start: zmq_msg_data(slots + index), count: zmq_msg_size(slots + index))
  }

  /// The name under which the authenticator admitted the sender; `nil` on sockets without CURVE.
  public var userID: String? {
    guard count > 0, let name = zmq_msg_gets(slots + (count - 1), "User-Id") else { return nil }
    return String(cString: name)
  }

  /// Takes the next message of `socket`; `false` if there is none.
  mutating func receive(from socket: UnsafeMutableRawPointer) -> Result<Bool, SystemError> {
    count = 0
    isMalformed = false
    var slot = 0
    repeat {
      // A message's frames arrive together: only the first can be missing.
      while zmq_msg_recv(slots + slot, socket, slot == 0 ? ZMQ_DONTWAIT : 0) < 0 {
        switch zmq_errno() {
        case EINTR: continue
        case EAGAIN where slot == 0: return .success(false)
        default: return .failure(SystemError(code: zmq_errno()))
        }
      }
      if slot < slotCount { count += 1 } else { isMalformed = true }
      let hasMore = zmq_msg_more(slots + slot) != 0
      slot = min(slot + 1, slotCount)
      if !hasMore { return .success(true) }
    } while true
  }

  /// An `errno`, ZeroMQ's own included.
  struct SystemError: Error {
    var code: Int32
  }
}
