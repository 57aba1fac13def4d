/** Programs that make programs: nothing in the image may be able to build what an intruder brings. */
const compilers =
  /^(([\w.+-]+-)?(gcc|g\+\+|cc|c\+\+|cpp|clang|clang\+\+|tcc|as|ld|gold|nasm|go|rustc|cargo|gfortran)(-[\d.]+)?|make|gmake|cmake|ninja|tsc|esbuild|node-gyp|npm|npx)$/;
/** Folders of tests, by the names that people and packages use. */
const testFolders = new Set(['test', 'tests', '__tests__', 'testing', 'fixtures', '__fixtures__', 'spec']);
const testFile = /\.(test|spec)\.[cm]?[jt]sx?$/;
/** What the repository's own tests compare with. */
const recorded = /^whylight\/models\/.*(logits\.json|\.py|\.ts|requirements\.txt)$/;
/** Settings and keys of the machine that has built the image. */
const settings = /(^|\/)(\.env|\.dev\.vars|\.git|id_rsa)$|^root\/\.npmrc$/;

/** Folders of the base image in which programs are. */
const programs = /^(usr\/(local\/)?)?s?bin\//;

/** Says of each file, by its path in the image without a leading slash, why it must not be inside; null: it may. */
export function unwanted(path: string): string | null {
  const parts = path.split('/');
  const name = parts.at(-1)!;
  if (compilers.test(name) && (programs.test(path) || parts.includes('.bin'))) return 'a compiler';
  if (settings.test(path)) return "the build machine's settings";
  if (!path.startsWith('whylight/')) return null;
  if (recorded.test(path)) return 'a fixture';
  if (testFile.test(name) || parts.slice(0, -1).some((part) => testFolders.has(part))) return 'a test';
  return null;
}
