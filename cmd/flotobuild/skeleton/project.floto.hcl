# A small project that applies as it is:
#
#   flotobuild plan       what the next patch would hold
#   flotobuild apply      build it and write it to dist/

flotobuild {
  required_version = "~> 0.1"
}

variable "release" {
  type        = string
  default     = "0.1.0"
  description = "Version of the next patch."

  validation {
    condition     = can(semver(var.release))
    error_message = "The release must be a semantic version, such as 1.2.0."
  }
}

image_set "main" {
  # Built from images/hello/Dockerfile. FROM scratch needs neither a network nor
  # a container runtime.
  image "hello" {
    context = "images/hello"
  }
}

# Says which containers run where.
root_definition "main" {
  file       = "roots/main.root.hcl"
  image_sets = [image_set.main]
}

# Every site gets patches of its own: an initial one, and from then on only what
# changed.
site "example" {
  root_definition = root_definition.main

  patch {
    name    = "hello"
    version = var.release
  }
}
