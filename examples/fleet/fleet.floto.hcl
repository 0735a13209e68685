# 40 sites with 60 images each, from two folders of images.

flotobuild {
  required_version = "~> 0.1"
}

variable "release" {
  type        = string
  default     = "3.0.0"
  description = "Version of all patches."
}

function "numbered" {
  params = [prefix, n]
  result = [for i in range(1, n + 1) : format("%s-%02d", prefix, i)]
}

locals {
  sites    = { for name in numbered("plant", 40) : name => { domain = "${name}.fleet.example" } }
  services = { for i, name in numbered("service", 59) : name => { port = 8000 + i } }
}

image_set "base" {
  image "alpine" {
    rootfs = "base/alpine.tar"
  }
}

module "plant" {
  for_each = local.sites
  source   = "./modules/plant"

  site     = each.key
  domain   = each.value.domain
  release  = var.release
  services = local.services
  base     = image_set.base
}
