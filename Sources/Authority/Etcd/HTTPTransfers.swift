import CCurl
import Foundation
import Synchronization

/// HTTP exchanges by libcurl, all on one thread of their own: whoever waits for one is suspended, not blocked.
/// Connections are kept and used again.
final class HTTPTransfers: Sendable {
  private let desk: TransferDesk

  init() {
    let desk = TransferDesk()
    self.desk = desk
    let thread = Thread { desk.run() }
    thread.name = "authority-http"
    thread.start()
  }

  deinit { desk.end() }

  /// Sends `request` and waits for the whole answer.
  func exchange(_ request: HTTPRequest) async -> HTTPOutcome {
    await withCheckedContinuation { continuation in
      desk.start(request, onLine: nil) { continuation.resume(returning: $0) }
    }
  }

  /// What a stream brings.
  enum Event: Sendable {
    case line([UInt8])
    /// The last event. A status other than 200 tells in `body` why there was no stream.
    case ended(HTTPOutcome)
  }

  /// Sends `request`, whose answer comes line by line; letting go of the stream ends the exchange.
  func stream(_ request: HTTPRequest) -> AsyncStream<Event> {
    let (stream, continuation) = AsyncStream<Event>.makeStream()
    let number = desk.start(request, onLine: { continuation.yield(.line($0)) }) {
      continuation.yield(.ended($0))
      continuation.finish()
    }
    continuation.onTermination = { [desk] _ in desk.cancel(number) }
    return stream
  }
}

/// What goes over to the transfers' thread, and that thread.
private final class TransferDesk: Sendable {
  private enum Command: Sendable {
    case start(
      HTTPRequest, UInt64, onLine: (@Sendable ([UInt8]) -> Void)?, onEnd: @Sendable (HTTPOutcome) -> Void)
    case cancel(UInt64)
    case end
  }
  private struct Inbox {
    var commands: [Command] = []
    var lastNumber: UInt64 = 0
    var hasEnded = false
  }

  // libcurl lets any thread wake its handle; all else happens on the transfers' thread.
  private nonisolated(unsafe) let multi: UnsafeMutableRawPointer
  private let inbox = Mutex(Inbox())

  private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

  init() {
    guard Self.isReady, let multi = curl_multi_init() else { preconditionFailure("libcurl has memory") }
    self.multi = multi
  }

  /// Returns the exchange's number, to cancel it.
  @discardableResult func start(
    _ request: HTTPRequest, onLine: (@Sendable ([UInt8]) -> Void)?,
    onEnd: @escaping @Sendable (HTTPOutcome) -> Void
  ) -> UInt64 {
    inbox.withLock { inbox in
      inbox.lastNumber += 1
      post(.start(request, inbox.lastNumber, onLine: onLine, onEnd: onEnd), &inbox)
      return inbox.lastNumber
    }
  }

  func cancel(_ number: UInt64) { inbox.withLock { post(.cancel(number), &$0) } }

  func end() {
    inbox.withLock { inbox in
      post(.end, &inbox)
      inbox.hasEnded = true
    }
  }

  private func post(_ command: Command, _ inbox: inout Inbox) {
    guard !inbox.hasEnded else { return }
    inbox.commands.append(command)
    curl_multi_wakeup(multi)
  }

  /// Runs the exchanges until the end.
  func run() {
    var running: [UInt64: HTTPTransfer] = [:]
    while true {
      let commands = inbox.withLock { inbox in
        defer { inbox.commands = [] }
        return inbox.commands
      }
      for command in commands {
        switch command {
        case .start(let request, let number, let onLine, let onEnd):
          let transfer = HTTPTransfer(request, number: number, onLine: onLine, onEnd: onEnd)
          running[number] = transfer
          curl_multi_add_handle(multi, transfer.handle)
        case .cancel(let number):
          guard let transfer = running.removeValue(forKey: number) else { continue }
          curl_multi_remove_handle(multi, transfer.handle)
        case .end:
          for transfer in running.values {
            curl_multi_remove_handle(multi, transfer.handle)
            transfer.finish(CURLE_ABORTED_BY_CALLBACK)
          }
          running = [:]
          curl_multi_cleanup(multi)
          return
        }
      }
      var count: Int32 = 0
      curl_multi_perform(multi, &count)
      var left: Int32 = 0
      while let message = curl_multi_info_read(multi, &left) {
        guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle else { continue }
        let code = curl_shim_result(message)
        curl_multi_remove_handle(multi, handle)
        guard let ended = running.first(where: { $0.value.handle == handle }) else { continue }
        running[ended.key] = nil
        ended.value.finish(code)
      }
      curl_multi_poll(multi, nil, 0, 1_000, nil)
    }
  }
}
