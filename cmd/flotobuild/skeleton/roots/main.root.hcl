host "main" {
  address = "192.0.2.1"
}

container "hello" {
  image = "hello"
  host  = "main"
}
