/** `npm run bench`: measures sluice beside its peers and writes what came out. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { environment, type Installed } from './environment.ts';
import { type Options, readOptions, usage } from './options.ts';
import { htmlReport } from './report/html.ts';
import { withFigures } from './report/pages.ts';
import { poster } from './report/poster.ts';
import { showProgress } from './report/progress.ts';
import { readme } from './report/readme.ts';
import { type Results, readResults, selected, writeResults } from './report/results.ts';
import { table } from './report/table.ts';
import { scenarios } from './scenarios/index.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { cleanUp } from './stage/processes.ts';
import { defaultSubjects, subjects } from './subjects/index.ts';
import type { Subject } from './subjects/subject.ts';
import { runSuite } from './suite.ts';
import { summarise } from './summary.ts';

const args = process.argv.slice(2);
const out = (text: string): void => void process.stdout.write(text);
const say = (text: string): void => void process.stderr.write(text);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    say('\nInterrupted\n');
    process.exit(signal === 'SIGINT' ? 130 : 143);
  });
}
process.once('exit', cleanUp);

process.exitCode = await main();

async function main(): Promise<number> {
  let options: Options;
  try {
    options = readOptions(args, { scenarios, subjects, defaultSubjects });
  } catch (error) {
    say(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return 2;
  }
  if (options.action === 'help') out(usage);
  else if (options.action === 'list') await list();
  else if (options.action === 'report') return reportOnEarlier(options);
  else return await bench(options);
  return 0;
}

/** The runs in the order of their files, the figures of each under its own date and command. */
function reportOnEarlier({ from, readme: folder, into, ...options }: Options): number {
  const scenarioNames = options.scenariosNamed ? options.scenarios.map(({ name }) => name) : undefined;
  const subjectNames = options.subjectsNamed ? options.subjects.map(({ name }) => name) : undefined;
  let runs: readonly Results[];
  try {
    runs = from.map((file) => selected(readResults(file), scenarioNames, subjectNames));
  } catch (error) {
    say(`${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
  if (folder === undefined && into.length === 0) out(runs.map(readme).join('\n'));
  return write(folder, into, runs);
}

/** Into a folder and into pages, as far as that is wanted. */
function write(folder: string | undefined, pages: readonly string[], runs: readonly Results[]): number {
  if (folder !== undefined) writeForReadme(folder, runs);
  for (const page of pages) {
    try {
      writeFileSync(page, withFigures(readFileSync(page, 'utf8'), runs));
      out(`Written: ${page}\n`);
    } catch (error) {
      say(`${page}: ${error instanceof Error ? error.message : String(error)}\n`);
      return 2;
    }
  }
  return 0;
}

function writeForReadme(folder: string, runs: readonly Results[]): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'bench.md'), runs.map(readme).join('\n'));
  const picture = poster(runs.flatMap(({ scenarios }) => scenarios));
  if (picture !== undefined) writeFileSync(join(folder, 'bench.svg'), picture);
  const written =
    picture === undefined
      ? 'bench.md, and no chart: none of its figures was measured'
      : 'bench.md and bench.svg';
  out(`Written: ${relative('.', folder)}/${written}\n`);
}

async function bench(options: Options): Promise<number> {
  const here = await installed(options.subjects);
  const { present } = here;
  if (present.length === 0 || (options.subjectsNamed && present.length < options.subjects.length)) return 1;
  const asked = await possible(options.scenarios);
  if (options.scenariosNamed && asked.length < options.scenarios.length) return 1;

  const where = environment(here, args);
  const plan = { ...options, scenarios: asked, subjects: present.map(({ subject }) => subject) };
  const outcomes = await runSuite(plan, showProgress(say, process.stderr.isTTY));
  const results = outcomes.map((outcome) => ({ ...summarise(outcome), samples: outcome.samples }));
  for (const summary of results) out(`${table(summary)}\n`);

  mkdirSync(options.out, { recursive: true });
  const path = join(options.out, where.date.replaceAll(/[:.]/g, '-'));
  writeResults(`${path}.json`, { environment: where, scenarios: results });
  writeFileSync(`${path}.html`, htmlReport(where, results));
  out(`Written: ${relative('.', path)}.json and .html\n`);
  const written = write(options.readme, options.into, [{ environment: where, scenarios: results }]);
  if (written !== 0) return written;
  return outcomes.some(({ samples }) => samples.some(({ failure }) => failure !== undefined)) ? 1 : 0;
}

/** The subjects that can run here; of the others it says why not. */
async function installed(wanted: readonly Subject[]): Promise<Installed> {
  const present: { subject: Subject; version: string }[] = [];
  const missing: string[] = [];
  for (const subject of wanted) {
    const presence = await subject.presence();
    if ('version' in presence) present.push({ subject, version: presence.version });
    else missing.push(`Without ${subject.name}: ${presence.missing}`);
  }
  for (const line of missing) say(`${line}\n`);
  return { present, missing };
}

/** The scenarios that have all they need; of the others it says what that is. */
async function possible(wanted: readonly Scenario[]): Promise<readonly Scenario[]> {
  const found: Scenario[] = [];
  for (const scenario of wanted) {
    const missing = await scenario.missing?.();
    if (missing === undefined) found.push(scenario);
    else say(`Without ${scenario.name}: ${missing}\n`);
  }
  return found;
}

async function list(): Promise<void> {
  out('Scenarios\n');
  for (const { name, question } of scenarios) out(`  ${name.padEnd(22)} ${question}\n`);
  out('\nSubjects (* by default)\n');
  for (const subject of subjects) {
    const presence = await subject.presence();
    const star = defaultSubjects.includes(subject) ? '*' : ' ';
    out(
      `${star} ${subject.name.padEnd(22)} ${'version' in presence ? presence.version : presence.missing}\n`,
    );
  }
}
