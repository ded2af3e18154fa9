/**
 * Does what the pages have their readers do, from top to bottom, and compares what they promise:
 *
 *     npm run docs                     README.md and docs/
 *     npm run docs -- docs/operating.md
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Block, isAsPromised, stepsOf } from './page.ts';
import { type Outcome, runSteps } from './shell.ts';

/** Of a page. */
const timeoutMs = 120_000;

const root = fileURLToPath(new URL('../../../', import.meta.url));
const pages =
  process.argv.length > 2
    ? process.argv.slice(2)
    : [
        'README.md',
        ...readdirSync(`${root}docs`).flatMap((name) => (name.endsWith('.md') ? `docs/${name}` : [])),
      ];

let failures = 0;
for (const page of pages) {
  const steps = stepsOf(readFileSync(root + page, 'utf8'));
  const blocks = steps.flatMap((step, index) => (step.kind === 'block' ? [{ step, index }] : []));
  const outcomes = blocks.length === 0 ? [] : await runSteps(steps, root, timeoutMs);
  for (const { step, index } of blocks) {
    const failure = failureOf(step, outcomes[index]);
    if (failure === undefined) continue;
    failures++;
    process.stdout.write(`${page}:${step.line} ${failure}\n\n`);
  }
  const promises = blocks.filter(({ step }) => step.output !== undefined && !step.keepsTerminal).length;
  process.stdout.write(`${page}: ${blocks.length} blocks run, ${promises} outputs compared\n`);
}
process.exitCode = failures === 0 ? 0 : 1;

/** What is not as the page promises, if anything is. */
function failureOf(block: Block, outcome: Outcome | undefined): string | undefined {
  // It has ended by a signal, and its screen is no text.
  if (block.keepsTerminal) return undefined;
  const { status, output = '' } = outcome ?? {};
  const printed = `It printed:\n${output}`;
  if (status === undefined) return 'has not ended, or is behind a block that has not';
  if (status !== 0) return `ended with ${status}. ${printed}`;
  if (block.output === undefined || isAsPromised(output, block.output)) return undefined;
  return `prints something else than the page says. ${printed}\nThe page says:\n${block.output.text}`;
}
