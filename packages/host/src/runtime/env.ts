/** Makes cuBLAS and cuDNN compute in float32; they read this when they are loaded. An existing value stays. */
export function disableTf32(): void {
  process.env.NVIDIA_TF32_OVERRIDE ??= '0';
}
