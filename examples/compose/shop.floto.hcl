# Patches for a system that has a Compose file already.

image_set "base" {
  image "base" {
    rootfs = "rootfs/base.tar"
  }
}

# Services find their images by the last part of the reference in the Compose
# file: registry.plant.example/shop/app:latest is "app".
image_set "shop" {
  image "app" {
    context  = "app"
    contexts = { base = image_set.base.image.base }
  }
  image "proxy" {
    context  = "proxy"
    contexts = { base = image_set.base.image.base }
  }
}

root_definition "shop" {
  file       = "compose.yaml"
  image_sets = [image_set.shop]
}

# The site's variables take the place of the environment.
site "bremen" {
  root_definition = root_definition.shop
  vars            = { SITE = "bremen", PORT = 80 }

  patch {
    version = "1.0.0"
  }
}
