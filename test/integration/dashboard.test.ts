/** The dashboard in a real browser, over the built executable: what people see there and what they can do. */
import { readdirSync, statSync } from 'node:fs';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../bench/stage/free-ports.ts';
import { connected, echo, nextText, startBackend, type TestBackend, visit } from '../support/backends.ts';
import { browserOfFile, hasBrowser, openPage } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { skippedWithout } from '../support/programs.ts';
import { Sluice } from '../support/sluice.ts';

it('The dashboard has less than 60 KB, all of it together', () => {
  const folder = new URL('../../dist/bundle/dashboard/', import.meta.url);
  const sizes = readdirSync(folder).map((name) => statSync(new URL(name, folder)).size);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(60_000);
});

browserOfFile();

describe.skipIf(!hasBrowser)(`The dashboard ${skippedWithout('chromium')}`, () => {
  let backends: readonly TestBackend[];
  let dead: string;
  let sluice: Sluice;
  let config: string;

  beforeAll(async () => {
    backends = await Promise.all([1, 2, 3].map(() => startBackend(echo)));
    dead = `127.0.0.1:${await freePort()}`;
    const [one, two, three] = backends.map(({ address }) => address);
    config = JSON.stringify({
      version: 1,
      workers: 1,
      listeners: {
        web: { bind: '127.0.0.1:0', pool: 'app' },
        // Names that an object of JavaScript has of its own.
        constructor: { bind: '127.0.0.1:0', pool: '__proto__' },
        broken: { bind: '127.0.0.1:0', pool: 'broken' },
      },
      pools: {
        app: { backends: [one, two], healthCheck: { type: 'tcp', interval: '100ms', fall: 1, rise: 1 } },
        ['__proto__']: { backends: [three, 'unix:/nowhere/<b>&"odd".sock'] },
        broken: {
          backends: [dead],
          connect: { retries: 0 },
          circuitBreaker: { consecutiveFailures: 2, openFor: '5m' },
        },
        crowd: {
          backends: Array.from({ length: 130 }, (_, number) => ({
            address: `127.0.0.${number + 1}:1`,
            weight: number === 129 ? 0 : 1,
          })),
        },
        sick: { backends: [dead], healthCheck: { type: 'tcp', interval: '100ms', fall: 1 } },
      },
      admin: { bind: `127.0.0.1:${await freePort()}` },
    });
    sluice = await Sluice.run(config);
  });
  afterAll(async () => {
    await sluice.stop();
    await Promise.all(backends.map((backend) => backend.close()));
  });

  const urlOf = (view = ''): string => `http://127.0.0.1:${sluice.adminPort}/#/${view}`;
  const row = (page: Page, address: string) => page.getByRole('row').filter({ hasText: address }).first();

  it('says at first sight which backend takes no clients, and why', async () => {
    const page = await openPage(urlOf());
    const trouble = page.getByRole('region', { name: 'Backends without clients, and why' });
    const card = trouble.getByRole('listitem').filter({ hasText: 'sick' });
    await eventually(async () =>
      expect(await card.innerText()).toMatch(/Down.*health check fails: Connection refused/s),
    );
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toMatch(
      /of \d+ backends takes? no clients/,
    );
    await card.getByRole('link').click();
    await page.waitForURL(/#\/pools\/sick\//);
    expect(await page.getByText('Last check', { exact: true }).isVisible()).toBe(true);
  });

  it('drains a backend, shows what holds the drain open, and closes that', async () => {
    const [first] = backends;
    const address = first?.address ?? '';
    const clients = await Promise.all([1, 2].map(() => connected(sluice.port('web'))));
    for (const client of clients) client.write('hello');
    await Promise.all(clients.map(nextText));
    const page = await openPage(urlOf('pools/app'));
    await row(page, address).getByRole('button', { name: 'Drain' }).click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.innerText()).toMatch(
      /takes no new clients.*1 backend of app is left.*1 open connection/s,
    );
    await dialog.getByLabel('Reason').fill('deploy <b>4.2</b>');
    await dialog.getByLabel('For', { exact: true }).selectOption('30 minutes');
    await dialog.getByRole('button', { name: 'Drain' }).click();
    await dialog.waitFor({ state: 'detached' });
    await row(page, address).getByText('Draining').waitFor();
    await eventually(async () =>
      expect(await row(page, address).innerText()).toMatch(/Taken out by 127.0.0.1: “deploy <b>4.2<\/b>”/),
    );
    await row(page, address)
      .getByRole('link', { name: `1 open sessions of ${address}` })
      .click();
    await page.getByRole('heading', { name: `What holds the drain of ${address} open` }).waitFor();
    await page.getByRole('button', { name: /^Close the session/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Close session' }).click();
    await page.getByText('Nothing holds the drain open').waitFor();
    await page.goBack();
    await row(page, address).getByText('Drained').waitFor();
    await row(page, address).getByRole('button', { name: 'Ready' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Make ready' }).click();
    await row(page, address).getByText('Ready', { exact: true }).first().waitFor();
    for (const client of clients) client.destroy();
    expect((await sluice.api('GET overrides')).body).toEqual({ overrides: [] });
  });

  it('holds a pool, shows who waits, and releases it', async () => {
    const page = await openPage(urlOf('pools/app'));
    await page.getByRole('button', { name: 'Hold' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('For', { exact: true }).selectOption('5 minutes');
    await dialog.getByLabel('Reason').fill('upgrade');
    await dialog.getByRole('button', { name: 'Hold' }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByText('The pool is held by 127.0.0.1: “upgrade”. New clients wait.').first().waitFor();
    await page.getByText('app: 0 of 2 backends take clients').waitFor();
    const client = await connected(sluice.port('web'));
    onTestFinished(() => void client.destroy());
    client.write('hello');
    await page.getByText(/1 client waits, the first for/).waitFor();
    await page.getByRole('button', { name: 'Release' }).click();
    await dialog.getByRole('button', { name: 'Release' }).click();
    expect(await nextText(client)).toBe('hello');
    await page.getByRole('button', { name: 'Hold' }).waitFor();
    await page.getByRole('link', { name: 'Events' }).click();
    await page.getByRole('main').getByText('app is released.').waitFor();
  });

  it('says of a pool that is released slowly that it is, and how fast', async () => {
    const change = (body: object) => sluice.api('PATCH pools/app', body);
    await change({ hold: { for: '5m', timeout: '1m' } });
    const clients = await Promise.all([1, 2, 3].map(() => connected(sluice.port('web'))));
    onTestFinished(() => clients.forEach((client) => void client.destroy()));
    await eventually(async () => expect((await sluice.status()).pools['app']?.queue).toBe(3));
    await change({ release: { rate: 0.01 } });
    const page = await openPage(urlOf('pools/app'));
    await page.getByText('Releasing, 0.01 a second').waitFor();
    await page.getByText('app: 2 of 2 backends take clients').waitFor();
    expect(await page.getByText('Held').count()).toBe(0);
    await page.getByRole('link', { name: 'Overview' }).first().click();
    await page.getByRole('list', { name: 'Pools' }).getByText('Releasing').waitFor();
    await change({ hold: null });
    await page.getByRole('list', { name: 'Pools' }).getByText('Releasing').waitFor({ state: 'detached' });
  });

  it('pauses a listener, so that its clients wait, and has it accept them again', async () => {
    const page = await openPage(urlOf());
    const card = page
      .getByRole('list', { name: 'Listeners' })
      .getByRole('listitem')
      .filter({ hasText: 'web' });
    await card.getByRole('button', { name: 'Pause' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Pause' }).click();
    await card.getByText('Paused: clients wait').waitFor();
    await card.getByText(/^accept paused in place of on, by 127\.0\.0\.1/).waitFor();
    const client = await connected(sluice.port('web'));
    onTestFinished(() => void client.destroy());
    client.write('hello');
    await page.getByRole('link', { name: 'Config' }).click();
    await page.getByText('accept paused in place of on').waitFor();
    await page.getByRole('link', { name: 'Overview' }).click();
    await card.getByRole('button', { name: 'Accept' }).click();
    await dialog.getByRole('button', { name: 'Accept' }).click();
    expect(await nextText(client)).toBe('hello');
    await card.getByRole('button', { name: 'Pause' }).waitFor();
  });

  it('closes a circuit by hand', async () => {
    for (let dials = 0; dials < 2; dials++) await visit(sluice.port('broken'));
    const page = await openPage(urlOf('pools/broken'));
    await row(page, dead).getByText('Breaker open').waitFor();
    expect(await row(page, dead).innerText()).toContain('ECONNREFUSED, nothing listens there');
    await row(page, dead).getByRole('link', { name: /^More/ }).click();
    await page.getByRole('button', { name: 'Close circuit' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Close circuit' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Open circuit' }).waitFor();
    expect((await sluice.status()).pools['broken']?.backends[0]?.circuit).toBe('closed');
  });

  it('changes a weight, marks it in the configuration, and undoes it', async () => {
    const [, second] = backends;
    const address = second?.address ?? '';
    const page = await openPage(urlOf(`pools/app/${encodeURIComponent(address)}`));
    await page.getByRole('button', { name: 'Weight' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Weight', { exact: true }).fill('50%');
    await dialog.getByRole('button', { name: 'Set weight' }).click();
    await page.getByText('changed by hand', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'Config' }).click();
    await page.getByText(`weight 50%`).first().waitFor();
    await page.getByRole('button', { name: /^Undo/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Undo' }).click();
    await page.getByText('Nothing: the file says it all.').waitFor();
  });

  it('explains what would become of a client', async () => {
    const page = await openPage(urlOf('explain'), { may: /400/ });
    await page.getByLabel('Listener').selectOption('constructor');
    await page.getByRole('button', { name: 'Explain' }).click();
    await page.getByText('Is served').waitFor();
    expect(await page.getByRole('main').innerText()).toContain('__proto__');
    await page.getByLabel('Client address').fill('nonsense');
    await page.getByRole('button', { name: 'Explain' }).click();
    expect(await page.getByRole('alert').innerText()).toMatch(/^client: Expected/);
  });

  it('filters sessions, and keeps the filter in the address', async () => {
    const client = await connected(sluice.port('web'));
    onTestFinished(() => void client.destroy());
    client.write('hello');
    await nextText(client);
    const page = await openPage(urlOf('sessions'), { may: /422/ });
    const local = `127.0.0.1:${client.localPort}`;
    await page.getByText(local, { exact: true }).waitFor();
    await page.getByLabel('Pool').selectOption('broken');
    await page.getByRole('button', { name: 'Show' }).click();
    await page.waitForURL(/pool=broken/);
    await page.getByText('No open session').waitFor();
    await page.getByLabel('Client').fill('not a network');
    await page.getByRole('button', { name: 'Show' }).click();
    expect(await page.getByRole('alert').innerText()).toContain('client');
    await page.getByRole('link', { name: 'Show all' }).click();
    await page.getByText(local, { exact: true }).waitFor();
  });

  it('shows names and addresses as the texts that they are', async () => {
    const page = await openPage(urlOf());
    await page.getByRole('link', { name: '__proto__' }).click();
    await row(page, 'unix:/nowhere/<b>&"odd".sock').waitFor();
    await page.goto(urlOf('pools/toString'));
    await page.getByText('There is no pool “toString”').waitFor();
  });

  it('shows of very many backends those first that take no clients', async () => {
    const page = await openPage(urlOf('pools/crowd'));
    const addresses = page.getByRole('row').getByRole('link', { name: /^127\.0\.0\.\d+:1$/ });
    await page.getByText('100 are shown').waitFor();
    expect([await addresses.count(), await addresses.first().innerText()]).toEqual([100, '127.0.0.130:1']);
    await page.getByRole('button', { name: 'Show all 130' }).click();
    await addresses.nth(129).waitFor();
    expect(await addresses.first().innerText()).toBe('127.0.0.1:1');
  });

  it('shows a backend that dies, and its return, without being asked', async () => {
    const [, second] = backends;
    const port = second?.port ?? 0;
    const page = await openPage(urlOf('pools/app'));
    await row(page, `:${port}`).getByText('Ready', { exact: true }).first().waitFor();
    await second?.close();
    await row(page, `:${port}`).getByText('Down', { exact: true }).first().waitFor();
    expect(await row(page, `:${port}`).innerText()).toContain('Connection refused');
    await page.getByRole('link', { name: 'Events' }).click();
    await page.getByText(`127.0.0.1:${port} in app is down. Connection refused.`).first().waitFor();
    const again = await startBackend(echo, { host: '127.0.0.1', port });
    backends = backends.map((one) => (one === second ? again : one));
    await page
      .getByText(new RegExp(`127.0.0.1:${port} in app is up`))
      .first()
      .waitFor();
  });

  it('says at once that the proxy is gone, and comes back by itself', async () => {
    const page = await openPage(urlOf('pools/app'), { may: /ERR_|Failed to load resource/ });
    await page.getByText('Live', { exact: true }).waitFor();
    await sluice.stop();
    await page.getByRole('alert').getByText('No connection to the proxy').waitFor();
    expect(await page.getByRole('button', { name: 'Drain' }).count()).toBe(0);
    sluice = await Sluice.run(config);
    await page.getByText('Live', { exact: true }).waitFor();
    await eventually(async () => expect(await page.getByRole('alert').count()).toBe(0));
    await page.getByText(`process ${sluice.pid}`).waitFor();
  });

  it('can be used with the keyboard alone', async () => {
    const page = await openPage(urlOf('pools/app'));
    await page
      .getByRole('button', { name: /^Drain/ })
      .first()
      .waitFor();
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Skip to the content');
    await page.keyboard.press('Enter');
    for (let tabs = 0; tabs < 20 && !(await focused(page)).startsWith('Drain'); tabs++)
      await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    // Numbers run on, and the focus stays.
    expect(await focused(page)).toMatch(/^Drain/);
  });

  const everyView = ['', 'pools/app', 'pools/sick', 'sessions', 'explain', 'events', 'configuration'];

  it.each(['light', 'dark'] as const)('has nothing that keeps people out, in %s', async (colorScheme) => {
    // What looks for it is put into the page, which its policy would refuse.
    const page = await openPage(urlOf(), { colorScheme, bypassCSP: true });
    await page.evaluate(axe.source);
    for (const view of [...everyView, `pools/sick/${encodeURIComponent(dead)}`]) {
      await page.goto(urlOf(view));
      await page.getByText('Live', { exact: true }).waitFor();
      if (view.startsWith('pools/sick/')) await page.getByRole('button', { name: 'Maintenance' }).click();
      const found = (await page.evaluate('axe.run()')) as axe.AxeResults; // What the line before asked for.
      const violations = found.violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]);
      expect([view, violations]).toEqual([view, []]);
    }
  });

  it('has room on 360 pixels', async () => {
    const page = await openPage(urlOf(), { viewport: { width: 360, height: 740 } });
    for (const view of everyView) {
      await page.goto(urlOf(view));
      await page.getByText('Live', { exact: true }).waitFor();
      await page.getByRole('heading', { level: 1 }).waitFor();
      expect([view, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([view, 360]);
    }
  });
});

describe.skipIf(!hasBrowser)(`The dashboard with tokens ${skippedWithout('chromium')}`, () => {
  it('wants a token, and shows who may only read no buttons', async () => {
    const backend = await startBackend(echo);
    const sluice = await Sluice.run(
      JSON.stringify({
        version: 1,
        listeners: { web: { bind: '127.0.0.1:0', pool: 'app' } },
        pools: { app: { backends: [backend.address] } },
        admin: {
          bind: '127.0.0.1:0',
          tokens: [
            { name: 'board', token: 'to-read', may: 'read' },
            { name: 'ci', token: 'to-operate', may: 'operate' },
          ],
        },
      }),
    );
    onTestFinished(async () => {
      await sluice.stop();
      await backend.close();
    });
    const page = await openPage(`http://127.0.0.1:${sluice.adminPort}/#/pools/app`, { may: /401/ });
    const signIn = async (token: string): Promise<void> => {
      await page.getByLabel('Token').fill(token);
      await page.getByRole('button', { name: 'Sign in' }).click();
    };
    await signIn('wrong');
    await page.getByRole('alert').getByText('does not know the token').waitFor();
    await signIn('to-read');
    await page.getByText('read only').waitFor();
    await row(page, backend.address).waitFor();
    expect(await page.getByRole('button', { name: 'Drain' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await signIn('to-operate');
    await page.getByRole('button', { name: 'Drain' }).waitFor();
    // The tab keeps it, and the address never has it.
    await page.reload();
    await page.getByRole('button', { name: 'Drain' }).waitFor();
    expect(page.url()).not.toContain('to-operate');
  });

  const row = (page: Page, address: string) => page.getByRole('row').filter({ hasText: address }).first();
});

function focused(page: Page): Promise<string> {
  return page.evaluate('document.activeElement?.textContent ?? ""');
}
