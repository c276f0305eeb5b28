import Bytes
import Market

/// What a machine's clock says, to a machine that listens to it: a question, with the asker's own clock and no answer
/// yet, and the same with the answer.
public struct ClockReading: ByteCodable, Sendable, Hashable {
  /// The asker's clock when it asked.
  public var asked: Timestamp
  /// The clock of the one who is asked; zero in the question.
  public var stamp: Timestamp

  public init(asked: Timestamp, stamp: Timestamp) {
    self.asked = asked
    self.stamp = stamp
  }
  public func write(to writer: inout ByteWriter) {
    asked.write(to: &writer)
    stamp.write(to: &writer)
  }
  public init(from reader: inout ByteReader) {
    asked = Timestamp(from: &reader)
    stamp = Timestamp(from: &reader)
  }
}
