import Foundation

/// A large disk of which little is written: pages by their number, the rest zeros.
struct SparseBytes {
  private static let page = 4_096
  private var pages: [Int: [UInt8]] = [:]

  /// Overwrites from `offset` on.
  mutating func write(_ bytes: ArraySlice<UInt8>, at offset: Int) {
    var place = offset
    var rest = bytes
    while !rest.isEmpty {
      let (number, start) = place.quotientAndRemainder(dividingBy: Self.page)
      let part = rest.prefix(Self.page - start)
      if part.count == Self.page {
        pages[number] = Array(part)
      } else {
        pages[number, default: [UInt8](repeating: 0, count: Self.page)]
          .replaceSubrange(start..<start + part.count, with: part)
      }
      place += part.count
      rest = rest.dropFirst(part.count)
    }
  }

  func read(_ range: Range<Int>) -> [UInt8] {
    var found: [UInt8] = []
    found.reserveCapacity(range.count)
    var place = range.lowerBound
    while place < range.upperBound {
      let (number, start) = place.quotientAndRemainder(dividingBy: Self.page)
      let count = min(Self.page - start, range.upperBound - place)
      if let page = pages[number] {
        found += page[start..<start + count]
      } else {
        found += repeatElement(0, count: count)
      }
      place += count
    }
    return found
  }

  /// Makes it a new file of `size` bytes, with holes where nothing was written.
  func save(to path: String, size: Int) throws {
    unlink(path)
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    defer { close(descriptor) }
    guard descriptor >= 0, ftruncate(descriptor, off_t(size)) == 0 else {
      throw SupervisionError(what: path, reason: String(cString: strerror(errno)))
    }
    for (number, page) in pages {
      guard pwrite(descriptor, page, page.count, off_t(number * Self.page)) == page.count else {
        throw SupervisionError(what: path, reason: String(cString: strerror(errno)))
      }
    }
  }
}
