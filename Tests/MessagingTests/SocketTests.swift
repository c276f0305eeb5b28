import Bytes
import Glibc
import Messaging
import Testing

@Suite struct SocketTests {
  private let directory = TemporaryDirectory()

  @Test(arguments: Transport.allCases)
  func aRouterAnswersADealer(over transport: Transport) throws {
    let context = try ZeroMQContext()
    let router = try Socket(context, .router)
    let endpoint = try router.bind(transport.endpoint(directory))
    var options = SocketOptions()
    options.routingID = Array("desk".utf8)
    let dealer = try Socket(context, .dealer, options)
    try dealer.connect(endpoint)
    #expect(try dealer.sendText("ping") == .sent)
    let request = try #require(try router.nextMessage())
    #expect(request.frames == [Array("desk".utf8), Array("ping".utf8)])
    #expect(request.user == nil)
    let pong = Array("pong".utf8)
    let result = try request.frames[0].withUnsafeBytes { peer in
      try pong.withUnsafeBytes { try router.send(to: peer, $0) }
    }
    #expect(result == .sent)
    #expect(try dealer.nextText() == "pong")
  }

  @Test func aMessageOfManyFramesArrivesWholeAndOneOfTooManyIsCalledMalformed() throws {
    let context = try ZeroMQContext()
    let (a, b) = (try Socket(context, .pair), try Socket(context, .pair))
    try a.bind("ipc://\(directory.path)/p")
    try b.connect("ipc://\(directory.path)/p")
    let frames: [[UInt8]] = [[1], [], [UInt8](repeating: 7, count: 500)]
    #expect(try b.send(frames: frames) == .sent)
    #expect(try b.send(frames: (0..<50).map { [UInt8($0)] }) == .sent)
    #expect(try b.send(frames: [[9]]) == .sent)
    var buffer = MessageBuffer(frames: 3)
    #expect(try a.waitForMessage(&buffer))
    var (malformed, kept) = (buffer.isMalformed, buffer.all)
    #expect(!malformed)
    #expect(kept == frames)
    #expect(try a.waitForMessage(&buffer))
    (malformed, kept) = (buffer.isMalformed, buffer.all)
    #expect(malformed)
    #expect(kept.count == 3)
    #expect(try a.waitForMessage(&buffer))
    (malformed, kept) = (buffer.isMalformed, buffer.all)
    #expect(!malformed)
    #expect(kept == [[9]])
    #expect(try !a.receive(into: &buffer))
  }

  @Test func aFullQueueSaysWouldBlockAndLosesNothing() throws {
    let context = try ZeroMQContext()
    var options = SocketOptions()
    options.sendHighWater = 50
    options.receiveHighWater = 50
    options.routingID = [1]
    let router = try Socket(context, .router, options)
    try router.bind("ipc://\(directory.path)/h")
    let dealer = try Socket(context, .dealer, options)
    try dealer.connect("ipc://\(directory.path)/h")
    #expect(try dealer.sendText("here") == .sent)
    let peer = try #require(try router.nextMessage()).frames[0]
    var sent = 0
    var body = [UInt8](repeating: 0, count: 20_000)
    while true {
      body[0] = UInt8(truncatingIfNeeded: sent)
      let result = try router.send(frames: [peer, body])
      if result != .sent {
        #expect(result == .wouldBlock)
        break
      }
      sent += 1
      try #require(sent < 100_000)
    }
    #expect(sent >= 50)
    var received = 0
    while let message = try dealer.nextMessage(milliseconds: received == sent ? 50 : 3000) {
      #expect(message.frames[0][0] == UInt8(truncatingIfNeeded: received))
      received += 1
    }
    #expect(received == sent)
    #expect(try eventually { try router.send(frames: [peer, body]) == .sent })
  }

  @Test func aDealerWithoutAPeerBlocksInsteadOfDropping() throws {
    let context = try ZeroMQContext()
    let dealer = try Socket(context, .dealer)
    #expect(try dealer.sendText("anyone?") == .wouldBlock)
    var options = SocketOptions()
    options.queuesOnlyForConnected = true
    let patient = try Socket(context, .dealer, options)
    try patient.connect("ipc://\(directory.path)/nobody")
    #expect(try patient.sendText("anyone?") == .wouldBlock)
  }

  @Test func anUnknownPeerIsUnreachable() throws {
    let context = try ZeroMQContext()
    let router = try Socket(context, .router)
    try router.bind("ipc://\(directory.path)/u")
    #expect(try router.send(frames: [[1, 2, 3], [4]]) == .unreachable)
  }

  @Test func aFrameBeyondTheLimitNeverArrives() throws {
    let context = try ZeroMQContext()
    var limited = SocketOptions()
    limited.maximumFrameBytes = 1000
    let router = try Socket(context, .router, limited)
    let endpoint = try router.bind("tcp://127.0.0.1:*")
    let dealer = try Socket(context, .dealer)
    try dealer.connect(endpoint)
    #expect(try dealer.send(frames: [[UInt8](repeating: 1, count: 1001)]) == .sent)
    // The connection that sent it is cut; the next one serves.
    usleep(100_000)
    let fits = [UInt8](repeating: 2, count: 1000)
    var seen: [[UInt8]] = []
    for _ in 0..<20 where seen.isEmpty {
      _ = try dealer.send(frames: [fits])
      if let message = try router.nextMessage(milliseconds: 200) { seen.append(message.frames[1]) }
    }
    #expect(seen == [fits])
  }

  @Test func aSecondConnectionCannotTakeAPeersName() throws {
    let context = try ZeroMQContext()
    let router = try Socket(context, .router)
    try router.bind("ipc://\(directory.path)/n")
    var options = SocketOptions()
    options.routingID = Array("desk".utf8)
    let first = try Socket(context, .dealer, options)
    try first.connect("ipc://\(directory.path)/n")
    _ = try first.sendText("first")
    #expect(try router.nextText() == "first")
    let second = try Socket(context, .dealer, options)
    try second.connect("ipc://\(directory.path)/n")
    _ = try second.sendText("second")
    #expect(try router.nextText(milliseconds: 200) == nil)
    #expect(try router.send(frames: [Array("desk".utf8), [5]]) == .sent)
    #expect(try first.nextMessage()?.frames == [[5]])
  }

  @Test func anEndpointThatCannotBeIsNamedInTheError() throws {
    let context = try ZeroMQContext()
    let socket = try Socket(context, .dealer)
    let endpoint = "ipc:///no/such/directory/s"
    #expect(throws: MessagingError.failed(operation: "bind", subject: endpoint, code: ENOENT)) {
      try socket.bind(endpoint)
    }
    #expect(throws: MessagingError.self) { try socket.connect("gopher://x") }
  }
}
