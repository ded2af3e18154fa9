import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AddressWords,
  type ClientCounts,
  type ClientKeys,
  ClientTable,
} from '../../../src/core/ledger/client-table.ts';
import { type HashKey, keyedHash } from '../../../src/core/ledger/keyed-hash.ts';
import { Ledger } from '../../../src/core/ledger/ledger.ts';
import { SharedCounts } from '../../../src/core/ledger/shared-counts.ts';
import { capacity, sharedLedgers } from '../harness.ts';

type PlainArea = ClientKeys & Omit<ClientCounts, 'active'>;

describe('ClientTable', () => {
  it('gives a client the same place as long as it stands there, in every worker', () => {
    const [one, other] = sharedLedgers(2).map((ledger) => ledger.clients);
    const place = one?.place(0, address(1));
    expect(one?.place(0, address(1))).toBe(place);
    expect(other?.place(0, address(1))).toBe(place);
  });

  it('tells clients of one listener from those of another, and every word of an address apart', () => {
    const table = tableOf(16);
    const clients: readonly (readonly [number, AddressWords])[] = [
      [0, [0, 0, 0, 0]],
      [0, [0, 0, 0, 1]],
      [1, [0, 0, 0, 1]],
      [0, [0, 0, 1, 0]],
      [0, [0, 1, 0, 0]],
      [0, [1, 0, 0, 0]],
      [0, [0, 0, 0, -1]],
    ];
    const places = clients.map(([listener, words]) => taken(table, listener, words));
    expect(new Set(places).size).toBe(clients.length);
    expect(clients.map(([listener, words]) => table.place(listener, words))).toEqual(places);
  });

  it('fills all of its places, and has none left then', () => {
    const table = tableOf(100);
    const places = Array.from({ length: 100 }, (_, client) => taken(table, 0, address(client)));
    expect(new Set(places).size).toBe(100);
    expect(table.place(0, address(100))).toBeUndefined();
    expect(table.place(0, address(3))).toBe(places[3]);
    table.active.release(places[50] ?? -1);
    expect(table.place(0, address(100))).toBe(places[50]);
    expect(table.find(0, address(50))).toBeUndefined();
  });

  it('gives away an idle place, and only that', () => {
    const table = tableOf(16);
    const places = Array.from({ length: 16 }, (_, client) => taken(table, 0, address(client)));
    table.active.release(places[7] ?? -1);
    expect(taken(table, 0, address(16))).toBe(places[7]);
    expect(places.map((place, client) => table.place(0, address(client)) === place)).toEqual(
      places.map((_, client) => client !== 7),
    );
  });

  it('gives away a free place before an idle one, and of the idle ones the longest unused', () => {
    const table = tableOf(16);
    for (let client = 0; client < 15; client++) {
      table.filledMs[table.place(0, address(client)) ?? -1] = 1_000 - client;
    }
    const oldest = table.place(0, address(14));
    const free = table.place(0, address(15)) ?? -1;
    expect(new Set([0, 14, 15].map((client) => table.place(0, address(client)))).size).toBe(3);
    table.filledMs[free] = 2_000;
    expect(table.place(0, address(99))).toBe(oldest);
  });

  it('starts a new client with a bucket never used', () => {
    const table = tableOf(16);
    for (let client = 0; client < 17; client++) {
      const place = table.place(0, address(client)) ?? -1;
      expect([table.tokens[place], table.filledMs[place]]).toEqual([0, 0]);
      table.tokens[place] = 5;
      table.filledMs[place] = 1 + client;
    }
  });

  it('tells 98,304 clients apart that have connections at once', () => {
    const table = tableOf(131_072);
    const places = Array.from({ length: 98_304 }, (_, client) => taken(table, 0, address(client)));
    expect(new Set(places).size).toBe(98_304);
  });

  it('finds the places that are left behind a long row of clients that stay', () => {
    const table = tableOf(10_000);
    const stay = Array.from({ length: 9_000 }, (_, client) => taken(table, 0, address(client)));
    for (let client = 9_000; client < 40_000; client++) {
      const place = taken(table, 0, address(client));
      expect(place).toBeGreaterThanOrEqual(0);
      table.active.release(place);
    }
    expect(stay.map((_, client) => table.find(0, address(client)))).toEqual(stay);
  });

  it('gives clients that collide for one key no common chain for another', () => {
    const chainOf = (words: AddressWords, key: HashKey): number => keyedHash(key, [0, ...words]) % 4_096;
    const all = Array.from({ length: 65_536 }, (_, client) => address(client));
    const target = chainOf(address(0), [0, 0]);
    const chosen = all.filter((words) => chainOf(words, [0, 0]) === target);
    expect(chosen.length).toBeGreaterThan(4);
    expect(new Set(chosen.map((words) => chainOf(words, [0x1234567, 0x89abcde]))).size).toBeGreaterThan(
      chosen.length - 3,
    );
  });

  it('goes on whole wherever a worker dies as it gives a place away', () => {
    let deaths = 0;
    for (let deadAfter = 0; deadAfter < 16; deadAfter++) {
      const area = plainArea(8);
      const totals = new Int32Array(8);
      const counts = () => new SharedCounts({ totals, shares: [] }, new Int32Array(8));
      const table = new ClientTable(area, { ...area, active: counts() });
      for (let client = 0; client < 8; client++) table.place(0, address(client));
      const dead = mortal(area, deadAfter);
      const dying = new ClientTable(dead, { ...dead, active: counts() });
      try {
        dying.place(0, address(100));
      } catch {
        deaths++;
      }
      const places = Array.from({ length: 8 }, (_, client) => taken(table, 0, address(200 + client)));
      expect(new Set(places).size).toBe(8);
      expect(places.map((_, client) => table.find(0, address(200 + client)))).toEqual(places);
    }
    expect(deaths).toBeGreaterThan(5);
    expect(deaths).toBeLessThan(16);
  });

  it('never forgets a client that has a connection, whoever else comes', () => {
    const step = fc.record({ client: fc.nat(40), leaves: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const table = tableOf(32);
        const held = new Map<number, { readonly place: number; count: number }>();
        for (const { client, leaves } of steps) {
          const mine = held.get(client);
          if (leaves && mine !== undefined) {
            table.active.release(mine.place);
            if (--mine.count === 0) held.delete(client);
          } else {
            const place = table.place(0, address(client));
            if (mine !== undefined) expect(place).toBe(mine.place);
            if (place === undefined) continue;
            table.active.tryTake(place, 1_000);
            held.set(client, { place, count: (mine?.count ?? 0) + 1 });
          }
          for (const { place, count } of held.values()) expect(table.active.total(place)).toBe(count);
        }
      }),
    );
  });
});

function address(client: number): AddressWords {
  return [0, 0, 0xffff, 0x0a_00_00_00 + client];
}

function plainArea(clients: number): PlainArea {
  return {
    keys: new Int32Array(clients * 5),
    heads: new Int32Array(clients),
    next: new Int32Array(clients),
    state: new Int32Array(ClientTable.stateWords),
    tokens: new Float64Array(clients),
    filledMs: new Float64Array(clients),
  };
}

/** The same memory, seen by a worker that dies after so many stores. */
function mortal(area: PlainArea, stores: number): PlainArea {
  let left = stores;
  const live = (): void => {
    if (left-- === 0) throw new Error('dead');
  };
  const seen = <T extends object>(array: T): T =>
    new Proxy(array, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (name === 'set') live();
        return typeof value === 'function' ? value.bind(target) : value;
      },
      set(target, name, value) {
        live();
        return Reflect.set(target, name, value, target);
      },
    });
  const { keys, heads, next, state, tokens, filledMs } = area;
  return {
    ...area,
    keys: seen(keys),
    heads: seen(heads),
    next: seen(next),
    state: seen(state),
    tokens: seen(tokens),
    filledMs: seen(filledMs),
  };
}

function tableOf(clients: number): ClientTable {
  const of = { ...capacity, clients };
  return new Ledger(new ArrayBuffer(Ledger.byteLength(of)), of, 0).clients;
}

/** The place of a client that has a connection. */
function taken(table: ClientTable, listener: number, words: AddressWords): number {
  const place = table.place(listener, words) ?? -1;
  table.active.tryTake(place, 1);
  return place;
}
