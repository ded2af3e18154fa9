import { mkdtemp, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Address } from '../../src/core/contract.ts';
import { inTime } from './peers.ts';
import type { Rig } from './rig.ts';
import type { Spec } from './spec.ts';

const answer = Buffer.from('HTTP/1.1 413 Payload Too Large\r\nConnection: close\r\n\r\nno more');
/** More than is read in one go. A backend that sends it and closes has nothing left to tell. */
const longAnswer = Buffer.concat([answer, Buffer.alloc(150_000, 'a')]);
const clients = 40;

/** Who answers and closes without reading is heard: an error of one direction never discards the other's bytes. */
export function earlyAnswer(spec: Spec): void {
  spec('Driver delivers what a unix backend answers that closes without reading', async (rig) => {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-'));
    try {
      await rig.backend(answerAndClose, { path: join(directory, 'backend') }, { pauseOnConnect: true });
      await expectAnswers(rig, await rig.listen(), 4_096);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  spec(
    'Driver delivers all that a unix backend answers at length and closes without reading',
    async (rig) => {
      const directory = await mkdtemp(join(tmpdir(), 'sluice-'));
      try {
        const serve = (socket: Socket): void => void socket.write(longAnswer, () => socket.destroy());
        await rig.backend(serve, { path: join(directory, 'backend') }, { pauseOnConnect: true });
        for (const bytes of [100, 1024 * 1024])
          await expectAnswers(rig, await rig.listen(), bytes, longAnswer);
      } finally {
        await rm(directory, { recursive: true });
      }
    },
  );

  spec('Driver delivers what a unix backend answers that closes in the middle of an upload', async (rig) => {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-'));
    try {
      await rig.backend(answerAndClose, { path: join(directory, 'backend') }, { pauseOnConnect: true });
      await expectAnswers(rig, await rig.listen(), 1024 * 1024);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  spec('Driver delivers what a TCP backend answers that stops reading and finishes', async (rig) => {
    // It reads on what the kernel has, so that no RST of its own system overtakes the answer.
    await rig.backend((socket) => {
      socket.once('data', () => socket.end(answer));
    });
    await expectAnswers(rig, await rig.listen(), 256 * 1024);
  });
}

/** Its system sends RST, or what unix sockets have for that, once it finds bytes that nobody read. */
function answerAndClose(socket: Socket): void {
  socket.write(answer, () => socket.destroy());
}

async function expectAnswers(
  rig: Rig,
  address: Address,
  uploadBytes: number,
  expected = answer,
): Promise<void> {
  const upload = Buffer.alloc(uploadBytes, 'u');
  const heard: string[] = [];
  for (let number = 0; number < clients; number++) {
    const client = await rig.client(address);
    const answered = new Promise<string>((resolve) => {
      const chunks: Buffer[] = [];
      client.on('data', (chunk: Buffer) => chunks.push(chunk));
      client.on('close', () => resolve(Buffer.concat(chunks).toString()));
    });
    client.end(upload);
    heard.push(await inTime(answered, 'answer'));
  }
  expect(heard.map((text) => text.length)).toEqual(heard.map(() => expected.length));
  expect(heard.every((text) => text === expected.toString())).toBe(true);
}
