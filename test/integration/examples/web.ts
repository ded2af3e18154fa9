import type { Socket } from 'node:net';

/** Answers each connection's request with a line, and closes: one request is one session. */
export function web(line: string): (socket: Socket) => void {
  const body = `${line}\n`;
  return (socket) => {
    let head = '';
    socket.on('data', (bytes: Buffer) => {
      head += bytes.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
    });
    // Who leaves without a request is let go.
    socket.on('end', () => socket.end());
  };
}
