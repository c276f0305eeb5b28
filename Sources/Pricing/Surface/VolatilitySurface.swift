import Bytes
import Market

/// Forward curves and smiles of every underlying of a market: what turns an index price into marks.
public struct VolatilitySurface: Sendable, Hashable {
  /// Layout version of the encoded surface.
  public static let formatVersion: UInt16 = 1

  /// By underlying id.
  public let underlyings: [UnderlyingSurface]

  public init(underlyings: [UnderlyingSurface]) { self.underlyings = underlyings }

  public subscript(id: UnderlyingID) -> UnderlyingSurface? {
    Int(id.rawValue) < underlyings.count ? underlyings[Int(id.rawValue)] : nil
  }
}

/// Layout: version u16; count u32 of underlyings, each: carry f64, count u32 of slices, each: expiry i64, carry f64,
/// form u8 (0 SVI: a, b, ρ, m, σ, reference years; 1 points: axis u8, count u32, then place and volatility of each),
/// every f64 as its IEEE 754 bit pattern. What the initialisers refuse is refused here too.
extension VolatilitySurface: ByteCodable {
  public func write(to writer: inout ByteWriter) {
    writer.u16(Self.formatVersion)
    writer.u32(UInt32(underlyings.count))
    for underlying in underlyings {
      writer.double(underlying.carry)
      writer.u32(UInt32(underlying.slices.count))
      for slice in underlying.slices {
        slice.expiry.write(to: &writer)
        writer.double(slice.carry)
        switch slice.smile {
        case .svi(let svi):
          writer.u8(0)
          for value in [svi.a, svi.b, svi.rho, svi.m, svi.sigma, svi.referenceYears] { writer.double(value) }
        case .points(let points):
          writer.u8(1)
          writer.u8(points.axis.rawValue)
          writer.u32(UInt32(points.places.count))
          for (place, volatility) in zip(points.places, points.volatilities) {
            writer.double(place)
            writer.double(volatility)
          }
        }
      }
    }
  }

  public init(from reader: inout ByteReader) {
    if reader.u16() != Self.formatVersion { reader.fail() }
    var underlyings: [UnderlyingSurface] = []
    for _ in 0..<reader.itemCount(minimumSize: 12) {
      guard !reader.hasFailed, let underlying = Self.underlying(from: &reader) else {
        reader.fail()
        break
      }
      underlyings.append(underlying)
    }
    self.underlyings = underlyings
  }

  private static func underlying(from reader: inout ByteReader) -> UnderlyingSurface? {
    let carry = reader.double()
    var slices: [ExpirySlice] = []
    for _ in 0..<reader.itemCount(minimumSize: 17) {
      guard !reader.hasFailed, let slice = slice(from: &reader) else { return nil }
      slices.append(slice)
    }
    return reader.hasFailed ? nil : try? UnderlyingSurface(carry: carry, slices: slices)
  }

  private static func slice(from reader: inout ByteReader) -> ExpirySlice? {
    let expiry = Timestamp(from: &reader)
    let carry = reader.double()
    let smile: ExpirySlice.Smile
    switch reader.u8() {
    case 0:
      let values = (0..<6).map { _ in reader.double() }
      guard
        let svi = try? SVIParameters(
          a: values[0], b: values[1], rho: values[2], m: values[3], sigma: values[4], referenceYears: values[5])
      else { return nil }
      smile = .svi(svi)
    case 1:
      guard let axis = SmilePoints.Axis(rawValue: reader.u8()) else { return nil }
      let values = (0..<reader.itemCount(minimumSize: 16)).map { _ in (reader.double(), reader.double()) }
      guard
        let points = try? SmilePoints(axis: axis, places: values.map(\.0), volatilities: values.map(\.1))
      else { return nil }
      smile = .points(points)
    default: return nil
    }
    return try? ExpirySlice(expiry: expiry, carry: carry, smile: smile)
  }
}

extension ByteWriter {
  /// Appends a floating-point number as its IEEE 754 bit pattern.
  mutating func double(_ value: Double) { u64(value.bitPattern) }
}

extension ByteReader {
  /// The next floating-point number, from its IEEE 754 bit pattern.
  mutating func double() -> Double { Double(bitPattern: u64()) }
}
