/** How the bars look, readable on a light and on a dark screen. */
export const chartStyle = `
:root { color-scheme: light dark; --text: #1c2024; --dim: #60646c; --back: #fff; --line: #d9d9e0; --note: #fff4d5;
  --peer0: #80838d; --peer1: #b9bbc6; --ours0: #0b68cb; --ours1: #74b6f5; }
@media (prefers-color-scheme: dark) { :root { --text: #edeef0; --dim: #a2a6ae; --back: #16181b; --line: #3a3f45;
  --note: #3a3010; --peer0: #7a7f88; --peer1: #525860; --ours0: #3b9eff; --ours1: #1d5fa3; } }
svg text { font-size: 13px; fill: var(--text); dominant-baseline: central; } svg .label { text-anchor: end; }
svg .title { font-weight: 600; } svg .range { fill: var(--dim); font-size: 11px; font-weight: 400; }
.axis { stroke: var(--line); } .whisker { stroke: var(--text); stroke-width: 1.2; fill: none; }
.peer .shade0 { fill: var(--peer0); } .peer .shade1 { fill: var(--peer1); }
.ours .shade0 { fill: var(--ours0); } .ours .shade1 { fill: var(--ours1); }
`;

/** The report's style sheet. */
export const style = `${chartStyle}
body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1100px; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: 1.5rem; }
small { color: var(--dim); font-weight: normal; } a { color: var(--ours0); }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1rem; }
.note { background: var(--note); padding: .5rem .8rem; border-radius: 4px; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(480px, 100%), 1fr)); gap: 1rem 2rem; }
figure { margin: 1rem 0; } figcaption { font-weight: 600; } svg { width: 100%; height: auto; max-width: 680px; }
.wide { overflow-x: auto; } table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; text-align: right; border-bottom: 1px solid var(--line); vertical-align: top; }
th:first-child { text-align: left; } td small, th small { display: block; }
.facts td { text-align: left; } .facts th { white-space: nowrap; }
details { margin: .5rem 0; } summary { cursor: pointer; color: var(--dim); }
pre { overflow-x: auto; padding: .8rem; border: 1px solid var(--line); border-radius: 4px; font-size: 13px; }
`;
