/** Has the browser save a file. */
export function download(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  Object.assign(document.createElement('a'), { href: url, download: name }).click();
  // The browser has begun by then; a revoked address would end it.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
