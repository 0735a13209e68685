// Package docker is what redeploying needs of Docker Engine: an engine is found
// as the docker command finds it, images are loaded from a store without
// sending what the engine has, containers are looked at, and Compose is run.
//
// Engines from API version 1.40 on are served, which is Docker 19.03. What
// differs between them is settled in [Connect]: whether the image store takes
// archives with layers left out, and whether it reads zstd.
package docker
