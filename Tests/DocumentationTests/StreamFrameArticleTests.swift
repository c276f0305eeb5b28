import Bytes
import Market
import Testing
import Wire

struct StreamFrameArticleTests {
  private let article: Article
  init() throws { article = try Article("Sources/Wire/Wire.docc/StreamFrame") }

  @Test func theChunkIsWhatTheFramesWrite() throws {
    let messages = WorkedExample.messages
    var writer = ByteWriter()
    Frame.begin(.chunk, in: &writer)
    messages.withUnsafeBytes {
      StreamChunk(source: .risk, epoch: WorkedExample.epoch, firstNumber: 41, count: 2, messages: $0).write(to: &writer)
    }
    try article.holds(
      "stream-frame",
      [
        .init([Frame.version], "0 frame version u8"), .init([FrameKind.chunk.rawValue], "1 kind u8: chunk"),
        .init(MachineID.risk, "2 source u32: risk"), .init(WorkedExample.epoch, "6 epoch u32: 12"),
        .init(WorkedExample.littleEndian(UInt64(41)), "10 first number u64: 41"),
        .init(WorkedExample.littleEndian(UInt16(2)), "18 count u16: 2"),
        .init(Array(messages[..<4]), "20 length of message 41 u32: 13"),
        .init(Array(messages[4..<17]), "24 Release: kind 24, account u32: 1, id u64: 3"),
        .init(Array(messages[17..<21]), "37 length of message 42 u32: 2"),
        .init(Array(messages[21...]), "41 Halt: kind 27, false"),
      ])
    #expect(try article.bytes("stream-frame") == writer.array)
  }

  @Test func theFramesReadTheChunk() throws {
    try article.bytes("stream-frame").withUnsafeBytes { bytes in
      var (kind, body) = try #require(Frame.open(bytes))
      #expect(kind == .chunk)
      let chunk = try #require(StreamChunk(from: &body))
      #expect(chunk.source == .risk && chunk.epoch == WorkedExample.epoch)
      #expect(chunk.firstNumber == 41 && chunk.count == 2)
      #expect([UInt8](chunk.messages) == WorkedExample.messages)
      let rest = try #require(chunk.dropping(1))
      #expect(rest.firstNumber == 42 && [UInt8](rest.messages) == WorkedExample.message(WorkedExample.halt))
    }
  }

  @Test func thePositionsAreWhatTheFramesWriteAndRead() throws {
    for (name, kind, number) in [
      ("stream-subscribe", FrameKind.subscribe, 41), ("stream-acknowledge", .acknowledge, 42),
    ] {
      let position = StreamPosition(machine: WorkedExample.shard, number: UInt64(number))
      var writer = ByteWriter()
      Frame.write(kind, position, in: &writer)
      try article.holds(
        name,
        [
          .init([Frame.version], "0 frame version u8"), .init([kind.rawValue], "1 kind u8: \(kind)"),
          .init(position.machine, "2 consumer u32: shard 0"),
          .init(WorkedExample.littleEndian(position.number), "6 number u64: \(number)"),
        ])
      let bytes = try article.bytes(name)
      #expect(bytes == writer.array)
      try bytes.withUnsafeBytes { bytes in
        var (opened, body) = try #require(Frame.open(bytes))
        let read = StreamPosition(from: &body)
        #expect(opened == kind && read == position && body.isExhausted)
      }
    }
  }
}
