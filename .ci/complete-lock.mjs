/**
 * Completes package-lock.json with the optional packages of other platforms. A registry mirror that lacks some of
 * them makes `npm install` leave them out, and `npm ci` then refuses the lock. Without a registry to ask, the
 * platform is read from the package's name, and the licence is that of the package that asks for it. Run it after
 * `npm install`; it changes nothing where nothing is missing.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const path = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(path, 'utf8'));

const systems = { windows: 'win32', linuxmusl: 'linux', wasm32: undefined };
const processors = { 64: 'x64' };

function platform(name) {
  const words = name.split('/').at(-1).split('-');
  const os = words.find((word) =>
    /^(aix|android|darwin|freebsd|linux|linuxmusl|netbsd|openbsd|openharmony|sunos|win32|windows)$/.test(
      word,
    ),
  );
  const cpu = words.find((word) =>
    /^(arm|arm64|ia32|loong64|mips64el|ppc64|riscv64|s390x|x64|64|wasm32)$/.test(word),
  );
  return {
    ...(os && { os: [systems[os] ?? os] }),
    ...(cpu && { cpu: [processors[cpu] ?? cpu] }),
    ...(os?.startsWith('linux') && { libc: [/musl/.test(name) ? 'musl' : 'glibc'] }),
  };
}

const added = [];
for (const entry of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    if (!/^\d/.test(version)) continue;
    const known = lock.packages[key];
    // What a project builds for one platform has the project's licence.
    const license = known?.license ?? entry.license;
    if (known && known.license === license) continue;
    lock.packages[key] = known
      ? { ...known, license }
      : { version, license, ...platform(name), ...(entry.dev && { dev: true }), optional: true };
    added.push(key);
  }
}
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')),
);
if (added.length > 0) writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added.length} added${added.map((key) => `\n  ${key}`).join('')}`);
