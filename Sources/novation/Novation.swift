@main struct Novation { static func main() {} }
