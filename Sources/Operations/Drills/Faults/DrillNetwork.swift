import Foundation

/// A network of hosts on this machine: a namespace for each node, on one bridge. Packets are dropped by rules in the
/// receiver's own namespace, so nothing of the machine's own network is touched, and the rules count what they drop.
final class DrillNetwork {
  /// Addresses of the hosts, by node.
  let addresses: [String: String]
  /// Where the machine itself is in that network.
  let supervisorAddress: String
  private let namespaces: [String: String]
  private let bridge: String
  private static let marker = "novation-drill"

  /// Makes the network; what it made is removed if that fails.
  init(hosts: [String]) throws {
    Self.sweep()
    let own = getpid()
    let subnet = "10.\(213 + own % 16).\(own / 16 % 256)"
    bridge = "nvd\(own)"
    // Who supervises stays outside, at the bridge.
    supervisorAddress = "\(subnet).1"
    var addresses: [String: String] = [:]
    var namespaces: [String: String] = [:]
    for (number, host) in hosts.enumerated() {
      addresses[host] = "\(subnet).\(number + 2)"
      namespaces[host] = "\(Self.marker)-\(own)-\(host)"
    }
    self.addresses = addresses
    self.namespaces = namespaces
    do {
      try Shell.run("ip", "link", "add", bridge, "type", "bridge")
      try Shell.run("ip", "addr", "add", "\(subnet).1/24", "dev", bridge)
      try Shell.run("ip", "link", "set", bridge, "up")
      for (number, host) in hosts.enumerated() {
        guard let namespace = namespaces[host], let address = addresses[host] else { continue }
        let port = "nvp\(own)-\(number)"
        try Shell.run("ip", "netns", "add", namespace)
        try Shell.run("ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", namespace)
        try Shell.run("ip", "link", "set", port, "master", bridge, "up")
        try Shell.run("ip", "-n", namespace, "addr", "add", "\(address)/24", "dev", "eth0")
        try Shell.run("ip", "-n", namespace, "link", "set", "eth0", "up")
        try Shell.run("ip", "-n", namespace, "link", "set", "lo", "up")
      }
    } catch {
      remove()
      throw error
    }
  }

  /// How a node's process is started on its host.
  func launches() -> [String: NodeLaunch] {
    namespaces.mapValues { NodeLaunch(prefix: [Shell.path(of: "ip") ?? "ip", "netns", "exec", $0]) }
  }

  /// Drops what `receiver` gets of `sender`.
  /// - Parameter share: of the packets, 0 to 1.
  func drop(from sender: String, at receiver: String, share: Double = 1) throws {
    var rule = ["-A", "INPUT", "-s", addresses[sender] ?? ""]
    if share < 1 { rule += ["-m", "statistic", "--mode", "random", "--probability", "\(share)"] }
    try inside(receiver, rule + ["-j", "DROP"])
  }

  /// Drops all that a host gets from outside, and all that it sends there.
  func isolate(_ host: String) throws {
    try inside(host, ["-A", "INPUT", "-i", "eth0", "-j", "DROP"])
    try inside(host, ["-A", "OUTPUT", "-o", "eth0", "-j", "DROP"])
  }

  /// Drops what a host gets from a port of the machine outside.
  func drop(port: Int, at receiver: String) throws {
    try inside(receiver, ["-A", "INPUT", "-s", supervisorAddress, "-p", "tcp", "--sport", "\(port)", "-j", "DROP"])
  }

  /// Packets that a host has dropped since the last mending, whoever sent them.
  func dropped(at receiver: String) throws -> Int64 {
    try inside(receiver, ["-nvxL"]).split(separator: "\n").reduce(0) { sum, line in
      let fields = line.split(separator: " ")
      return fields.count > 2 && fields[2] == "DROP" ? sum + (Int64(fields[0]) ?? 0) : sum
    }
  }

  /// Takes every rule away.
  func mend() throws { for host in namespaces.keys.sorted() { try inside(host, ["-F"]) } }

  @discardableResult
  private func inside(_ host: String, _ arguments: [String]) throws -> String {
    try Shell.run("ip", ["netns", "exec", namespaces[host] ?? "", "iptables", "-w"] + arguments)
  }

  /// Takes the network away; a port goes with its namespace.
  func remove() {
    for namespace in namespaces.values { _ = try? Shell.run("ip", "netns", "del", namespace) }
    _ = try? Shell.run("ip", "link", "del", bridge)
  }

  /// Removes what a drill left that was killed before it could.
  private static func sweep() {
    let namespaces = (try? Shell.run("ip", "netns", "list")) ?? ""
    for line in namespaces.split(separator: "\n") {
      guard let name = line.split(separator: " ").first, name.hasPrefix("\(marker)-"),
        let owner = name.dropFirst(marker.count + 1).split(separator: "-").first.flatMap({ pid_t($0) }),
        !ProcessState.exists(owner)
      else { continue }
      _ = try? Shell.run("ip", "netns", "del", String(name))
      _ = try? Shell.run("ip", "link", "del", "nvd\(owner)")
    }
  }
}
