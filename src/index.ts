/** What another program imports to embed the proxy. */
export type { Config } from './config/config.ts';
export { formatIssues, type Issue } from './config/issues.ts';
export { type LoadResult, loadConfig, parseConfig } from './config/load.ts';
export { Service, type ServiceOptions, StartError } from './service.ts';
export { createLog, type Log } from './telemetry/log.ts';
export { version } from './version.ts';
