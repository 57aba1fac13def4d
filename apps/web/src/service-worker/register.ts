/** Has the browser keep the page's files. A browser without service workers shows the page with a network only. */
export function keepPage(): void {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  navigator.serviceWorker.register('./service-worker.js').catch(() => undefined);
}

/** Has it keep the engine too, now that the browser has fetched it. */
export async function keepEngine(): Promise<void> {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  const { active } = await navigator.serviceWorker.ready;
  active?.postMessage('keep the engine');
}
