root_definition "plant" {
  file       = "roots/plant.root.hcl"
  image_sets = [image_set.base, image_set.plant]

  conf {
    exclude = ["README.md", "demo.sh", "release-2/**"]
  }
}

site "hamburg" {
  root_definition = root_definition.plant
  vars            = { domain = "hamburg.plant.example", lines = "4" }

  patch {
    name    = "plant"
    version = var.release
    comment = "Plant system, Hamburg"
  }
}

site "rotterdam" {
  root_definition = root_definition.plant
  vars            = { domain = "rotterdam.plant.example", lines = "2" }

  patch {
    name    = "plant"
    version = var.release
    comment = "Plant system, Rotterdam"
  }
}
