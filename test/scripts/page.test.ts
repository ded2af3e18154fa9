import { describe, expect, it } from 'vitest';
import { isAsPromised, stepsOf } from '../../scripts/docs/page.ts';

const fence = '```';
const end = { kind: 'section-end' };

function block(line: number, code: string, more: object = {}) {
  return { kind: 'block', line, code, keepsTerminal: false, output: undefined, ...more };
}

describe('The steps of a page', () => {
  it('are its shell blocks, each with the output that follows, and the ends of sections', () => {
    const page = `# Title

Do:

${fence}sh
one
two
${fence}

It prints

${fence}
1
${fence}

## Next

${fence}sh
three
${fence}
`;
    const output = { text: '1\n', forInstance: false };
    expect(stepsOf(page)).toEqual([end, block(6, 'one\ntwo\n', { output }), end, block(19, 'three\n'), end]);
  });

  it('know output that is an instance', () => {
    const page = `${fence}sh\none\n${fence}\n\nIt prints, for instance:\n\n${fence}\n17\n${fence}\n`;
    expect(stepsOf(page)[0]).toMatchObject({ output: { text: '17\n', forInstance: true } });
  });

  it('take no output of another section, and none behind another block', () => {
    const page = `${fence}sh\none\n${fence}\n\n${fence}yaml\na: 1\n${fence}\n\n${fence}\n1\n${fence}\n
${fence}sh\ntwo\n${fence}\n\n## Next\n\n${fence}\n2\n${fence}\n`;
    expect(stepsOf(page)).toEqual([block(2, 'one\n'), block(14, 'two\n'), end, end]);
  });

  it('know a block that keeps its terminal busy, also where its output comes first', () => {
    const shown = `${fence}\n1\n${fence}\n`;
    const page = `${fence}sh\none\n${fence}\n\n${shown}\nIn a second terminal:\n\n${fence}sh\ntwo\n${fence}\n`;
    const output = { text: '1\n', forInstance: false };
    expect(stepsOf(page)).toEqual([
      block(2, 'one\n', { keepsTerminal: true, output }),
      block(12, 'two\n'),
      end,
    ]);
  });

  it('write a configuration to the file that is named last before it', () => {
    const page = `In place of \`a.yaml\`, write \`sluice.yaml\`:\n\n${fence}yaml\na: 1\n${fence}\n\n${fence}yaml\nb: 2\n${fence}\n`;
    expect(stepsOf(page)).toEqual([{ kind: 'file', name: 'sluice.yaml', text: 'a: 1\n' }, end]);
  });

  it('leave out what says that it is not run', () => {
    const page = `<!-- not run: it needs a moon -->\n${fence}sh\none\n${fence}\n\n${fence}sh\ntwo\n${fence}\n`;
    expect(stepsOf(page)).toEqual([block(7, 'two\n'), end]);
  });
});

describe('Output', () => {
  const exact = (text: string) => ({ text, forInstance: false });
  const instance = (text: string) => ({ text, forInstance: true });

  it('is compared but for blanks at ends of lines', () => {
    expect(isAsPromised('a  1 \nb\n\n', exact('a  1\nb\n'))).toBe(true);
    expect(isAsPromised('a 1\nb\n', exact('a  1\nb\n'))).toBe(false);
    expect(isAsPromised('a\n', exact('a\nb\n'))).toBe(false);
    expect(isAsPromised('axb\n', exact('a.b\n'))).toBe(false);
  });

  it('may be anything at …, within a line or for some lines', () => {
    expect(isAsPromised('a 17 b\n', exact('a … b\n'))).toBe(true);
    expect(isAsPromised('a\n1\n2\nb\n', exact('a\n…\nb\n'))).toBe(true);
    expect(isAsPromised('a\nb\n', exact('a\n…\nb\n'))).toBe(true);
    expect(isAsPromised('a\n1\n', exact('a\n…\nb\n'))).toBe(false);
  });

  it('may have other numbers where it is an instance', () => {
    expect(isAsPromised('127.0.0.1:9  up  1.5 KiB\n', instance('127.0.0.1:34567  up  19.9 KiB\n'))).toBe(
      true,
    );
    expect(isAsPromised('127.0.0.1:9  down  1.5 KiB\n', instance('127.0.0.1:3  up  1.5 KiB\n'))).toBe(false);
  });
});
