import CCurl

/// One exchange on the transfers' thread, from its request to its end.
final class HTTPTransfer {
  /// Largest answer that is taken, in bytes; of a stream, its longest line.
  static let byteLimit = 16 << 20
  /// Milliseconds in which a connection must stand.
  private static let connectMilliseconds = 1_000

  let number: UInt64
  let handle: UnsafeMutableRawPointer
  private var headers: UnsafeMutablePointer<curl_slist>?
  private var received: [UInt8] = []
  private let onLine: (@Sendable ([UInt8]) -> Void)?
  private let onEnd: @Sendable (HTTPOutcome) -> Void

  /// - Parameters:
  ///   - onLine: for an answer that comes line by line for as long as the exchange lasts.
  ///   - onEnd: called once, unless the exchange is cancelled.
  init(
    _ request: HTTPRequest, number: UInt64, onLine: (@Sendable ([UInt8]) -> Void)?,
    onEnd: @escaping @Sendable (HTTPOutcome) -> Void
  ) {
    guard let handle = curl_easy_init() else { preconditionFailure("libcurl has memory") }
    self.number = number
    self.handle = handle
    self.onLine = onLine
    self.onEnd = onEnd
    for header in request.headers + ["Content-Type: application/json", "Expect:"] {
      headers = curl_slist_append(headers, header)
    }
    curl_shim_set_headers(handle, headers)
    _ = request.body.withUnsafeBytes { curl_shim_set_body(handle, $0.baseAddress, $0.count) }
    let texts: [(CURLoption, String)] = [
      (CURLOPT_URL, request.url), (CURLOPT_NOPROXY, "*"), (CURLOPT_CAINFO, request.security.authorityFile),
      (CURLOPT_SSLCERT, request.security.certificateFile), (CURLOPT_SSLKEY, request.security.keyFile),
    ]
    for (option, text) in texts where !text.isEmpty { curl_shim_set_text(handle, option, text) }
    let numbers: [(CURLoption, Int)] = [
      (CURLOPT_NOSIGNAL, 1), (CURLOPT_TIMEOUT_MS, request.timeLimitMilliseconds),
      (CURLOPT_CONNECTTIMEOUT_MS, min(Self.connectMilliseconds, request.timeLimitMilliseconds)),
      (CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1), (CURLOPT_FOLLOWLOCATION, 0), (CURLOPT_TCP_NODELAY, 1),
      // A peer that vanished without a word is missed within seconds, also where nothing is being sent.
      (CURLOPT_TCP_KEEPALIVE, 1), (CURLOPT_TCP_KEEPIDLE, 1), (CURLOPT_TCP_KEEPINTVL, 1),
    ]
    for (option, value) in numbers { curl_shim_set_long(handle, option, value) }
    curl_shim_set_writer(
      handle,
      { bytes, size, count, context in
        let transfer = Unmanaged<HTTPTransfer>.fromOpaque(context!).takeUnretainedValue()
        let taken = transfer.take(UnsafeRawBufferPointer(start: bytes, count: size * count))
        return taken ? size * count : 0
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  deinit {
    curl_easy_cleanup(handle)
    curl_slist_free_all(headers)
  }

  /// `false` ends the exchange.
  private func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
    received += bytes
    if let onLine {
      while let end = received.firstIndex(of: UInt8(ascii: "\n")) {
        let line = Array(received[..<end])
        received.removeFirst(end + 1)
        if !line.isEmpty { onLine(line) }
      }
    }
    return received.count <= Self.byteLimit
  }

  /// The exchange is over.
  func finish(_ code: CURLcode) {
    if code == CURLE_OK {
      onEnd(.answered(status: curl_shim_status(handle), body: received))
    } else {
      onEnd(.failed(reason: String(cString: curl_easy_strerror(code))))
    }
  }
}
