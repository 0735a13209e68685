# A small plant system: a base image, three services on it, two sites.

flotobuild {
  required_version = "~> 0.1"
}

variable "release" {
  type        = string
  description = "Release version; release.auto.hclvars sets it."

  validation {
    condition     = can(semver(var.release))
    error_message = "The release must be a semantic version, such as 2.1.0."
  }
}
