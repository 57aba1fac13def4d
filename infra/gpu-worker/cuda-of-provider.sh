#!/bin/sh
# Says which CUDA a provider of ONNX Runtime is linked against: `cuda 13`, then each library that it needs, one a line.
#   sh cuda-of-provider.sh libonnxruntime_providers_cuda.so
# It needs readelf (apt-get install binutils).
set -eu
provider=${1:?expected the path of libonnxruntime_providers_cuda.so}
needed=$(LC_ALL=C readelf --dynamic --wide "$provider" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p')
# The runtime and cuBLAS have CUDA's own number in their names; cuFFT, cuRAND and cuDNN have numbers of their own.
cuda=$(printf '%s\n' "$needed" | sed -n 's/^lib\(cudart\|cublas\|cublasLt\)\.so\.\([0-9]*\)$/\2/p' | sort -u)
case $cuda in
  '')
    echo "cuda-of-provider: $provider: expected a library that needs libcudart, libcublas or libcublasLt; got one that needs $(echo $needed)" >&2
    exit 1
    ;;
  *[!0-9]*)
    echo "cuda-of-provider: $provider: expected one version of CUDA, got $(echo $cuda)" >&2
    exit 1
    ;;
esac
printf 'cuda %s\n%s\n' "$cuda" "$needed"
