import Bytes
import Testing

@testable import Cluster

struct MessageLogTests {
  private func log(_ messages: [[UInt8]]) -> MessageLog {
    var log = MessageLog()
    for message in messages { message.withUnsafeBytes { log.append($0) } }
    return log
  }

  @Test func equalMessagesReconcileAsFarAsBothGo() {
    var sent = log([[1], [2, 2], [3]])
    var consumed = log([[1], [2, 2]])
    #expect(MessageLog.reconcile(&sent, &consumed) == nil)
    #expect(consumed.isEmpty)
    #expect(consumed.firstNumber == 3)
    #expect(sent.firstNumber == 3)
    [3].withUnsafeBytes { consumed.append(UnsafeRawBufferPointer(rebasing: $0[0..<1])) }
    #expect(MessageLog.reconcile(&sent, &consumed) == nil)
    #expect(sent.isEmpty && consumed.isEmpty)
  }

  @Test func theFirstMessageThatDiffersIsNamed() {
    var sent = log([[1], [2], [3]])
    var consumed = log([[1], [9], [3]])
    #expect(MessageLog.reconcile(&sent, &consumed) == 2)
  }

  @Test func aDroppedMessageDiffersToo() {
    var sent = log([[1], [2], [3]])
    var consumed = log([[1], [3]])
    #expect(MessageLog.reconcile(&sent, &consumed) == 2)
  }

  private func log(_ messages: [[UInt8]], after number: UInt64) -> MessageLog {
    var log = MessageLog(after: number)
    for message in messages { message.withUnsafeBytes { log.append($0) } }
    return log
  }

  @Test func logsThatBeginAtDifferentNumbersAreComparedFromTheLaterOneOn() {
    var sent = log([[8], [9], [10], [11]], after: 7)
    var consumed = log([[10], [11]], after: 9)
    #expect(MessageLog.reconcile(&sent, &consumed) == nil)
    #expect(sent.isEmpty && consumed.isEmpty && consumed.firstNumber == 12)
    sent = log([[10], [99]], after: 9)
    consumed = log([[8], [9], [10], [11]], after: 7)
    #expect(MessageLog.reconcile(&sent, &consumed) == 11)
  }

  @Test func aLogThatEndsBeforeTheOtherBeginsWaitsForItsNextMessages() {
    var sent = log([[5]], after: 4)
    var consumed = log([[8]], after: 7)
    #expect(MessageLog.reconcile(&sent, &consumed) == nil)
    #expect(consumed.firstNumber == 8)
    for byte in [UInt8(6), 7, 9] { [byte].withUnsafeBytes { sent.append($0) } }
    #expect(MessageLog.reconcile(&sent, &consumed) == 8)
  }

  @Test func aSavedLogGoesOnWhereItWas() throws {
    var sent = log([[1], [2, 2], [3]])
    var consumed = log([[1]])
    #expect(MessageLog.reconcile(&sent, &consumed) == nil)
    var restored = try MessageLog(decoding: sent.encoded)
    #expect(restored.firstNumber == 2 && restored.lastNumber == 3)
    var rest = log([[2, 2], [4]], after: 1)
    #expect(MessageLog.reconcile(&restored, &rest) == 3)
  }
}
