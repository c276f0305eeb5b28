import Bytes
import Machine
import Market

/// Gathers a turn's stream messages into chunks, one run a destination, in the layout of outbox and wire.
public struct ChunkAssembler: ~Copyable {
  /// Bounds of one chunk, so that no frame grows without limit.
  public static let maximumMessages = 4_096
  public static let maximumBytes = 1 << 20

  /// A finished run of messages.
  public struct Chunk {
    public var destination: MachineID
    public var epoch: Epoch
    public var firstNumber: UInt64
    public var count: UInt16
    public var messages: UnsafeRawBufferPointer
  }

  private struct Run {
    var destination: MachineID
    var epoch: Epoch
    var firstNumber: UInt64
    var count: Int
    var bytes: [UInt8]
  }

  private var runs: [Run] = []
  private var used = 0

  public init() {}

  /// Appends one message; a full or discontinuous run starts another chunk.
  public mutating func append(
    _ message: UnsafeRawBufferPointer, number: UInt64, to destination: MachineID, epoch: Epoch
  ) {
    var index = used - 1
    while index >= 0, runs[index].destination != destination { index -= 1 }
    if index < 0 || runs[index].count >= Self.maximumMessages || runs[index].bytes.count >= Self.maximumBytes
      || runs[index].epoch != epoch || runs[index].firstNumber + UInt64(runs[index].count) != number
    {
      index = open(destination, epoch, number)
    }
    withUnsafeBytes(of: UInt32(message.count).littleEndian) { runs[index].bytes.append(contentsOf: $0) }
    runs[index].bytes.append(contentsOf: message)
    runs[index].count += 1
  }

  private mutating func open(_ destination: MachineID, _ epoch: Epoch, _ number: UInt64) -> Int {
    if used == runs.count {
      runs.append(Run(destination: destination, epoch: epoch, firstNumber: number, count: 0, bytes: []))
    } else {
      runs[used].destination = destination
      runs[used].epoch = epoch
      runs[used].firstNumber = number
      runs[used].count = 0
      runs[used].bytes.removeAll(keepingCapacity: true)
    }
    used += 1
    return used - 1
  }

  /// Calls `body` with each chunk, in order of number within a destination.
  public borrowing func forEach(_ body: (Chunk) throws -> Void) rethrows {
    for index in 0..<used {
      try runs[index].bytes.withUnsafeBytes { bytes in
        try body(
          Chunk(
            destination: runs[index].destination, epoch: runs[index].epoch, firstNumber: runs[index].firstNumber,
            count: UInt16(runs[index].count), messages: bytes))
      }
    }
  }

  public mutating func clear() { used = 0 }
}
