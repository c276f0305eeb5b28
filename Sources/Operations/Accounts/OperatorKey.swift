import Bytes
import Cluster
import Cryptography
import Foundation
import Market

/// The key with which the operator signs for the house, in a file of 64 hexadecimal digits that only its owner reads.
public enum OperatorKey {
  /// Where it lies in the directory of the operator's keys.
  public static func path(in directory: String) -> String { "\(directory)/house.secret" }

  public static func openOrCreate(directory: String) throws -> PrivateKey {
    let path = path(in: directory)
    if !FileManager.default.fileExists(atPath: path) {
      let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
      guard descriptor >= 0 else { throw AccountStoreError(path: path, reason: String(cString: strerror(errno))) }
      defer { close(descriptor) }
      let text = [UInt8](Hexadecimal.encode(PrivateKey.generate().secret.array).utf8)
      guard write(descriptor, text, text.count) == text.count, fsync(descriptor) == 0 else {
        throw AccountStoreError(path: path, reason: "cannot be written")
      }
    }
    return try load(directory: directory)
  }

  /// Refuses a file that others can read.
  public static func load(directory: String) throws(AccountStoreError) -> PrivateKey {
    let path = path(in: directory)
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw AccountStoreError(
        path: path, reason: "the operator's key is not here; it is made where the market is opened")
    }
    guard status.st_mode & 0o077 == 0 else {
      throw AccountStoreError(path: path, reason: "others can read this key; chmod 600 it")
    }
    guard let data = FileManager.default.contents(atPath: path),
      let key = PrivateKey(hexadecimal: String(decoding: data, as: UTF8.self))
    else { throw AccountStoreError(path: path, reason: "not a key of 64 hexadecimal digits") }
    return key
  }
}

extension ClusterSession {
  /// The house, as the operator signs for it.
  func operatorCredentials() throws -> AccountCredentials {
    let directory = map.keyDirectory(of: ClusterDirectory.operatorName)
    let key = try OperatorKey.load(directory: directory)
    let market = try market
    guard key.address == market.parameters.operatorAddress else {
      throw CommandMistake(
        "\(OperatorKey.path(in: directory)): the key of \(key.address); this market's operator is "
          + "\(market.parameters.operatorAddress)")
    }
    return AccountCredentials(account: .house, key: key)
  }
}
