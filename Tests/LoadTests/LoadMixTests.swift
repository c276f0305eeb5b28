import Testing

@testable import Operations

struct LoadMixTests {
  @Test func aMixIsReadAsWritten() throws {
    let mix = try LoadMix(parsing: "new=45,cancel=40,replace=5,crossing=10")
    #expect(mix == .standard)
    #expect(try LoadMix(parsing: "crossing=100").crossing == 100)
    let makers = try LoadMix(parsing: "stop=5,iceberg=15,quote=70,crossing=10")
    #expect(makers.stop == 5 && makers.iceberg == 15 && makers.quote == 70 && makers.new == 0)
    for mix in [mix, makers] { #expect(try LoadMix(parsing: mix.text) == mix) }
    #expect(LoadMix.standard.text == "new=45,cancel=40,replace=5,crossing=10")
  }

  @Test(arguments: [
    ("new=50", "add up to 50"), ("new=60,cancel=60", "add up to 120"), ("buy=100", "'buy' is no kind"),
    ("new", "not of the form"), ("new=-1,cancel=101", "not of the form"), ("new=x", "not of the form"),
    ("", "add up to 0"),
  ])
  func aMixThatIsNoneIsRefusedWithTheReason(_ text: String, _ reason: String) throws {
    let error = #expect(throws: LoadMixError.self) { try LoadMix(parsing: text) }
    #expect(try #require(error).description.contains(reason))
  }
}

struct SweepRatesTests {
  @Test func ratesAreListedOrStepped() throws {
    #expect(try SweepRates(parsing: "5000").rates == [5_000])
    #expect(try SweepRates(parsing: "1000,500,9000").rates == [1_000, 500, 9_000])
    #expect(try SweepRates(parsing: "1000:4000:1000").rates == [1_000, 2_000, 3_000, 4_000])
    #expect(try SweepRates(parsing: "1000:2500:1000").rates == [1_000, 2_000])
  }

  @Test(arguments: ["", "0", "1000,", "1:2", "1:2:3:4", "5:1:1", "1:10:0", "99999999", "1:1000:1", "a,b"])
  func ratesThatAreNoneAreRefused(_ text: String) {
    #expect(throws: SweepRatesError.self) { try SweepRates(parsing: text) }
  }
}
