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
}
