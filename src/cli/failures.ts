/**
 * What people read on stderr, a log of JSON has too: programs that watch the log see why a process has not started, or
 * what it died of. On a terminal that would be said twice.
 */
import type { Issue } from '../config/issues.ts';
import type { LoadResult } from '../config/load.ts';
import type { Log } from '../telemetry/log.ts';

/** Why the process does not start. */
export function logStartError({ isJson, logger }: Log, error: unknown): void {
  if (isJson) logger.fatal({ message: error instanceof Error ? error.message : `${error}` }, 'not started');
}

/** What is wrong with the configuration that the process was to start with. */
export function logIssues({ isJson, logger }: Log, loaded: LoadResult): void {
  if (!isJson) return;
  if (loaded.ok) for (const issue of loaded.warnings) logger.warn(fieldsOf(issue), 'configuration warning');
  else for (const issue of loaded.issues) logger.fatal(fieldsOf(issue), 'configuration not loaded');
}

/** What Node warns of, and what the process dies of. Returns how to stop that. */
export function logNode({ isJson, logger }: Log): () => void {
  const onWarning = ({ name, message }: Error): void => {
    if (isJson) logger.warn({ name, message }, 'warning of Node');
  };
  const onDeath = (err: unknown): void => {
    if (isJson) logger.fatal({ err }, 'died of an error');
  };
  process.on('warning', onWarning).on('uncaughtExceptionMonitor', onDeath);
  return () => process.off('warning', onWarning).off('uncaughtExceptionMonitor', onDeath);
}

/** The line's text may be long, and people have it beside the mark. */
function fieldsOf({ excerpt: _, ...issue }: Issue): object {
  return issue;
}
