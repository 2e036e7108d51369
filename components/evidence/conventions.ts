/** What tests, fixtures and check scripts are called. The one place where these conventions are written down. */

const words = (list: string): ReadonlySet<string> => new Set(list.split(" "));

const TEST_FOLDERS = words("test tests __tests__ e2e fixtures fixture __fixtures__ testdata __snapshots__");
/** Also names of product folders (`src/features/login.ts`): below source folders they make only data a test's own. */
const AMBIGUOUS_FOLDERS = words("spec specs golden expected snapshots features");
const SOURCE_FOLDERS = words("src lib app pkg internal packages components");
const CODE =
  /\.(c|cc|cpp|cs|dart|ex|exs|go|h|hpp|java|js|jsx|kt|lua|mjs|cjs|php|pl|py|rb|rs|scala|svelte|swift|ts|tsx|mts|cts|vue)$/;
const TEST_NAMES = [
  /\.(test|spec)\.[^/]+$/,
  /_test\.[^/]+$/,
  /^test_[^/]*\.[^/]+$/,
  /^test\.[^/]+$/,
  /[a-z0-9](Test|Tests|IT)\.(java|kt|cs|scala|swift|php)$/,
  /_spec\.rb$/,
  /^conftest\.py$/,
  /\.(snap|bats|feature)$/,
];
const CHECK_WORD =
  /(^|[^a-z])(checks?|verif(y|ies)|validate|assert|smoke|qa|accept|acceptance|evals?|bench|benchmarks?|tests?)([^a-z]|$)/i;
const CAMEL_HUMP = /([a-z0-9])([A-Z])/g;

/** Tests and what they are made of, which a suite finds by itself. */
export function isTestFile(path: string): boolean {
  const parts = path.split("/");
  const name = parts.pop() ?? "";
  if (parts.some((part) => TEST_FOLDERS.has(part)) || TEST_NAMES.some((form) => form.test(name))) return true;
  if (!parts.some((part) => AMBIGUOUS_FOLDERS.has(part))) return false;
  return !CODE.test(name) || !parts.some((part) => SOURCE_FOLDERS.has(part));
}

/** Tests, and scripts whose name says that they check something. */
export function looksLikeCheck(path: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1).replace(CAMEL_HUMP, "$1-$2");
  return isTestFile(path) || CHECK_WORD.test(name);
}
