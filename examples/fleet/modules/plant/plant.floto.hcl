# One plant: its images, which hold its own settings, and its site.

variable "site" {
  type = string
}

variable "domain" {
  type = string
}

variable "release" {
  type     = string
  nullable = false
}

variable "services" {
  type = map(object({ port = number }))
}

variable "base" {
  description = "The image set with the image alpine."
}

image_set "services" {
  image "service" {
    for_each = var.services
    context  = "${path.root}/images/service"
    contexts = { base = var.base.image.alpine }
    args     = { NAME = each.key, PORT = each.value.port, DOMAIN = var.domain }
    precondition {
      condition     = each.value.port < 65536
      error_message = "The port of ${each.key} is no port."
    }
  }
}

root_definition "plant" {
  file       = "plant.yaml"
  image_sets = [var.base, image_set.services]
}

site "plant" {
  name            = var.site
  root_definition = root_definition.plant
  vars            = { domain = var.domain }
  patch {
    name    = var.site
    version = var.release
    output  = "${path.root}/dist"
  }
}
