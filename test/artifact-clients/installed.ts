import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { install, Place } from '../consumers/place.ts';
import { type Client, commandLine, inGo, inJava, inNode, inPython } from './clients.ts';

/** Names in the registries, beside `fetch` and `urllib`, which come with the language. */
const nodeLibraries = ['undici', 'axios', 'got', 'node-fetch', 'superagent', 'ky'];
const pythonLibraries = ['requests', 'httpx', 'aiohttp', 'urllib3'];
const javaLibraries = ['HttpClient', 'HttpURLConnection'];

/** A client that has been installed, with its version, or the reason why there is none. */
export type Found = { readonly client: Client; readonly version: string } | { readonly reason: string };

/** Finds or installs each client in a folder outside the repository. @returns them by name */
export async function installClients(home: string): Promise<Map<string, Found>> {
  const found = new Map<string, Found>();
  const add = async (name: string, find: () => Promise<Found>): Promise<void> => {
    found.set(name, await find().catch((error: Error) => ({ reason: error.message })));
  };
  for (const client of commandLine) await add(client.name, async () => onMachine(client, '--version'));

  await add('Node fetch', async () => ({
    client: inNode(newPlace(home, 'fetch').folder, 'fetch'),
    version: process.versions.node,
  }));
  for (const library of nodeLibraries)
    await add(`Node ${library}`, async () => {
      const place = newPlace(home, library);
      await install(place, [library]);
      const about = readFileSync(join(place.folder, 'node_modules', library, 'package.json'), 'utf8');
      return { client: inNode(place.folder, library), version: JSON.parse(about).version };
    });

  const python = newPlace(home, 'python');
  const interpreter = join(python.folder, 'bin/python');
  const whole = python.run(process.env.WHYLIGHT_PYTHON ?? 'python3', ['-m', 'venv', '.']);
  await add('Python urllib', async () => {
    await whole;
    const version = await python.run(interpreter, [
      '-c',
      'import platform; print(platform.python_version())',
    ]);
    return { client: inPython(python.folder, interpreter, 'urllib'), version };
  });
  for (const library of pythonLibraries)
    await add(`Python ${library}`, async () => {
      await whole;
      await python.run(interpreter, ['-m', 'pip', 'install', '--quiet', library]);
      const ask = `from importlib.metadata import version; print(version('${library}'))`;
      const version = await python.run(interpreter, ['-c', ask]);
      return { client: inPython(python.folder, interpreter, library), version };
    });

  const others = newPlace(home, 'others').folder;
  for (const library of javaLibraries)
    await add(`Java ${library}`, async () => onMachine(inJava(others, library), '-version'));
  await add('Go net/http', async () => onMachine(inGo(others), 'version'));
  return found;
}

function newPlace(home: string, name: string): Place {
  const folder = join(home, name);
  mkdirSync(folder);
  return new Place(folder);
}

/** A client whose program the machine has, with the number in the first line that the program says of itself. */
function onMachine(client: Client, ask: string): Found {
  const { error, stdout, stderr } = spawnSync(client.program, [ask], { encoding: 'utf8' });
  if (error) return { reason: `${client.program} is not installed` };
  return { client, version: /\d+(\.\d+)+/.exec(stdout + stderr)?.[0] ?? '' };
}
