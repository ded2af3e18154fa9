/** What the demo shows, and how to try it: at most 60 characters wide. */
export function introduction(port: number, adminPort: number): readonly string[] {
  return [
    `sluice listens on 127.0.0.1:${port} and spreads connections`,
    'over three backends. The last one is away for 8 of every 20',
    'seconds: its breaker opens, its health goes down, and the',
    'others serve everybody.',
    '',
    `  curl 127.0.0.1:${port}                 a backend answers`,
    `  http://127.0.0.1:${adminPort}               the dashboard`,
    `  curl 127.0.0.1:${adminPort}/api/v1/status   the state as JSON`,
    `  curl 127.0.0.1:${adminPort}/metrics         for Prometheus`,
    '  Ctrl-C                              stops gracefully',
    '',
  ];
}
