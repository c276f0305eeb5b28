import Authority
import Foundation
import Testing

@Suite struct AuthoritySettingsTests {
  private let directory = TemporaryDirectory()

  private func settings(password: String, mode: Int = 0o600) throws -> AuthoritySettings {
    let path = "\(directory.path)/password"
    try Data(password.utf8).write(to: URL(fileURLWithPath: path))
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    var settings = AuthoritySettings()
    settings.kind = .etcd
    settings.endpoints = ["https://10.0.0.1:2379"]
    (settings.user, settings.passwordFile) = ("novation", path)
    (settings.authorityFile, settings.certificateFile, settings.keyFile) = ("ca", "certificate", "key")
    return settings
  }

  @Test(arguments: ["open sesame", "open sesame\n", "open sesame\r\nmore\n"])
  func thePasswordIsTheFilesFirstLine(_ text: String) throws {
    let etcd = try settings(password: text).etcd()
    #expect(etcd.user == "novation" && etcd.password == "open sesame" && etcd.cluster == "main")
    #expect([etcd.authorityFile, etcd.certificateFile, etcd.keyFile] == ["ca", "certificate", "key"])
  }

  @Test(arguments: [0o640, 0o604, 0o620])
  func aPasswordThatOthersMayReachIsRefused(_ mode: Int) throws {
    let settings = try settings(password: "open sesame", mode: mode)
    #expect { try settings.etcd() } throws: { "\($0)".contains("it must be 0600") }
  }

  @Test func aPasswordThatIsNotThereIsRefusedWithItsFile() throws {
    var settings = try settings(password: "\n")
    #expect { try settings.etcd() } throws: { "\($0)".contains("it holds no password") }
    settings.passwordFile = "\(directory.path)/nowhere"
    #expect { try settings.etcd() } throws: { "\($0)".contains("\(directory.path)/nowhere") }
  }
}
