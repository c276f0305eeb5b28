import Foundation
import Synchronization
import Testing

/// A real etcd on free ports of this host, with its data in a directory of its own. It dies with the test.
final class EtcdProcess: Sendable {
  /// Whether clients have to show a certificate and a password.
  let isSecured: Bool
  let port: Int
  private let peerPort: Int
  private let name: String
  /// All members: name=address, separated by commas.
  private let members: String
  let directory = TemporaryDirectory()
  private let lifeline = Mutex<(process: Process, pipe: Pipe)?>(nil)

  static let password = "open sesame"
  static let rootPassword = "root's own"

  /// One that is all there is.
  init(isSecured: Bool) async throws {
    self.isSecured = isSecured
    let ports = try LocalPort.free(2)
    (port, peerPort) = (ports[0], ports[1])
    name = "default"
    members = "default=http://127.0.0.1:\(ports[1])"
    if isSecured { try makeCertificates() }
    try await start()
    if isSecured { try enableAuthentication() }
  }

  private init(name: String, port: Int, peerPort: Int, members: String) {
    isSecured = false
    (self.name, self.port, self.peerPort, self.members) = (name, port, peerPort, members)
  }

  /// Several that agree among themselves.
  static func members(_ count: Int) async throws -> [EtcdProcess] {
    let ports = try LocalPort.free(2 * count)
    let peers = (0..<count).map { "m\($0)=http://127.0.0.1:\(ports[count + $0])" }.joined(separator: ",")
    let members = (0..<count).map {
      EtcdProcess(name: "m\($0)", port: ports[$0], peerPort: ports[count + $0], members: peers)
    }
    for member in members { try member.launch() }
    for member in members { try await member.waitUntilHealthy() }
    return members
  }

  /// Whether it leads the others.
  func isLeader() throws -> Bool {
    let fields = try output(["endpoint", "status"]).split(separator: ",").map { $0.filter { $0 != " " } }
    return fields.count > 4 && fields[4] == "true"
  }

  var scheme: String { isSecured ? "https" : "http" }
  func file(_ name: String) -> String { "\(directory.path)/\(name)" }

  func start() async throws {
    try launch()
    try await waitUntilHealthy()
  }

  func launch() throws {
    var arguments = [
      "etcd", "--name", name, "--data-dir", file("data"), "--election-timeout", "500", "--heartbeat-interval", "50",
      "--listen-client-urls", "\(scheme)://127.0.0.1:\(port)",
      "--advertise-client-urls", "\(scheme)://127.0.0.1:\(port)",
      "--listen-peer-urls", "http://127.0.0.1:\(peerPort)",
      "--initial-advertise-peer-urls", "http://127.0.0.1:\(peerPort)",
      "--initial-cluster", members, "--logger", "zap", "--log-outputs", file("log"),
    ]
    if isSecured {
      arguments += [
        "--cert-file", file("server.pem"), "--key-file", file("server.key"), "--trusted-ca-file", file("ca.pem"),
        "--client-cert-auth",
      ]
    }
    let (process, pipe) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    // At the end of its input, which comes at the latest with this process's own, etcd is killed without a word.
    process.arguments =
      ["-c", #""$@" >/dev/null 2>&1 & child=$!; cat >/dev/null; kill -9 $child 2>/dev/null; wait"#, "sh"] + arguments
    process.standardInput = pipe
    try process.run()
    lifeline.withLock { $0 = (process, pipe) }
  }

  private func waitUntilHealthy() async throws {
    let isUp = try await eventually(seconds: 20) { try etcdctl(["endpoint", "health"], as: nil) == 0 }
    try #require(isUp, "etcd does not start: \(log)")
  }

  private var log: String { (try? String(contentsOfFile: file("log"), encoding: .utf8)) ?? "it wrote no log" }

  /// kill -9.
  func kill() {
    let running = lifeline.withLock { lifeline in
      defer { lifeline = nil }
      return lifeline
    }
    try? running?.pipe.fileHandleForWriting.close()
    running?.process.waitUntilExit()
  }

  /// - Parameter user: user and password.
  @discardableResult func etcdctl(_ arguments: [String], as user: String?) throws -> Int32 {
    try Self.run("/usr/bin/env", ["ETCDCTL_API=3", "etcdctl"] + flags(user) + arguments)
  }

  /// What `etcdctl` prints.
  func output(_ arguments: [String]) throws -> String {
    let pipe = Pipe()
    _ = try Self.run("/usr/bin/env", ["ETCDCTL_API=3", "etcdctl"] + flags(nil) + arguments, output: pipe)
    return String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self)
  }

  private func flags(_ user: String?) -> [String] {
    var flags = ["--endpoints", "\(scheme)://127.0.0.1:\(port)", "--command-timeout", "2s"]
    if isSecured {
      flags += ["--cacert", file("ca.pem"), "--cert", file("client.pem"), "--key", file("client.key")]
    }
    if let user { flags += ["--user", user] }
    return flags
  }

  private static func run(
    _ executable: String, _ arguments: [String], output: Any = FileHandle.nullDevice
  ) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }

  /// A user who may read and write this cluster's keys and nothing else, as the README says.
  private func enableAuthentication() throws {
    for arguments in [
      ["user", "add", "root:\(Self.rootPassword)"], ["user", "grant-role", "root", "root"],
      ["role", "add", "novation"],
      ["role", "grant-permission", "novation", "--prefix=true", "readwrite", "/novation/"],
      ["user", "add", "novation:\(Self.password)"], ["user", "grant-role", "novation", "novation"],
      ["auth", "enable"],
    ] {
      // The role of root comes with the first user of that name.
      if arguments[1] == "grant-role", arguments[3] == "root" { try etcdctl(["role", "add", "root"], as: nil) }
      #expect(try etcdctl(arguments, as: nil) == 0, "etcdctl \(arguments.joined(separator: " "))")
    }
  }

  private func makeCertificates() throws {
    let names = "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n"
    try names.write(toFile: file("names"), atomically: true, encoding: .utf8)
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    var commands = [
      ["req", "-x509", "-days", "2", "-subj", "/CN=test authority", "-keyout", file("ca.key"), "-out", file("ca.pem")]
        + curve
    ]
    // With users of its own, etcd's gateway refuses certificates that have a common name.
    for (name, subject) in [("server", "/CN=server"), ("client", "/O=novation")] {
      commands.append(
        ["req", "-subj", subject, "-keyout", file("\(name).key"), "-out", file("\(name).csr")] + curve)
      commands.append([
        "x509", "-req", "-days", "2", "-in", file("\(name).csr"), "-CA", file("ca.pem"), "-CAkey", file("ca.key"),
        "-CAcreateserial", "-extfile", file("names"), "-out", file("\(name).pem"),
      ])
    }
    for command in commands { #expect(try Self.run("/usr/bin/openssl", command) == 0, "openssl \(command)") }
  }
}
