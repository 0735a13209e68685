# Which containers run where. Image names are those of the image sets.

host "control" {
  address = "control.${site.vars.domain}"
}

host "office" {
  address = "office.${site.vars.domain}"
}

container "historian" {
  image   = "historian"
  host    = "control"
  volumes = ["history:/srv/history"]
  restart = "unless-stopped"
}

container "gateway" {
  image   = "gateway"
  host    = "control"
  ports   = ["4840:4840"]
  volumes = ["../config/${site.name}:/srv/config:ro"]
  env     = { LINES = site.vars.lines }
  restart = "unless-stopped"
}

container "panel" {
  image   = "panel"
  host    = "office"
  ports   = ["80:8080"]
  restart = "unless-stopped"
}

# The base image on its own: a shell on the control host.
container "maintenance" {
  image   = "base"
  host    = "control"
  command = ["sleep", "86400"]
}

document "release-notes" {
  title    = "Release notes"
  template = "../documents/release-notes.md.tftpl"
}

document "hand-over" {
  title    = "Hand-over to ${site.name}"
  template = "../documents/hand-over.md.tftpl"
}
