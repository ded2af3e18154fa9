/** Open sessions as rows of a table. */
import type { TableColumn } from '../text-table.ts';
import { bytesText } from './sizes.ts';
import { roughly } from './times.ts';

/** One as the API lists it, as far as it is shown. */
export interface ListedSession {
  readonly id: string;
  readonly state: string;
  readonly listener: string;
  readonly client: string;
  readonly pool?: string;
  readonly backend?: string;
  readonly ageMs: number | null;
  readonly idleMs: number | null;
  readonly bytesToBackend: number;
  readonly bytesToClient: number;
}

export interface ListedSessions {
  readonly sessions: readonly ListedSession[];
  readonly cursor: string | null;
}

/** 80 columns have room for all, with addresses of IPv4. */
export const sessionColumns: readonly TableColumn<ListedSession>[] = [
  { heading: 'id', is: 'word', text: ({ id }) => id },
  { heading: 'client', is: 'word', text: ({ client }) => client },
  { heading: 'state', is: 'word', text: ({ state }) => state },
  { heading: 'backend', is: 'word', text: ({ backend }) => backend ?? '' },
  { heading: 'age', is: 'number', text: ({ ageMs }) => roughly(ageMs ?? 0) },
  { heading: 'idle', is: 'number', text: ({ idleMs }) => roughly(idleMs ?? 0) },
  { heading: 'to client', is: 'number', text: ({ bytesToClient }) => bytesText(bytesToClient) },
  { heading: 'to backend', is: 'number', text: ({ bytesToBackend }) => bytesText(bytesToBackend) },
  { heading: 'pool', is: 'word', text: ({ pool }) => pool ?? '' },
  { heading: 'listener', is: 'word', text: ({ listener }) => listener },
];
