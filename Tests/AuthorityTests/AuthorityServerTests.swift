import Authority
import Foundation
import Logging
import Market
import Messaging
import Testing

@Suite(.serialized) struct AuthorityServerTests {
  private let record = Ownership(machine: .risk, term: Term(4), owner: "a", inSync: ["b"])

  @Test func aReapedNodeIsToldOfWithinMilliseconds() async throws {
    let stage = try SupervisorStage()
    defer { stage.end() }
    let client = try stage.client()
    let log = ChangeLog()
    let watch = client.watch { log.append($0) }
    stage.server.nodeStarted("matcher-0")
    _ = try await client.grantLease(node: "matcher-0", milliseconds: 60_000)
    #expect(await eventually { log.contains(.nodeUp("matcher-0")) })
    let start = ContinuousClock.now
    stage.server.nodeEnded("matcher-0")
    #expect(await eventually { log.contains(.nodeDown("matcher-0", .ended)) })
    #expect(ContinuousClock.now - start < .milliseconds(200))
    #expect(try await !client.isAlive(node: "matcher-0"))
    await #expect { try await client.grantLease(node: "matcher-0", milliseconds: 60_000) } throws: { $0.isRefused }
    stage.server.nodeStarted("matcher-0")
    _ = try await client.grantLease(node: "matcher-0", milliseconds: 60_000)
    watch.cancel()
  }

  @Test func whatIsAnsweredIsOnDisk() async throws {
    let stage = try SupervisorStage()
    defer { stage.end() }
    let client = try stage.client()
    let before = try Data(contentsOf: URL(fileURLWithPath: stage.file))
    _ = try await client.write(record)
    let after = try Data(contentsOf: URL(fileURLWithPath: stage.file))
    #expect(before != after && after.range(of: Data("\u{1}\u{0}a".utf8)) != nil)
  }

  @Test func whatCannotBeWrittenIsNotAnsweredAndNotDone() async throws {
    let stage = try SupervisorStage()
    defer { stage.end() }
    let client = try stage.client()
    let first = try await client.write(record)
    // A directory in the draft's place: nobody can write the file, not even root.
    try FileManager.default.createDirectory(atPath: stage.file + ".new", withIntermediateDirectories: false)
    let next = Ownership(machine: .risk, term: Term(5), owner: "b")
    await #expect { try await client.replace(next, expecting: first.revision) } throws: { $0.isUnreachable }
    await #expect { try await client.ownership(of: .risk) } throws: { $0.isUnreachable }
    try FileManager.default.removeItem(atPath: stage.file + ".new")
    #expect(try await client.ownership(of: .risk) == first)
    #expect(try await client.write(next, over: first).owner == "b")
  }

  @Test func aDamagedFileIsRefusedWithItsName() async throws {
    let stage = try SupervisorStage()
    _ = try await stage.client().write(record)
    stage.end()
    let whole = try Data(contentsOf: URL(fileURLWithPath: stage.file))
    let context = try ZeroMQContext()
    for offset in 0..<whole.count {
      var damaged = whole
      damaged[offset] ^= 0x10
      try damaged.write(to: URL(fileURLWithPath: stage.file))
      #expect("byte \(offset)") {
        _ = try AuthorityServer(
          socket: Socket(context, .router), path: stage.file, log: Logger(label: "authority"))
      } throws: {
        "\($0)".hasPrefix(stage.file)
      }
    }
    try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: stage.file))
    #expect(throws: AuthorityFileError.self) {
      try AuthorityServer(socket: Socket(context, .router), path: stage.file, log: Logger(label: "authority"))
    }
  }

  @Test func malformedFramesAreRefusedAndTheServiceGoesOn() async throws {
    let stage = try SupervisorStage()
    defer { stage.end() }
    let client = try stage.client()
    let stray = try stage.socket()
    var random = Rolls(seed: 9)
    for _ in 0..<500 {
      let bytes = (0..<random.below(60)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      _ = try stray.send(frames: random.below(5) == 0 ? [bytes, bytes, bytes] : [bytes])
    }
    let written = try await client.write(record)
    #expect(try await client.ownership(of: .risk) == written)
  }

  @Test func aNodeGetsNoLeaseOfAnother() async throws {
    let context = try ZeroMQContext()
    let authenticator = try Authenticator(context)
    let directory = TemporaryDirectory()
    let (serverKeys, own) = (CurveKeyPair.generate(), CurveKeyPair.generate())
    authenticator.admit(.listed([.init(name: "matcher-0", key: own.publicKey)]), to: "nodes")
    var options = SocketOptions()
    options.security = .curveServer(serverKeys, domain: "nodes")
    let router = try Socket(context, .router, options)
    let endpoint = try router.bind("tcp://127.0.0.1:*")
    let server = try AuthorityServer(
      socket: router, path: "\(directory.path)/authority.bin", log: Logger(label: "authority"))
    defer { server.stop() }
    options.security = .curveClient(own, server: serverKeys.publicKey)
    let dealer = try Socket(context, .dealer, options)
    try dealer.connect(endpoint)
    let client = try SupervisorAuthority(socket: dealer)
    defer { client.close() }
    await #expect { try await client.grantLease(node: "matcher-1", milliseconds: 500) } throws: { $0.isRefused }
    #expect(try await client.grantLease(node: "matcher-0", milliseconds: 500).node == "matcher-0")
    // Another key is let in nowhere.
    options.security = .curveClient(.generate(), server: serverKeys.publicKey)
    let foreign = try Socket(context, .dealer, options)
    try foreign.connect(endpoint)
    let stranger = try SupervisorAuthority(socket: foreign, timeLimitMilliseconds: 300)
    defer { stranger.close() }
    await #expect { try await stranger.ownership(of: .risk) } throws: { $0.isUnreachable }
  }
}
