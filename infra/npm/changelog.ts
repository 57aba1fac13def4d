const unreleased = '## [Unreleased]\n';

/**
 * Gives the unreleased changes a version and a date.
 *
 * @returns the changelog, and its text on this version. @throws Error when there is nothing to release
 */
export function cutChangelog(
  text: string,
  version: string,
  date: string,
): { readonly changelog: string; readonly notes: string } {
  const [before, after] = text.split(unreleased);
  if (before === undefined || after === undefined)
    throw new Error('CHANGELOG.md: expected one heading "## [Unreleased]"');
  const end = after.search(/^## \[/m);
  const notes = (end < 0 ? after : after.slice(0, end)).trim();
  if (notes === '') throw new Error('CHANGELOG.md: nothing stands under "## [Unreleased]"');
  const older = end < 0 ? '' : `\n${after.slice(end)}`;
  return { changelog: `${before}${unreleased}\n## [${version}] - ${date}\n\n${notes}\n${older}`, notes };
}
