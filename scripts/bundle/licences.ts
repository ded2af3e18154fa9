/** Writes the licences of the packages that are part of the bundle, as these ask for. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** `inputs` are the files of the bundle, as paths from the root. Throws where a package has no licence with it. */
export function writeLicences(root: string, inputs: readonly string[], file: string): void {
  const folders = new Set(inputs.flatMap((input) => packageOf(input) ?? []));
  const texts = [...folders].sort().map((folder) => {
    const name = readdirSync(root + folder).find((one) => /^licen[cs]e/i.test(one));
    if (name === undefined) throw new Error(`Expected the text of a licence in ${folder}`);
    return `${folder.split('node_modules/').at(-1)}\n\n${readFileSync(`${root}${folder}/${name}`, 'utf8')}`;
  });
  writeFileSync(file, texts.join(`\n${'-'.repeat(80)}\n`));
}

function packageOf(input: string): string | undefined {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0];
}
