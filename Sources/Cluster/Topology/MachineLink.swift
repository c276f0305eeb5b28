import Bytes
import Market
import Messaging
import Wire

/// A connection to a machine, wherever its owner is: one socket to each of its copies, of which the owner's is used.
///
/// With one copy it is a plain connection. With several, each is asked whether it owns the machine until one says so;
/// a new owner tells all who have asked.
public final class MachineLink {
  private struct Copy {
    var node: String
    var socket: Socket
    var term = Term(0)
    var isOwner = false
  }

  public let machine: MachineID
  private var copies: [Copy] = []
  private var owner: Int?
  private var askedAt: Int64 = .min
  private var frame = ByteWriter()

  /// Between asking and asking again while no owner is known, and while one is.
  private static let searchNanoseconds: Int64 = 100_000_000
  private static let checkNanoseconds: Int64 = 1_000_000_000

  init(to machine: MachineID) { self.machine = machine }

  /// The sockets, in no particular order, to be watched.
  public var sockets: [Socket] { copies.map(\.socket) }
  /// The owner's node, once one has said so; the only copy's otherwise.
  public var ownerNode: String? { current.map { copies[$0].node } }

  private var current: Int? { owner ?? (copies.count == 1 ? 0 : nil) }

  /// Nodes with a copy that it has a socket to.
  var nodes: [String] { copies.map(\.node) }

  func add(_ node: String, _ socket: Socket) {
    copies.append(Copy(node: node, socket: socket))
    // The one that was the only copy may be no owner for long.
    askedAt = .min
  }

  func remove(_ node: String) -> Socket? {
    guard let index = copies.firstIndex(where: { $0.node == node }) else { return nil }
    let socket = copies.remove(at: index).socket
    owner = copies.firstIndex { $0.isOwner }
    return socket
  }

  /// Sends to the owner; to every copy while none is known to own the machine, of which those that do not drop it.
  public func offer(_ frame: UnsafeRawBufferPointer) -> Socket.SendResult {
    if let current { return copies[current].socket.offer(frame) }
    var result = Socket.SendResult.unreachable
    for copy in copies where copy.socket.offer(frame) == .sent { result = .sent }
    return result
  }

  /// What was received.
  public enum Reception {
    case nothing
    /// A frame for the link's holder.
    case message
    /// A frame for the link itself.
    case own
    /// Another copy owns the machine now: what was asked of the old one is asked again.
    case newOwner
  }

  /// Takes the next message of one of its sockets.
  public func take(from socket: Socket, into buffer: inout MessageBuffer) -> Reception {
    guard let index = copies.firstIndex(where: { $0.socket === socket }), socket.take(into: &buffer) else {
      return .nothing
    }
    guard buffer.count == 1, let opened = Frame.open(buffer.frame(0)), opened.kind == .ownership else {
      return .message
    }
    var body = opened.body
    let notice = OwnershipNotice(from: &body)
    guard body.isExhausted, notice.machine == machine else { return .own }
    copies[index].term = notice.term
    copies[index].isOwner = notice.isOwner
    let before = owner
    owner = copies.indices.filter { copies[$0].isOwner }.max { copies[$0].term < copies[$1].term }
    return owner != nil && owner != before ? .newOwner : .own
  }

  /// Asks who owns the machine, when it is time. Call a few times a second.
  public func tend(at now: Int64) {
    guard copies.count > 1 else { return }
    let interval = owner == nil ? Self.searchNanoseconds : Self.checkNanoseconds
    guard askedAt == .min || now - askedAt >= interval else { return }
    askedAt = now
    Frame.begin(.whoOwns, in: &frame)
    for copy in copies { _ = copy.socket.offer(frame.bytes) }
  }
}
