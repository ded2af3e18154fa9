import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * A subject of the bench: a proxy that runs as a process of its own and forwards one port to another. To add
 * one, write what it is started with and name it in `index.ts`; nothing else knows the subjects apart.
 */
export interface Subject {
  readonly name: string;
  /** What it is, in a few words for the report. */
  readonly about: string;
  /** How many cores it is given, each to itself where the machine has enough. */
  readonly cores: number;
  /** The version that would run, or what to do to have one. */
  presence(): Promise<Presence>;
  /** Whether SIGHUP makes it read its configuration again. */
  readonly reloads?: true;
  /** What it can do beside plain forwarding; without, nothing. */
  readonly skills?: readonly Skill[];
  /** How to start it. Without, there is no proxy: the load goes straight to the backend. */
  readonly launch?: (route: Route) => Launch;
}

export type Presence = { readonly version: string } | { readonly missing: string };

/** Something that a scenario may ask for beside plain forwarding. Without any, a subject only forwards. */
export interface Setting {
  /** Follows the subject's name where a scenario measures it in several settings. */
  readonly name?: string;
  /** Clients come with TLS and the backend gets plain bytes. */
  readonly tls?: true;
  /**
   * So many rules choose the backend by the server name of a ClientHello, which goes there untouched. With any
   * rule, a client that matches none is lost, so that a mistaken choice is seen.
   */
  readonly sniRules?: number;
  /** Whether a line is written for each finished connection. */
  readonly sessionLog?: boolean;
}

export type Skill = Exclude<keyof Setting, 'name'>;

/** What the clients of `sniRules` ask for: the last rule is about it, the others are about other names. */
export function sniNames(rules: number): readonly string[] {
  return Array.from({ length: rules }, (_, rule) =>
    rule === rules - 1 ? serverName : `host-${rule}.example.com`,
  );
}

/** The server name in every ClientHello of the bench. */
export const serverName = 'bench.example.com';

/** Both ports are on 127.0.0.1; `directory` exists, is empty and goes away afterwards. */
export interface Route {
  readonly listenPort: number;
  readonly backendPort: number;
  readonly directory: string;
  readonly setting: Setting;
  /** Where clients come with TLS: what to answer them with. */
  readonly certificate?: CertificateFiles;
}

/** Paths of PEM files. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
  /** Both in one file. */
  readonly bundle: string;
}

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  /** A file of `directory` to write first, and shown in the report. */
  readonly config?: { readonly file: string; readonly text: string };
  /** Another text for that file, to reload with. */
  readonly otherText?: string;
  /** The file of `directory` that standard output goes to; without, it goes nowhere. */
  readonly output?: string;
}

/** The first thing in what `command` prints that `pattern` captures; undefined where it can't be run. */
export async function printed(command: string, args: string[], pattern: RegExp): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await promisify(execFile)(command, args, { timeout: 20_000 });
    return pattern.exec(stdout + stderr)?.[1];
  } catch {
    return undefined;
  }
}
