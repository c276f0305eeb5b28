import Bytes
import Cryptography
import Foundation
import Market

/// A trading account as its owner holds it: the number, and the key that signs for it.
public struct AccountCredentials: Sendable {
  public var account: AccountID
  public var key: PrivateKey
  public var owner: Address { key.address }
}

/// Key files of accounts, one JSON object each (`account`, `owner`, `key`), readable by their owner alone.
public struct AccountStore {
  public let directory: String

  public init(directory: String) { self.directory = directory }

  private struct KeyFile: Codable {
    var account: UInt32
    var owner: String
    var key: String
  }

  public func path(of account: AccountID) -> String { "\(directory)/account-\(account).json" }

  /// Keeps a key whose account is not known yet, so that no money ever goes to a key that is nowhere.
  public func savePending(_ key: PrivateKey) throws {
    try write(AccountCredentials(account: .house, key: key), to: pendingPath(of: key))
  }

  /// Writes a key file with mode 0600; never overwrites one. A pending file of the key goes.
  public func save(_ credentials: AccountCredentials) throws {
    try write(credentials, to: path(of: credentials.account))
    unlink(pendingPath(of: credentials.key))
  }

  private func pendingPath(of key: PrivateKey) -> String { "\(directory)/pending-\(key.address).json" }

  private func write(_ credentials: AccountCredentials, to path: String) throws {
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let file = KeyFile(
      account: credentials.account.rawValue, owner: credentials.owner.description,
      key: "0x" + Hexadecimal.encode(credentials.key.secret.array))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    let data = try encoder.encode(file)
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw AccountStoreError(path: path, reason: String(cString: strerror(errno)))
    }
    defer { close(descriptor) }
    let written = data.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    guard written == data.count, fsync(descriptor) == 0 else {
      throw AccountStoreError(path: path, reason: "cannot write: \(String(cString: strerror(errno)))")
    }
  }

  /// Reads one account's key file; refuses one that others can read.
  public func load(_ account: AccountID) throws(AccountStoreError) -> AccountCredentials {
    let path = path(of: account)
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw AccountStoreError(path: path, reason: "no key file for account \(account); see novation account create")
    }
    guard status.st_mode & 0o077 == 0 else {
      throw AccountStoreError(path: path, reason: "others can read this key; chmod 600 it")
    }
    guard let data = FileManager.default.contents(atPath: path),
      let file = try? JSONDecoder().decode(KeyFile.self, from: data), file.account == account.rawValue,
      let bytes = Hexadecimal.decode(file.key), let key = PrivateKey(bytes),
      key.address.description == file.owner
    else { throw AccountStoreError(path: path, reason: "not a key file of account \(account)") }
    return AccountCredentials(account: account, key: key)
  }

  /// The accounts with a key file, in order.
  public var accounts: [AccountID] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    return names.compactMap { name in
      guard name.hasPrefix("account-"), name.hasSuffix(".json") else { return nil }
      return UInt32(name.dropFirst(8).dropLast(5)).map { AccountID($0) }
    }.sorted()
  }
}

/// A key file that cannot be used.
public struct AccountStoreError: Error, CustomStringConvertible {
  public var path: String
  public var reason: String
  public var description: String { "\(path): \(reason)" }
}
