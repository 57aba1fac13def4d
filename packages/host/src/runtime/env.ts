/** Has cuBLAS and cuDNN compute in float32; they read this when they are loaded. A value that is set stays. */
export function disableTf32(): void {
  process.env.NVIDIA_TF32_OVERRIDE ??= '0';
}
