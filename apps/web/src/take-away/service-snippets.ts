import type { ServiceExplanation } from '../engine/engine.ts';
import type { Snippet } from './snippet.ts';

/** The same explanation by the service's API. The key is never written into a text: each takes it from WHYLIGHT_API_KEY. */
export function serviceSnippets(
  { url, model, sha256 }: ServiceExplanation,
  method: string,
  target: number,
): Snippet[] {
  const request = { input: { sha256 }, model, method, target: { class_index: target } };
  return [
    { id: 'curl', text: curl(url, request) },
    { id: 'python', text: python(url, request) },
    { id: 'typescript', text: typescript(url, request) },
  ];
}

const curl = (url: string, request: object): string =>
  [
    `curl -fsS ${url}/v1/explanations \\`,
    `  -H "Authorization: Bearer $WHYLIGHT_API_KEY" -H 'Content-Type: application/json' -H 'Prefer: wait=30' \\`,
    `  -d '${JSON.stringify(request).replaceAll("'", `'\\''`)}'`,
  ].join('\n');

const python = (url: string, request: object): string => `# Needs nothing but Python
import json, os, urllib.request

request = urllib.request.Request(
    ${JSON.stringify(`${url}/v1/explanations`)},
    data=json.dumps(${JSON.stringify(request)}).encode(),
    headers={"Authorization": "Bearer " + os.environ["WHYLIGHT_API_KEY"], "Content-Type": "application/json", "Prefer": "wait=30"},
)
explanation = json.load(urllib.request.urlopen(request))
while explanation["status"] in ("queued", "processing"):
    again = ${JSON.stringify(url)} + explanation["urls"]["self"] + "?wait=30"
    explanation = json.load(urllib.request.urlopen(urllib.request.Request(again, headers={"Authorization": request.get_header("Authorization")})))
overlay = explanation["attributions"][0]["artifacts"]["overlay"]["signed_url"]
open("overlay.png", "wb").write(urllib.request.urlopen(overlay).read())
print(explanation["predictions"][0]["label"])`;

const typescript = (url: string, request: object): string => `import { writeFile } from 'node:fs/promises';
import { successOf, WhylightClient } from '@whylight/client';

const client = new WhylightClient({ url: ${JSON.stringify(url)}, apiKey: process.env.WHYLIGHT_API_KEY! });
const { explanation } = await client.explain(${JSON.stringify(request)});
const [first] = successOf(explanation).attributions;
await writeFile('overlay.png', await client.download(first!.artifacts.overlay));
console.log(first!.output_display_name);`;
