/** Our environment for children, without variables that could carry a secret or change the gateway's settings. */
export function inheritedEnvironment(): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'LC_ALL', 'TZ', 'LD_LIBRARY_PATH', 'XDG_CONFIG_HOME'];
  const gpu = Object.keys(process.env).filter((name) => /^(CUDA|NVIDIA|VK)_/.test(name));
  return Object.fromEntries(
    [...names, ...gpu].flatMap((name) => (process.env[name] ? [[name, process.env[name]!]] : [])),
  );
}
