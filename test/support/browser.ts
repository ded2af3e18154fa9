/** A real browser, where Chromium is installed, and the dashboard in it. */
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, expect, onTestFinished } from 'vitest';
import { pathOf } from './programs.ts';

const executablePath = pathOf('chromium');

export const hasBrowser = executablePath !== undefined;

let running: Promise<Browser> | undefined;

/** One browser for the tests of a file; it ends with them. */
export function browserOfFile(): void {
  afterAll(async () => (await running)?.close());
}

/**
 * A page of its own at a path of the dashboard. Whatever the browser complains of fails the test, but for what it may
 * complain of.
 */
export async function openPage(
  url: string,
  { may = /^$/, ...options }: BrowserContextOptions & { may?: RegExp } = {},
): Promise<Page> {
  running ??= chromium.launch({
    ...(executablePath !== undefined && { executablePath }),
    // Chromium refuses to be started by root with its sandbox.
    args: ['--no-sandbox'],
  });
  const context = await (await running).newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    const text = message.text();
    if (['error', 'warning'].includes(message.type()) && !may.test(text)) complaints.push(text);
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.setDefaultTimeout(20_000);
  onTestFinished(async () => {
    await context.close();
    expect(complaints).toEqual([]);
  });
  await page.goto(url);
  return page;
}
