/**
 * What lies beside the code, at the same place where the source runs and where it was built: there, code is in any
 * file of this folder.
 */

/** The entry of a worker thread. The file's own ending: .ts where the source runs, .js where it was built. */
export const workerEntry = new URL(`./dataplane/worker${import.meta.url.slice(-3)}`, import.meta.url);

/** The files of the dashboard. */
export const dashboardFolder = new URL('./dashboard/', import.meta.url);
