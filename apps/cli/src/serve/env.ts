import module from 'node:module';
import { dirname } from 'node:path';

/** Our environment for children, without variables that could carry a secret or change the gateway's settings. */
export function inheritedEnvironment(): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'LC_ALL', 'TZ', 'LD_LIBRARY_PATH', 'XDG_CONFIG_HOME'];
  const gpu = Object.keys(process.env).filter((name) => /^(CUDA|NVIDIA|VK)_/.test(name));
  return {
    ...Object.fromEntries(
      [...names, ...gpu].flatMap((name) => (process.env[name] ? [[name, process.env[name]!]] : [])),
    ),
    ...compileCache(),
  };
}

/** Makes children keep their compiled code where this process keeps its own, if it does: they then start in half the time. */
function compileCache(): Record<string, string> {
  // Node has this from 22.1 on. Its folder is one below the folder that the variable names: one for each version of Node.
  const folder = module.getCompileCacheDir?.();
  return folder ? { NODE_COMPILE_CACHE: dirname(folder) } : {};
}
