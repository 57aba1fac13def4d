/** Shortens an ONNX Runtime message to one line without file names, source positions and C++ signatures. */
export function withoutPaths(message: string): string {
  return message
    .replace(/(?:[A-Za-z]:)?[\\/](?:[\w.+@~-]+[\\/])+[\w.+@~-]+(?::\d+)?/g, (path) => {
      const rooted =
        /^\/(onnxruntime_src|home|root|tmp|usr|opt|var|work|app|build|mnt|Users)\b|^[A-Za-z]:|node_modules/;
      return rooted.test(path) ? '' : path;
    })
    .replace(/\bonnxruntime::\S+\([^)]*\)(?:::<lambda\(\)>)?/g, '')
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/[.:]+$/, '')
    .slice(0, 400);
}
