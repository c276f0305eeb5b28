/// What callgrind wrote, with a line an instruction and the allocating functions told apart by who called them.
struct CallgrindFile {
  /// Instructions executed while it collected.
  private(set) var instructions = 0
  /// Calls of allocating functions while it collected, by the program's own nearest callers, the nearest first;
  /// names as the linker knows them.
  private(set) var allocations: [[Substring]: Int] = [:]

  static let allocators: Set<String> = [
    "malloc", "calloc", "realloc", "reallocarray", "posix_memalign", "aligned_alloc", "memalign",
  ]
  /// How many functions callgrind keeps of a chain of calls that ends in an allocating one.
  static let depth = 9

  /// A call count of the file counts calls outside what was collected too. But the first instruction of a function is
  /// executed once a call, and its cost is collected or not like any other.
  private struct Entry {
    var address: UInt64 = .max
    var calls = 0
  }

  init(_ text: String) throws {
    var names: [Substring: Substring] = [:]
    var entries: [Substring: Entry] = [:]
    var function: Substring?
    var address: UInt64 = 0
    var isCall = false
    for line in text.split(separator: "\n") {
      if line.hasPrefix("fn=") || line.hasPrefix("cfn=") {
        // "(7) name" the first time, "(7)" from then on.
        let value = line.drop { $0 != "(" }
        let number = value.prefix { $0 != ")" }
        let name = value.dropFirst(number.count + 2)
        if !name.isEmpty { names[number] = name }
        if line.hasPrefix("fn=") { function = Self.isAllocator(names[number] ?? "") ? names[number] : nil }
      } else if line.hasPrefix("calls=") {
        isCall = true
      } else if line.hasPrefix("summary:") {
        instructions = line.split(separator: " ").last.flatMap { Int($0) } ?? 0
      } else if let first = line.first, "0123456789+-*".contains(first) {
        // address, line, cost: absolute, relative to the line before, or (*) the same.
        let fields = line.split(separator: " ")
        address = Self.position(fields[0], after: address)
        defer { isCall = false }
        guard !isCall, let function, fields.count == 3, let cost = Int(fields[2]) else { continue }
        var entry = entries[function] ?? Entry()
        if address < entry.address { entry = Entry(address: address, calls: cost) }
        entries[function] = entry
      }
    }
    for (chain, entry) in entries {
      let callers = chain.split(separator: "'").dropFirst()
      // What stands in between is the language's own runtime and library.
      let own = callers.filter { !$0.hasPrefix("swift_") && !$0.hasPrefix("$ss") }
      allocations[Array((own.isEmpty ? Array(callers) : own).prefix(5)), default: 0] += entry.calls
    }
  }

  private static func position(_ field: Substring, after before: UInt64) -> UInt64 {
    func number(_ text: Substring) -> UInt64 {
      text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) ?? 0 : UInt64(text) ?? 0
    }
    switch field.first {
    case "*": return before
    case "+": return before &+ number(field.dropFirst())
    case "-": return before &- number(field.dropFirst())
    default: return number(field)
    }
  }

  /// Whether a chain ends in an allocating function that the program itself called, not another one of its kind.
  private static func isAllocator(_ chain: Substring) -> Bool {
    let functions = chain.split(separator: "'", maxSplits: 2)
    guard let last = functions.first, allocators.contains(String(last)) else { return false }
    return functions.count < 2
      || !(allocators.contains(String(functions[1])) || functions[1].hasPrefix("_mid_memalign"))
  }
}
