image_set "base" {
  # A flat import: one layer from a tar file, which "make rootfs" writes. The
  # tar itself is not under version control.
  image "base" {
    rootfs = "rootfs/base.tar"
  }
}

image_set "plant" {
  # Records measurements: a large layer that stays as it is, a small one that changes.
  image "historian" {
    context  = "images/historian"
    contexts = { base = image_set.base.image.base }
  }

  # Talks to the machines; COPY --link keeps its layers independent of the base.
  image "gateway" {
    context  = "images/gateway"
    contexts = { base = image_set.base.image.base }
  }

  # Shows the plant to its operators, and which release they look at.
  image "panel" {
    context  = "images/panel"
    contexts = { base = image_set.base.image.base }
    args     = { RELEASE = var.release }
    labels   = { "org.opencontainers.image.version" = var.release }
  }
}
