import Foundation

/// A file that may be gzip-compressed.
enum CompressedFile {
  /// The most that is read after decompression, in bytes: a small file may claim to hold a large one.
  static let sizeLimit = 256 << 20

  /// The text of the file at `path`, decompressed by `/usr/bin/gzip` where it begins with gzip's magic number.
  static func text(_ path: String) throws(ListingError) -> String {
    func refusal(_ rule: String) -> ListingError { ListingError(field: "", value: "", rule: rule, file: path) }
    guard let handle = FileHandle(forReadingAtPath: path), let magic = try? handle.read(upToCount: 2) else {
      throw refusal("cannot be read; must be an option-chain snapshot")
    }
    try? handle.close()
    let data: Data
    if magic == Data([0x1F, 0x8B]) {
      guard let contents = decompressed(path) else {
        throw refusal("cannot be decompressed: not whole, or more than \(sizeLimit) bytes")
      }
      data = contents
    } else {
      guard let contents = FileManager.default.contents(atPath: path), contents.count <= sizeLimit else {
        throw refusal("must be at most \(sizeLimit) bytes")
      }
      data = contents
    }
    guard let text = String(validating: data, as: UTF8.self) else { throw refusal("is not UTF-8 text") }
    return text
  }

  private static func decompressed(_ path: String) -> Data? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/gzip")
    process.arguments = ["-dc", "--", path]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    var data = Data()
    while let part = try? output.fileHandleForReading.read(upToCount: 1 << 20), !part.isEmpty {
      data.append(part)
      if data.count > sizeLimit {
        process.terminate()
        process.waitUntilExit()
        return nil
      }
    }
    process.waitUntilExit()
    return process.terminationStatus == 0 ? data : nil
  }
}
