import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Lines by room: `packages/core/src/onnx`, or `packages/core/src` for the files that are in no folder below it. */
export type Lines = Readonly<Record<string, number>>;

/** Sources that are counted; tests, recorded values and generated files grow as they must. */
const sources = '{packages,apps}/*/src/**/*.{ts,tsx,css,html,sh,txt}';
const notCounted = /\.test\.ts$|\/generated\//;

/** The lines of each room below `root`. */
export function linesOf(root: string): Lines {
  const lines: Record<string, number> = {};
  for (const path of globSync(sources, { cwd: root })) {
    if (notCounted.test(path)) continue;
    // packages, core, src, and the folder below it
    const room = dirname(path).split('/').slice(0, 4).join('/');
    lines[room] = (lines[room] ?? 0) + (readFileSync(join(root, path), 'utf8').match(/\n/g)?.length ?? 0);
  }
  return lines;
}

/** Makes a budget from present lines: rounded up to fifty, and fifty more. */
export const budgetFor = (lines: Lines): Lines =>
  Object.fromEntries(
    Object.entries(lines)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([room, count]) => [room, 50 * Math.ceil(count / 50) + 50]),
  );

/** Lists the faults, a sentence for each room. */
export function faultsOf(lines: Lines, budget: Lines): string[] {
  const rooms = [...new Set([...Object.keys(lines), ...Object.keys(budget)])].sort();
  return rooms.flatMap((room) => {
    const [count, most] = [lines[room], budget[room]];
    if (count === undefined)
      return [`${room} has a budget and no lines: remove it from infra/checks/budget.json.`];
    if (most === undefined)
      return [
        `${room} has ${count} lines and no budget: add one to infra/checks/budget.json, ` +
          `"${room}": ${budgetFor({ [room]: count })[room]}.`,
      ];
    if (count <= most) return [];
    return [
      `${room} has ${count} lines, ${count - most} more than its budget of ${most}: take lines out, or raise the ` +
        'budget in infra/checks/budget.json and say in the commit what they are for.',
    ];
  });
}

type Row = readonly [name: string, lines: number, budget: number | 'none'];

/** Formats a row for each room, and one for each workspace. */
export function table(lines: Lines, budget: Lines): string {
  const workspaces = Map.groupBy(Object.keys(budgetFor(lines)), (room) => room.split('/', 2).join('/'));
  const sum = (of: Lines, rooms: readonly string[]) => rooms.reduce((all, room) => all + (of[room] ?? 0), 0);
  const rows = [...workspaces].flatMap(([workspace, rooms]): Row[] => [
    [workspace, sum(lines, rooms), sum(budget, rooms)],
    ...rooms.map((room): Row => [`  ${room}`, lines[room]!, budget[room] ?? 'none']),
  ]);
  const width = Math.max(...rows.map(([name]) => name.length));
  const line = (name: string, ...cells: (string | number)[]) =>
    [name.padEnd(width), ...cells.map((cell) => String(cell).padStart(7))].join(' ');
  return [line('room', 'lines', 'budget'), ...rows.map((row) => line(...row))].join('\n');
}
