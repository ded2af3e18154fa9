import { open } from 'node:fs/promises';
import { Command } from 'commander';
import { type InquiryText, parseInquiry } from '../../config/inquiry.ts';
import { systemErrorText } from '../../config/named-files.ts';
import { explain } from '../../core/explain/explain.ts';
import { type ExitCode, exitCodes, UsageError, withNotes } from '../command.ts';
import { type ConfigArguments, configFile, readConfig, withConfigFile } from '../config-file.ts';
import { idleProxy } from '../idle-proxy.ts';
import { explanationText } from './text.ts';

interface ExplainArguments extends ConfigArguments {
  readonly listener: string;
  readonly client: string;
  readonly sni?: string;
  readonly alpn?: string;
  readonly host?: string;
  readonly protocol?: string;
  readonly bytesFile?: string;
  readonly json?: true;
}

/** More than a PROXY protocol header and all that `inspect.maxBytes` can be. */
const mostBytes = 128 * 1024;

export function explainCommand(ends: (code: ExitCode) => void): Command {
  const command = withConfigFile(new Command('explain'))
    .description(
      'Say what would become of a client: which route it takes, and to which backend; nothing is sent',
    )
    .requiredOption('--listener <name>', 'where it connects')
    .requiredOption('--client <address>', 'its IP address, or unix')
    .option('--sni <name>', 'the name that its TLS hello asks for')
    .option('--alpn <names>', 'the protocols that its TLS hello offers, with commas between')
    .option('--host <name>', 'the Host of its HTTP request')
    .option('--protocol <name>', 'what it speaks: ssh, tls, http, postgres, redis or unknown')
    .option('--bytes-file <file>', 'the first bytes that it sends, a PROXY protocol header included')
    .option('--json', 'print the explanation as JSON');
  withNotes(
    command,
    'What is not said of a message is absent from it; a client of which nothing is said is silent. With the live state: POST /api/v1/explain.',
    'Example: sluice explain config/sni.yaml --listener https --client 10.1.2.3 --sni api.example.com',
  );
  return command.action(async (argument: string | undefined, given: ExplainArguments) => {
    const config = await readConfig(configFile(argument, given));
    if (config === undefined) return ends(exitCodes.usage);
    const { plan, ledger } = idleProxy(config);
    const inquiry = parseInquiry(
      await inquiryText(given),
      config.listeners.map(({ name }) => name),
    );
    if ('key' in inquiry) throw mistake(given, inquiry.key, inquiry.expected);
    // Nothing has happened yet, so that any time will do.
    const explanation = explain(plan, ledger, inquiry, 0, Math.random);
    process.stdout.write(
      given.json ? `${JSON.stringify(explanation, null, 2)}\n` : explanationText(explanation),
    );
    ends(exitCodes.done);
  });
}

async function inquiryText({ alpn, bytesFile, ...given }: ExplainArguments): Promise<InquiryText> {
  return {
    ...given,
    alpn: alpn?.split(',').map((name) => name.trim()),
    bytes: bytesFile === undefined ? undefined : await firstBytesOf(bytesFile),
  };
}

async function firstBytesOf(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(mostBytes), 0, mostBytes, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new UsageError(`--bytes-file: Expected a file that can be read: ${systemErrorText(error)}`);
  }
}

function mistake(given: ExplainArguments, key: keyof InquiryText, expected: string): UsageError {
  const found = key === 'bytes' ? given.bytesFile : given[key];
  return new UsageError(`--${key}: Expected ${expected}, found "${found}"`);
}
