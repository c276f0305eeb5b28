import Foundation

/// The streams that were asked for: the files given, or the four kinds, each generated when its turn comes.
struct StreamFiles {
  private let options: Options

  /// What the kinds are generated from when nothing else is asked for.
  static let seed: UInt64 = 20_240_607
  static let operations = 5_000_000

  /// What eight matching engines agree on for that seed and so many operations.
  private static let agreedTapes: [StreamGenerator.Kind: String] = [
    .single: "bd657492a9eb93e9", .multi: "e0c08f1f1bf173f3", .hostile: "b7a816d5d5111ece", .reduce: "1a00422aa7ed0609",
  ]

  init(_ options: Options) throws {
    self.options = options
    if !options.files.isEmpty, options.seed != nil || options.operations != nil || options.keep != nil {
      throw UsageError(reason: "--seed, --operations and --keep go with generated streams, not with files")
    }
  }

  /// Hands over one file after another, with its name and, if it is known, the hash of its tape. What was generated is
  /// removed again, unless it is to be kept.
  func forEach(_ body: (_ file: URL, _ name: String, _ tape: String?) throws -> Void) throws {
    for file in options.files {
      guard FileManager.default.isReadableFile(atPath: file) else {
        throw UsageError(reason: "\(file): cannot be read; it must be an order stream (the obs format)")
      }
      let file = URL(fileURLWithPath: file)
      try body(file, file.lastPathComponent, nil)
    }
    guard options.files.isEmpty else { return }
    let directory =
      options.keep.map { URL(fileURLWithPath: $0) }
      ?? FileManager.default.temporaryDirectory.appendingPathComponent("novation-streams-\(getpid())")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { if options.keep == nil { try? FileManager.default.removeItem(at: directory) } }
    let seed = options.seed ?? Self.seed
    let operations = options.operations ?? Self.operations
    for kind in StreamGenerator.Kind.allCases {
      let file = directory.appendingPathComponent("\(kind.rawValue).obs")
      try StreamGenerator.write(kind, seed: seed, operations: operations, to: file)
      let isKnown = seed == Self.seed && operations == Self.operations
      try body(file, kind.rawValue, isKnown ? Self.agreedTapes[kind] : nil)
      if options.keep == nil { try FileManager.default.removeItem(at: file) }
    }
  }
}
