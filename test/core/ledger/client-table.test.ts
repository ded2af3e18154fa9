import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AddressWords, ClientTable } from '../../../src/core/ledger/client-table.ts';
import { Ledger } from '../../../src/core/ledger/ledger.ts';
import { capacity, sharedLedgers } from '../harness.ts';

/** One set: every client may stand in every place. */
const oneSet = { ...capacity, clients: 16 };

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

  it('has no place left once all 16 of a set have connections', () => {
    const table = tableOf(16);
    for (let client = 0; client < 16; client++) taken(table, 0, address(client));
    expect(table.place(0, address(16))).toBeUndefined();
    expect(table.place(0, address(3))).toBeDefined();
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

  it('spreads neighbouring addresses over its sets', () => {
    const table = tableOf(16 * 64);
    const sets = new Set(
      Array.from({ length: 1_024 }, (_, client) => Math.floor((table.place(0, address(client)) ?? -1) / 16)),
    );
    expect(sets.size).toBe(64);
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

function tableOf(clients: number): ClientTable {
  const of = { ...oneSet, clients };
  return new Ledger(new ArrayBuffer(Ledger.byteLength(of)), of, 0).clients;
}

/** The place of a client that has a connection. */
function taken(table: ClientTable, listener: number, words: AddressWords): number {
  const place = table.place(listener, words) ?? -1;
  table.active.tryTake(place, 1);
  return place;
}
