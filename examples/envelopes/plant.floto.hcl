# One envelope for every device of a line. See README.md.

flotobuild {
  name = "press-line"
}

variable "release" {
  default = "2.1.6"
}

variable "token" {
  type        = string
  sensitive   = true
  description = "What the application shows to the historian."
}

locals {
  devices = toset(["press-1", "press-2", "press-3"])
}

envelope "tuning" {
  version      = var.release
  allowed_apps = ["bc29c80d-e237-429c-a143-f65e7613f635"]

  device "press" {
    for_each    = local.devices
    certificate = "certs/${each.key}.pem"
  }

  controller {
    certificate = "certs/controller.pem"
    key         = "certs/controller.key"
  }

  blob "limits.yaml" {
    content  = templatefile("limits.yaml.tftpl", { pressure = 80, temperature = 140 })
    metadata = "schema=2"
    encrypt  = ["content", "metadata"]
  }

  blob "token" {
    content = var.token
    encrypt = ["content"]
  }

  blob "recipe" {
    for_each = fileset(".", "recipes/*.csv")
    name     = basename(each.value)
    source   = each.value
  }
}
