import type { Verdict } from './case.ts';

/** Formats a share for people. */
const share = (part: number, whole: number) =>
  whole === 0 ? '–' : `${part} of ${whole} (${((100 * part) / whole).toFixed(1)} %)`;

const escaped = (text: string) => text.replaceAll('|', '/').replaceAll('\n', ' ').slice(0, 160);

/** The verdicts as Markdown: a row of shares for each group, then a row for each network that is not right. */
export function tableOf(verdicts: Readonly<Record<string, Verdict>>): string {
  const groups = Map.groupBy(Object.entries(verdicts), ([name]) => name.split('/')[0]!);
  const rows: string[] = [];
  const failed: string[] = [];
  const total = { networks: 0, right: 0 };
  for (const [group, all] of groups) {
    const exported = all.filter(([, verdict]) => verdict.exported);
    const count = (key: 'accepted' | 'shown' | 'gradient') =>
      share(exported.filter(([, verdict]) => verdict[key] === '').length, exported.length);
    const whole = exported.filter(([, v]) => !v.accepted && !v.shown && !v.gradient);
    total.networks += exported.length;
    total.right += whole.length;
    rows.push(
      `| ${group} | ${exported.length} | ${count('accepted')} | ${count('shown')} | ${count('gradient')} | ${share(whole.length, exported.length)} |`,
    );
    for (const [name, verdict] of all) {
      if (!verdict.exported) failed.push(`| ${name} | not exported | ${escaped(verdict.why)} |`);
      else
        for (const key of ['accepted', 'shown', 'gradient'] as const)
          if (verdict[key] && verdict[key] !== '–')
            failed.push(`| ${name} | ${key} | ${escaped(verdict[key])} |`);
    }
  }
  return [
    '| group | networks | accepted | shown right | gradient right | all three |',
    '|---|---|---|---|---|---|',
    ...rows,
    `| all | ${total.networks} | | | | ${share(total.right, total.networks)} |`,
    '',
    '| network | what fails | why |',
    '|---|---|---|',
    ...failed,
  ].join('\n');
}
