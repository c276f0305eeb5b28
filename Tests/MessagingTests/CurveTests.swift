import Bytes
import Glibc
import Messaging
import Testing

@Suite struct CurveTests {
  private let directory = TemporaryDirectory()

  /// A server in domain `nodes` and the client that the options make.
  private struct Pair {
    var server: Socket
    var client: Socket
  }

  private func connect(
    _ context: ZeroMQContext, server: CurveKeyPair, client: SocketOptions.Security, domain: String = "nodes"
  ) throws -> Pair {
    var options = SocketOptions()
    options.security = .curveServer(server, domain: domain)
    let router = try Socket(context, .router, options)
    let endpoint = try router.bind("tcp://127.0.0.1:*")
    options = SocketOptions()
    options.security = client
    let dealer = try Socket(context, .dealer, options)
    try dealer.connect(endpoint)
    return Pair(server: router, client: dealer)
  }

  @Test func aListedKeyIsAdmittedUnderItsName() throws {
    let context = try ZeroMQContext()
    let authenticator = try Authenticator(context)
    let (server, client) = (CurveKeyPair.generate(), CurveKeyPair.generate())
    authenticator.admit(.listed([.init(name: "gateway-1", key: client.publicKey)]), to: "nodes")
    let pair = try connect(context, server: server, client: .curveClient(client, server: server.publicKey))
    #expect(try pair.client.sendText("hello") == .sent)
    let message = try #require(try pair.server.nextMessage())
    #expect(message.frames.last == Array("hello".utf8))
    #expect(message.user == "gateway-1")
  }

  @Test func anUnlistedKeyIsRefusedUntilItIsListed() throws {
    let context = try ZeroMQContext()
    let authenticator = try Authenticator(context)
    let (server, client) = (CurveKeyPair.generate(), CurveKeyPair.generate())
    authenticator.admit(.listed([.init(name: "other", key: server.publicKey)]), to: "nodes")
    let pair = try connect(context, server: server, client: .curveClient(client, server: server.publicKey))
    _ = try pair.client.sendText("hello")
    #expect(try pair.server.nextMessage(milliseconds: 300) == nil)
    // A refused client gives up on that connection; a new one asks again.
    authenticator.admit(.listed([.init(name: "late", key: client.publicKey)]), to: "nodes")
    let again = try connect(context, server: server, client: .curveClient(client, server: server.publicKey))
    _ = try again.client.sendText("again")
    #expect(try again.server.nextMessage()?.user == "late")
  }

  @Test func aDomainNobodyToldOfAdmitsNobody() throws {
    let context = try ZeroMQContext()
    let authenticator = try Authenticator(context)
    let (server, client) = (CurveKeyPair.generate(), CurveKeyPair.generate())
    authenticator.admit(.listed([.init(name: "a", key: client.publicKey)]), to: "elsewhere")
    let pair = try connect(context, server: server, client: .curveClient(client, server: server.publicKey))
    _ = try pair.client.sendText("hello")
    #expect(try pair.server.nextMessage(milliseconds: 300) == nil)
  }

  @Test func anOpenDomainNamesEachClientByItsKey() throws {
    let context = try ZeroMQContext()
    let authenticator = try Authenticator(context)
    authenticator.admit(.anyKey, to: "users")
    let (server, client) = (CurveKeyPair.generate(), CurveKeyPair.generate())
    let pair = try connect(
      context, server: server, client: .curveClient(client, server: server.publicKey), domain: "users")
    _ = try pair.client.sendText("hello")
    #expect(try pair.server.nextMessage()?.user == client.publicKey.description)
  }

  @Test func aClientWithoutCurveIsRefused() throws {
    let context = try ZeroMQContext()
    let authenticator = try Authenticator(context)
    authenticator.admit(.anyKey, to: "nodes")
    let pair = try connect(context, server: .generate(), client: .none)
    _ = try pair.client.sendText("hello")
    #expect(try pair.server.nextMessage(milliseconds: 300) == nil)
  }

  @Test func aServerWithAnotherKeyIsNotSpokenTo() throws {
    let context = try ZeroMQContext()
    let authenticator = try Authenticator(context)
    authenticator.admit(.anyKey, to: "nodes")
    let impostor = CurveKeyPair.generate()
    let pair = try connect(
      context, server: impostor, client: .curveClient(.generate(), server: CurveKeyPair.generate().publicKey))
    _ = try pair.client.sendText("hello")
    #expect(try pair.server.nextMessage(milliseconds: 300) == nil)
  }

  @Test func aServerIsNotOpenedBeforeItsAuthenticator() throws {
    let context = try ZeroMQContext()
    #expect(throws: MessagingError.noAuthenticator) {
      _ = try connect(context, server: .generate(), client: .none)
    }
  }

  @Test func aKeyringKeepsItsKeyAndItsPeers() throws {
    let path = "\(directory.path)/keys"
    var ring = try CurveKeyring.openOrCreate(directory: path)
    let (a, b) = (CurveKeyPair.generate().publicKey, CurveKeyPair.generate().publicKey)
    try ring.admit(.init(name: "risk", key: a))
    try ring.admit(.init(name: "marks", key: a))
    try ring.admit(.init(name: "marks", key: b))
    let again = try CurveKeyring.openOrCreate(directory: path)
    #expect(again.own.publicKey == ring.own.publicKey)
    #expect(again.peers == [.init(name: "marks", key: b), .init(name: "risk", key: a)])
    try ring.dismiss("risk")
    #expect(ring.peers.map(\.name) == ["marks"])
    for name in ["", "../own", ".hidden", "a b", String(repeating: "x", count: 65)] {
      #expect(throws: MessagingError.self) { try ring.admit(.init(name: name, key: a)) }
    }
  }

  @Test func aSecretThatOthersCanReadIsRefused() throws {
    let path = "\(directory.path)/keys"
    _ = try CurveKeyring.openOrCreate(directory: path)
    for mode in [0o640, 0o604, 0o620, 0o660] as [mode_t] {
      chmod("\(path)/own.secret", mode)
      #expect(throws: MessagingError.looseMode(path: "\(path)/own.secret", mode: mode)) {
        _ = try CurveKeyring(directory: path)
      }
    }
    chmod("\(path)/own.secret", 0o600)
    _ = try CurveKeyring(directory: path)
  }

  @Test func aFileThatHoldsNoKeyIsNamed() throws {
    let path = "\(directory.path)/keys"
    let ring = try CurveKeyring.openOrCreate(directory: path)
    let file = open("\(path)/peers/bad.public", O_WRONLY | O_CREAT, 0o644)
    write(file, "zz", 2)
    close(file)
    #expect(
      throws: MessagingError.malformedKey(
        path: "\(path)/peers/bad.public", expected: "64 hexadecimal digits and nothing else")
    ) { _ = try CurveKeyring(directory: path) }
    #expect("\(ring.own)" == "CurveKeyPair(\(ring.own.publicKey))")
  }
}
