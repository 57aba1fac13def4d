#!/usr/bin/env bash
# Builds the worker's image with buildah, checks what is inside, starts it and explains a photo with it.
#   sudo infra/gpu-worker/build.sh [--target cpu|cuda] [--out DIR] [--debian] [--no-try] [--keep]
# --out     where the report, the SBOM and the image (an OCI archive) go: dist/image
# --debian  makes the base images from Debian's packages (needs debootstrap), where no registry of images can be reached
# --keep    leaves what buildah has stored in OUT, to look into an image that fails
# --no-try  does not start the image (the CUDA image needs a GPU)
# Needs buildah. CPU_IMAGE, CUDA_IMAGE and PACKAGES_IMAGE name other base images, best by digest.
# ISOLATION=chroot and STORAGE_DRIVER=vfs let it run inside a container. NPMRC and CA_BUNDLE say how the build reaches npm.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
export PATH="$root/node_modules/.bin:$PATH"

target=cpu out=dist/image debian= try=yes keep=
while (($#)); do
  case $1 in
    --target) target=${2:?--target: expected cpu or cuda}; shift ;;
    --out) out=${2:?--out: expected a folder}; shift ;;
    --debian) debian=yes ;;
    --no-try) try= ;;
    --keep) keep=yes ;;
    *) echo "build.sh: unknown option $1; expected --target cpu|cuda, --out DIR, --debian, --no-try or --keep" >&2; exit 2 ;;
  esac
  shift
done
case $target in cpu | cuda) ;; *) echo "build.sh: --target: expected cpu or cuda, got $target" >&2; exit 2 ;; esac
for tool in buildah ${debian:+debootstrap}; do
  command -v "$tool" >/dev/null || { echo "build.sh: $tool is missing: apt-get install $tool" >&2; exit 2; }
done
mkdir -p "$out/cache/npm"
out=$(cd "$out" && pwd)

work=$(mktemp -d "$out/.build-XXXXXX")
buildah=(buildah --root "$work/storage" --runroot "$work/run" --storage-driver "${STORAGE_DRIVER:-overlay}")
isolation=(--isolation "${ISOLATION:-oci}")
clean() {
  if [ -n "$keep" ]; then echo "kept: $work"; return; fi
  "${buildah[@]}" rm --all >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap clean EXIT

bases=()
for name in CPU_IMAGE CUDA_IMAGE PACKAGES_IMAGE; do
  if [ -n "${!name:-}" ]; then bases+=(--build-arg "$name=${!name}"); fi
done
if [ -n "$debian" ]; then
  sh infra/gpu-worker/debian-base.sh "$out/cache" "${buildah[@]}"
  bases=(--build-arg CPU_IMAGE=localhost/whylight-base --build-arg PACKAGES_IMAGE=localhost/whylight-packages)
fi

# Mounted, not copied: how this machine reaches npm, and what npm has fetched before, never comes into a layer.
{ echo 'cache=/var/cache/npm'; if [ -n "${NPMRC:-}" ]; then cat "$NPMRC"; fi; } >"$work/npmrc"
mounts=(--volume "$work/npmrc:/usr/local/etc/npmrc:ro" --volume "$out/cache/npm:/var/cache/npm")
if [ -n "${CA_BUNDLE:-}" ]; then mounts+=(--volume "$CA_BUNDLE:/etc/ssl/certs/ca-certificates.crt:ro"); fi

# Docker's format has the HEALTHCHECK, which OCI's lacks.
"${buildah[@]}" build "${isolation[@]}" --format docker --target "$target" "${bases[@]}" "${mounts[@]}" \
  --file infra/gpu-worker/Dockerfile --ignorefile infra/gpu-worker/Dockerfile.dockerignore \
  --tag "whylight/gpu-worker:$target" .

container=$("${buildah[@]}" from "whylight/gpu-worker:$target")
image=$("${buildah[@]}" mount "$container")
"${buildah[@]}" inspect --type image "whylight/gpu-worker:$target" >"$work/image.json"
node infra/gpu-worker/report-image.ts "$image" "$out"
if [ -n "$try" ]; then node infra/gpu-worker/try-image.ts "$image" "$work/image.json"; fi
"${buildah[@]}" push --quiet "whylight/gpu-worker:$target" "oci-archive:$out/gpu-worker-$target.tar:whylight/gpu-worker:$target"
echo "image: $out/gpu-worker-$target.tar"
