import Bytes
import Cluster
import Glibc
import Market
import Messaging
import Wire

/// A client's connection to one gateway: sends signed actions and questions, hands back what comes.
public final class GatewayClient {
  /// What a gateway may say.
  public enum Event: Sendable {
    case reply(ActionReply)
    case refusal(Refusal)
    case report(ExecutionReport)
    case book(BookDelta)
    case status(InstrumentStatus)
    case answer(Answer)
  }

  private let socket: Socket
  private var received = MessageBuffer()
  private var frame = ByteWriter(capacity: 1 << 14)
  private var nextTag: UInt64 = 1
  /// What came while a question waited for its answer.
  private var backlog: [Event] = []

  public init(_ socket: Socket) { self.socket = socket }

  /// Hands one encoded `SignedAction` to the gateway; false when the transport cannot take it now.
  /// - Parameter shard: which it is for, needed where none of its operations names an instrument.
  public func submit(_ action: [UInt8], to shard: ShardID? = nil) -> Bool {
    if let shard {
      Frame.begin(.submitTo, in: &frame)
      shard.write(to: &frame)
    } else {
      Frame.begin(.submit, in: &frame)
    }
    action.withUnsafeBytes { frame.blob($0) }
    return socket.offer(frame.bytes) == .sent
  }

  public func subscribe(_ subscription: FeedSubscription) {
    Frame.write(.feedSubscription, subscription, in: &frame)
    _ = socket.offer(frame.bytes)
  }

  /// Sends a question and returns its tag; the answer comes as an event.
  @discardableResult
  public func ask(_ kind: Query.Kind, _ machine: MachineID, _ body: [UInt8] = []) -> UInt64 {
    defer { nextTag += 1 }
    Frame.write(.query, Query(tag: nextTag, kind: kind, machine: machine, body: body), in: &frame)
    _ = socket.offer(frame.bytes)
    return nextTag
  }

  /// Asks and waits. - Throws: `ClientError` with the machine's own words, or when no answer comes in time.
  public func query(
    _ kind: Query.Kind, _ machine: MachineID, _ body: [UInt8] = [], timeoutSeconds: Double = 5
  ) throws(ClientError) -> [UInt8] {
    let tag = ask(kind, machine, body)
    let deadline = MachineClock.monotonic() + Int64(timeoutSeconds * 1e9)
    while MachineClock.monotonic() < deadline {
      var answer: Answer?
      receive(waitMicroseconds: 20_000) { event in
        if case .answer(let found) = event, found.tag == tag { answer = found } else { self.backlog.append(event) }
      }
      guard let answer else { continue }
      if answer.isAnswered { return answer.body }
      throw ClientError(reason: String(decoding: answer.body, as: UTF8.self))
    }
    throw ClientError(reason: "\(machine) did not answer within \(timeoutSeconds) s")
  }

  /// Hands every event that is there to `body`; waits up to `waitMicroseconds` for the first.
  public func poll(waitMicroseconds: Int, _ body: (Event) -> Void) {
    if !backlog.isEmpty {
      let earlier = backlog
      backlog.removeAll()
      earlier.forEach(body)
    }
    receive(waitMicroseconds: waitMicroseconds, body)
  }

  private func receive(waitMicroseconds: Int, _ body: (Event) -> Void) {
    if waitMicroseconds > 0 { socket.waitUntilReadable(microseconds: waitMicroseconds) }
    while socket.take(into: &received) {
      guard received.count == 1, let opened = Frame.open(received.frame(0)) else { continue }
      var reader = opened.body
      switch opened.kind {
      case .replies:
        while reader.remaining > 0 {
          let bytes = reader.blob()
          guard !reader.hasFailed, let reply = try? ActionReply(decoding: bytes) else { break }
          body(.reply(reply))
        }
      case .refusal:
        let refusal = Refusal(from: &reader)
        if reader.isExhausted { body(.refusal(refusal)) }
      case .feed:
        _ = Feed.read(&reader) { _, item, layout in
          switch item {
          case .report: if let report = try? ExecutionReport(decoding: layout) { body(.report(report)) }
          case .book: if let delta = try? BookDelta(decoding: layout) { body(.book(delta)) }
          case .status: if let status = try? InstrumentStatus(decoding: layout) { body(.status(status)) }
          }
        }
      case .answer:
        let answer = Answer(from: &reader)
        if reader.isExhausted { body(.answer(answer)) }
      default: continue
      }
    }
  }
}

/// Why a request to a cluster failed.
public struct ClientError: Error, CustomStringConvertible {
  public var reason: String
  public init(reason: String) { self.reason = reason }
  public var description: String { reason }
}
