import Bytes
import Glibc

/// A node's keys on disk: its own, and those of the peers that it admits.
///
/// ```
/// DIRECTORY/own.secret          the node's secret key, mode 0600
/// DIRECTORY/own.public          its public key, to be copied to its peers
/// DIRECTORY/peers/NAME.public   a peer's public key; NAME is the user id under which it is admitted
/// ```
///
/// Each file holds 64 hexadecimal digits.
public struct CurveKeyring: Sendable {
  /// A peer that is admitted.
  public struct Peer: Sendable, Hashable {
    /// Letters, digits, `.`, `_` and `-`, at most 64 of them.
    public var name: String
    public var key: CurvePublicKey
    public init(name: String, key: CurvePublicKey) {
      self.name = name
      self.key = key
    }
  }

  public let directory: String
  public let own: CurveKeyPair
  /// In order of name, as of the last (re)load.
  public private(set) var peers: [Peer]

  /// Opens the keyring in `directory`. A secret key that others may read is refused.
  public init(directory: String) throws(MessagingError) {
    self.directory = directory
    own = CurveKeyPair(secretKey: try KeyFile.read("\(directory)/own.secret", isSecret: true))
    peers = []
    try reloadPeers()
  }

  /// Opens the keyring in `directory`; one that is not there is made, with a new key and no peers.
  public static func openOrCreate(directory: String) throws(MessagingError) -> CurveKeyring {
    if access("\(directory)/own.secret", F_OK) != 0 {
      for made in [directory, "\(directory)/peers"] where mkdir(made, 0o700) != 0 && errno != EEXIST {
        throw .failed(operation: "mkdir", subject: made, code: errno)
      }
      let keys = CurveKeyPair.generate()
      try KeyFile.write(keys.secretKey, to: "\(directory)/own.secret", isSecret: true)
      try KeyFile.write(keys.publicKey.bytes, to: "\(directory)/own.public", isSecret: false)
    }
    return try CurveKeyring(directory: directory)
  }

  /// Lists `peer`, instead of whoever had its name.
  public mutating func admit(_ peer: Peer) throws(MessagingError) {
    let path = "\(directory)/peers/\(peer.name).public"
    guard Self.isName(peer.name) else { throw .malformedKey(path: path, expected: Self.nameRule) }
    guard unlink(path) == 0 || errno == ENOENT else { throw .failed(operation: "unlink", subject: path, code: errno) }
    try KeyFile.write(peer.key.bytes, to: path, isSecret: false)
    try reloadPeers()
  }

  /// Takes `name` off the list.
  public mutating func dismiss(_ name: String) throws(MessagingError) {
    let path = "\(directory)/peers/\(name).public"
    guard Self.isName(name) else { throw .malformedKey(path: path, expected: Self.nameRule) }
    guard unlink(path) == 0 else { throw .failed(operation: "unlink", subject: path, code: errno) }
    try reloadPeers()
  }

  /// Reads the peers again from disk.
  public mutating func reloadPeers() throws(MessagingError) {
    let path = "\(directory)/peers"
    guard let entries = opendir(path) else { throw .failed(operation: "opendir", subject: path, code: errno) }
    defer { closedir(entries) }
    var found: [Peer] = []
    while let entry = readdir(entries) {
      let file = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard file.hasSuffix(".public") else { continue }
      let name = String(file.dropLast(".public".count))
      guard Self.isName(name) else { throw .malformedKey(path: "\(path)/\(file)", expected: Self.nameRule) }
      found.append(Peer(name: name, key: CurvePublicKey(try KeyFile.read("\(path)/\(file)", isSecret: false))))
    }
    peers = found.sorted { $0.name < $1.name }
  }

  private static let nameRule = "a peer's name of 1 to 64 letters, digits, '.', '_' or '-', not beginning with '.'"

  /// Whether `name` can be a peer's: 1 to 64 letters, digits, `.`, `_` and `-`.
  public static func isName(_ name: String) -> Bool {
    let isAllowed = { (byte: UInt8) -> Bool in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
        true
      default: false
      }
    }
    return (1...64).contains(name.utf8.count) && !name.hasPrefix(".") && name.utf8.allSatisfy(isAllowed)
  }
}
