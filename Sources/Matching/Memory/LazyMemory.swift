import Glibc

/// Zeroed memory that is reserved at once and committed page by page as it is touched, so that a table can have room
/// for all that it may ever hold without moving, and costs only the pages it uses.
enum LazyMemory {
  /// Reserves `byteCount` zero bytes. It traps only when the process has no address space left.
  static func map(byteCount: Int) -> UnsafeMutableRawPointer {
    let memory = mmap(
      nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let memory, memory != MAP_FAILED else { fatalError("no address space for \(byteCount) bytes") }
    return memory
  }

  static func unmap(_ memory: UnsafeMutableRawPointer, byteCount: Int) { munmap(memory, byteCount) }
}
