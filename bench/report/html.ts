/** The report as one HTML file that needs nothing else: charts, figures, ratios, and where they are from. */
import type { Environment, SubjectHere } from '../environment.ts';
import type { Comparison, Summary } from '../summary.ts';
import { chart } from './chart.ts';
import { range, ratioText, short } from './figures.ts';
import { escaped } from './markup.ts';
import { style } from './style.ts';

export function htmlReport(where: Environment, summaries: readonly Summary[]): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>sluice bench, ${escaped(where.date.slice(0, 10))}</title>
<style>${style}</style>
<main>
<h1>sluice bench</h1>
<p>${escaped(where.date.slice(0, 16).replace('T', ' '))} UTC · ${escaped(where.cpu)}, ${where.cores} cores · ${escaped(where.kernel)} · Node ${escaped(where.node)}</p>
<p>Each figure is the median of the rounds with the least and the greatest value. A ratio is the median of the
ratios within each round, with their range: what slowed the machine for both then cancels out. CPU is that of the
proxy's processes alone, the kernel's work for their sockets with it.</p>
${where.missing.map((line) => `<p class="note">${escaped(line)}</p>`).join('\n')}
<nav>${summaries.map(({ name }) => `<a href="#${escaped(name)}">${escaped(name)}</a>`).join(' ')}</nav>
${summaries.map(section).join('\n')}
${surroundings(where)}
</main>
</html>
`;
}

function section(summary: Summary): string {
  const charts = summary.metrics
    .filter(({ compared }) => compared)
    .map((metric) => chart(metric, summary.rows));
  return `
<section id="${escaped(summary.name)}">
<h2>${escaped(summary.name)}</h2>
<p>${escaped(summary.question)}</p>
${summary.notes.map((note) => `<p class="note">${escaped(note)}</p>`).join('\n')}
<div class="charts">${charts.join('\n')}</div>
${figures(summary)}
${summary.comparisons.map(comparison).join('\n')}
</section>`;
}

function figures({ metrics, rows }: Summary): string {
  const head = metrics.map(({ title, unit }) => `<th>${escaped(title)}<small>${escaped(unit)}</small></th>`);
  const body = rows.map(({ subject, figures }) => {
    const cells = metrics.map(({ key }) => {
      const figure = figures[key];
      if (figure === undefined) return '<td>–</td>';
      const spread = figure.count > 1 ? `<small>${range(figure)}</small>` : '';
      return `<td title="${figure.median}">${short(figure.median)}${spread}</td>`;
    });
    return `<tr><th>${escaped(subject)}</th>${cells.join('')}</tr>`;
  });
  return `<div class="wide"><table><tr><th></th>${head.join('')}</tr>${body.join('\n')}</table></div>`;
}

function comparison({ metric, subjects, ratios }: Comparison): string {
  const head = subjects.map((subject) => `<th>${escaped(subject)}</th>`);
  const body = ratios.map((row, rowIndex) => {
    const cells = row.map((ratio, column) => {
      if (rowIndex === column) return '<td>·</td>';
      return `<td>${ratio === undefined ? '–' : ratioText(ratio)}</td>`;
    });
    return `<tr><th>${escaped(subjects[rowIndex] ?? '')}</th>${cells.join('')}</tr>`;
  });
  return `<details><summary>Ratios of ${escaped(metric.title)}, ${escaped(metric.unit)}: row ÷ column, ${metric.better} is better</summary>
<div class="wide"><table><tr><th></th>${head.join('')}</tr>${body.join('\n')}</table></div></details>`;
}

function surroundings(where: Environment): string {
  const facts: [string, string][] = [
    ['Date', where.date],
    ['Command', where.command],
    ['CPU', `${where.cpu}, ${where.cores} cores, ${where.memoryMib} MiB of memory`],
    ['Kernel', where.kernel],
    ['Node', where.node],
    ['Pinning', where.pinning],
    ['CPU time from', where.cpuAccounting],
  ];
  return `
<section id="environment">
<h2>Environment</h2>
<table class="facts">${facts.map(([name, value]) => `<tr><th>${name}</th><td>${escaped(value)}</td></tr>`).join('\n')}</table>
${where.subjects.map(subject).join('\n')}
</section>`;
}

function subject({ name, version, about, command, config }: SubjectHere): string {
  return `
<h3>${escaped(name)} <small>${escaped(version)}</small></h3>
<p>${escaped(about)}</p>
${command === undefined ? '' : `<pre>${escaped(command)}</pre>`}
${config === undefined ? '' : `<details><summary>Configuration</summary><pre>${escaped(config)}</pre></details>`}`;
}
