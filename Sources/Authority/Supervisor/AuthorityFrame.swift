import Bytes

/// One message between the supervisor's server and its clients: version u8, number u64, body.
///
/// An answer carries the number of its request. A `follow` opens a subscription under its number: the server sends what
/// changes under that number until it has not heard the `follow` for a while.
struct AuthorityFrame<Body: ByteCodable & Sendable>: ByteCodable, Sendable {
  var number: UInt64
  var body: Body

  init(number: UInt64, body: Body) {
    self.number = number
    self.body = body
  }

  private static var version: UInt8 { 1 }

  func write(to writer: inout ByteWriter) {
    writer.u8(Self.version)
    writer.u64(number)
    body.write(to: &writer)
  }

  init(from reader: inout ByteReader) {
    let version = reader.u8()
    number = reader.u64()
    body = Body(from: &reader)
    if version != Self.version { reader.fail() }
  }
}
