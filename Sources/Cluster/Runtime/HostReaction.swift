import Machine
import Market
import Wire

/// What follows from an effect: frames to whoever subscribed, inputs for the machine itself.
public struct HostReaction: Sendable {
  public var frames: [(kind: FrameKind, body: [UInt8])]
  public var inputs: [(kind: InputKind, payload: [UInt8])]
  public init(
    frames: [(kind: FrameKind, body: [UInt8])] = [], inputs: [(kind: InputKind, payload: [UInt8])] = []
  ) {
    self.frames = frames
    self.inputs = inputs
  }
}

/// An answer to a query, and the inputs that answering it caused.
public struct HostAnswer: Sendable {
  public var body: [UInt8]
  public var inputs: [(kind: InputKind, payload: [UInt8])]
  public init(_ body: [UInt8], inputs: [(kind: InputKind, payload: [UInt8])] = []) {
    self.body = body
    self.inputs = inputs
  }
}

/// A question of a kind that the machine does not answer.
public struct UnansweredQuery: Error, CustomStringConvertible {
  public var machine: MachineID
  public var kind: Query.Kind
  public init(machine: MachineID, kind: Query.Kind) {
    self.machine = machine
    self.kind = kind
  }
  public var description: String { "\(machine) does not answer '\(kind)'" }
}
