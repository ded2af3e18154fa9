/** A thread that answers A with 10.0.0.1, SRV with one record, and AAAA with nothing (RFC 1035, 4.1). */
import { createSocket } from 'node:dgram';
import { parentPort } from 'node:worker_threads';

const types = { A: 1, SRV: 33 };
const socket = createSocket('udp4');
socket.on('message', (query, from) => {
  const end = query.indexOf(0, 12) + 5;
  const type = query.readUInt16BE(end - 4);
  const body = type === types.A ? Buffer.from([10, 0, 0, 1]) : type === types.SRV ? service() : undefined;
  const header = Buffer.from([0, 0, 0x81, 0x80, 0, 1, 0, body === undefined ? 0 : 1, 0, 0, 0, 0]);
  query.copy(header, 0, 0, 2);
  const answer = [header, query.subarray(12, end)];
  // The name is a pointer to the question's; class IN, a minute to live.
  if (body !== undefined)
    answer.push(Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, body.length]), body);
  socket.send(Buffer.concat(answer), from.port, from.address);
});
socket.bind(0, '127.0.0.1', () => parentPort?.postMessage(`127.0.0.1:${socket.address().port}`));

function service() {
  const target = Buffer.from('\x03app\x04test\0', 'latin1');
  return Buffer.concat([Buffer.from([0, 0, 0, 0, 5432 >> 8, 5432 & 255]), target]);
}
