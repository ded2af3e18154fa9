/** Sockets by direct system calls: what the ring has no operation for, or a slower one. */
import type { Address } from '../../core/contract.ts';
import { Endpoint } from '../../core/net/endpoint.ts';
import { backlog, keepAliveDelayMs } from '../shared.ts';
import { decodeBound, decodeEndpoint, encodeAddress, familyOf, sockaddrBytes } from './addresses.ts';
import * as kernel from './kernel.ts';
import { type Libc, systemError } from './libc.ts';
import { attachFilter, noFirstSyn } from './socket-filter.ts';

export class Sockets {
  readonly #libc: Libc;
  readonly #sockaddr = new Uint8Array(sockaddrBytes);
  readonly #sockaddrLength = new Uint32Array(1);
  readonly #byte = new Uint8Array(1);
  readonly #peer = new Uint8Array(sockaddrBytes);
  readonly #tcpInfo = new Uint32Array(kernel.tcpInfo.words);
  readonly #tcpInfoBytes = new Uint32Array(1);
  /** Addresses of backends are the same objects for as long as a plan lives. */
  readonly #encoded = new WeakMap<Address, Uint8Array>();

  constructor(libc: Libc) {
    this.#libc = libc;
  }

  readonly #zoneOf = (scope: number): string | undefined =>
    this.#libc.ifIndexToName(scope, new Uint8Array(longestInterfaceName)) ?? undefined;

  encode(address: Address): Uint8Array {
    const known = this.#encoded.get(address);
    if (known !== undefined) return known;
    const sockaddr = encodeAddress(address, (name) => this.#libc.ifNameToIndex(name));
    this.#encoded.set(address, sockaddr);
    return sockaddr;
  }

  /** A socket to connect with, or the error's number below zero. */
  open(sockaddr: Uint8Array): number {
    const family = familyOf(sockaddr);
    const fd = this.#libc.socket(family, kernel.SOCK_STREAM | kernel.SOCK_CLOEXEC, 0);
    if (fd < 0) return -this.#libc.errno();
    if (family !== kernel.AF_UNIX) this.#set(fd, kernel.IPPROTO_TCP, kernel.TCP_NODELAY, one);
    return fd;
  }

  /** `beforeListen` is called when the address is bound. Throws a system error. */
  listen(sockaddr: Uint8Array, shared: boolean, beforeListen?: () => void): number {
    const fd = this.open(sockaddr);
    if (fd < 0) throw systemError('socket', -fd);
    try {
      if (familyOf(sockaddr) !== kernel.AF_UNIX) {
        // Accepted sockets inherit it, as they do TCP_NODELAY.
        this.keepAlive(fd);
        this.#set(fd, kernel.SOL_SOCKET, kernel.SO_REUSEADDR, one);
        if (shared) this.#set(fd, kernel.SOL_SOCKET, kernel.SO_REUSEPORT, one);
      }
      if (familyOf(sockaddr) === kernel.AF_INET6)
        this.#set(fd, kernel.IPPROTO_IPV6, kernel.IPV6_V6ONLY, zero);
      this.#check('bind', this.#libc.bind(fd, sockaddr, sockaddr.length));
      beforeListen?.();
      this.#check('listen', this.#libc.listen(fd, backlog));
      return fd;
    } catch (error) {
      this.#libc.close(fd);
      throw error;
    }
  }

  /** Binds a socket that never listens to the address, and gives it up. Throws a system error. */
  tryBinding(address: Address): void {
    const sockaddr = this.encode(address);
    const fd = this.open(sockaddr);
    if (fd < 0) throw systemError('socket', -fd);
    try {
      this.#set(fd, kernel.SOL_SOCKET, kernel.SO_REUSEADDR, one);
      if (familyOf(sockaddr) === kernel.AF_INET6)
        this.#set(fd, kernel.IPPROTO_IPV6, kernel.IPV6_V6ONLY, zero);
      this.#check('bind', this.#libc.bind(fd, sockaddr, sockaddr.length));
    } finally {
      this.#libc.close(fd);
    }
  }

  boundTo(fd: number): Address {
    this.#sockaddrLength[0] = sockaddrBytes;
    this.#check('getsockname', this.#libc.getsockname(fd, this.#sockaddr, this.#sockaddrLength));
    return decodeBound(this.#sockaddr, this.#sockaddrLength[0], this.#zoneOf);
  }

  /** Our end of a connection. */
  local(fd: number): Endpoint {
    this.#sockaddrLength[0] = sockaddrBytes;
    if (this.#libc.getsockname(fd, this.#sockaddr, this.#sockaddrLength) < 0) return Endpoint.unix;
    return decodeEndpoint(this.#sockaddr, this.#zoneOf);
  }

  /**
   * Connects to a unix socket, which takes no time. 0, or the error's number: EAGAIN where its queue is full. Not the
   * ring's operation: a thread of the kernel's would wait in it for room.
   */
  connectUnix(fd: number, sockaddr: Uint8Array): number {
    this.unblock(fd);
    const errno = this.#libc.connect(fd, sockaddr, sockaddr.length) < 0 ? this.#libc.errno() : 0;
    if (errno === 0) this.#libc.fcntl(fd, kernel.F_SETFL, 0);
    return errno;
  }

  /** Calls of ours on the descriptor do not block from now on; operations of the ring would not wait either. */
  unblock(fd: number): void {
    this.#libc.fcntl(fd, kernel.F_SETFL, kernel.O_NONBLOCK);
  }

  /** A connection that waits to be accepted, or the error's number below zero: EAGAIN, once none does. */
  acceptNow(fd: number): number {
    this.#sockaddrLength[0] = sockaddrBytes;
    const accepted = this.#libc.accept4(fd, this.#peer, this.#sockaddrLength, kernel.SOCK_CLOEXEC);
    return accepted < 0 ? -this.#libc.errno() : accepted;
  }

  /** The other end of the connection that was accepted last. */
  get acceptedPeer(): Endpoint {
    return decodeEndpoint(this.#peer, this.#zoneOf);
  }

  /**
   * The kernel gives this socket no further client: each goes to another socket that listens there or is refused
   * at once. Handshakes under way are completed, for they are found by themselves. Another socket may be bound there.
   * Says whether it is so.
   */
  passBy(fd: number): boolean {
    this.#set(fd, kernel.SOL_SOCKET, kernel.SO_REUSEPORT, one);
    return this.#set(fd, kernel.SOL_SOCKET, kernel.SO_BINDTOIFINDEX, noInterface) === 0;
  }

  /** Undoes that. Returns whether it may: it takes CAP_NET_RAW. */
  passByNoMore(fd: number): boolean {
    return this.#set(fd, kernel.SOL_SOCKET, kernel.SO_BINDTOIFINDEX, zero) === 0;
  }

  /**
   * The socket that listens begins no further handshake; those under way are completed. A client that asks for one
   * gets no answer, and asks again a second later.
   */
  refuseHandshakes(fd: number): void {
    attachFilter(this.#libc, fd, noFirstSyn);
  }

  /** Undoes that, also for accepted sockets, which inherit it. */
  admitHandshakes(fd: number): void {
    this.#set(fd, kernel.SOL_SOCKET, kernel.SO_DETACH_FILTER, zero);
  }

  /** No client can connect to the unix socket any more; those that have connected can still be accepted. */
  refuseNew(fd: number): void {
    this.#libc.shutdown(fd, kernel.SHUT_RD);
  }

  /**
   * Sends a few bytes at once, in one segment with those that follow. 0 where the kernel has taken them all: 4 KiB
   * have room in any socket that is new (tcp_wmem in tcp(7)). Otherwise the error's number.
   */
  sendNow(fd: number, bytes: Uint8Array, areFollowed: boolean): number {
    const flags = kernel.MSG_NOSIGNAL | kernel.MSG_DONTWAIT | (areFollowed ? kernel.MSG_MORE : 0);
    const sent = this.#libc.send(fd, bytes, bytes.length, flags);
    if (sent === bytes.length) return 0;
    return sent < 0 ? this.#libc.errno() : kernel.EAGAIN;
  }

  /** What is next of what has come: 'bytes', 'fin', or 'nothing' that could be told. Takes nothing away. */
  next(fd: number): 'bytes' | 'fin' | 'nothing' {
    const seen = this.#libc.recv(fd, this.#byte, 1, kernel.MSG_PEEK | kernel.MSG_DONTWAIT);
    if (seen < 0) return 'nothing';
    return seen === 0 ? 'fin' : 'bytes';
  }

  /** Whether the peer has reset the connection and nothing is left to read; it is told once. */
  wasReset(fd: number): boolean {
    const seen = this.#libc.recv(fd, this.#byte, 1, kernel.MSG_PEEK | kernel.MSG_DONTWAIT);
    return seen < 0 && this.#libc.errno() === kernel.ECONNRESET;
  }

  /** Whether a client waits to be accepted. */
  hasWaiting(fd: number): boolean {
    const descriptor = Int32Array.of(fd, kernel.POLLIN);
    return this.#libc.poll(new Uint8Array(descriptor.buffer), 1, 0) > 0;
  }

  /** How many clients wait to be accepted; Infinity of a unix socket, which does not tell. */
  waiting(fd: number): number {
    const { IPPROTO_TCP, TCP_INFO, tcpInfo } = kernel;
    this.#tcpInfoBytes[0] = this.#tcpInfo.byteLength;
    const result = this.#libc.getsockopt(fd, IPPROTO_TCP, TCP_INFO, this.#tcpInfo, this.#tcpInfoBytes);
    return result < 0 ? Number.POSITIVE_INFINITY : (this.#tcpInfo[tcpInfo.waiting] ?? 0);
  }

  /** Sends FIN. Not the ring's operation: that is always handed to a thread, which is slow, and may come late. */
  finish(fd: number): void {
    this.#libc.shutdown(fd, kernel.SHUT_WR);
  }

  /** Whenever this socket is closed, RST is sent instead of FIN. A unix socket knows none. */
  resetAtClose(fd: number): void {
    this.#set(fd, kernel.SOL_SOCKET, kernel.SO_LINGER, noLinger);
  }

  close(fd: number): void {
    this.#libc.close(fd);
  }

  /** Has the kernel ask a silent peer whether it is still there. */
  keepAlive(fd: number): void {
    this.#set(fd, kernel.SOL_SOCKET, kernel.SO_KEEPALIVE, one);
    this.#set(fd, kernel.IPPROTO_TCP, kernel.TCP_KEEPIDLE, keepAliveAfterSeconds);
  }

  #set(fd: number, level: number, name: number, value: Int32Array): number {
    return this.#libc.setsockopt(fd, level, name, value, value.byteLength);
  }

  #check(call: string, result: number): void {
    if (result < 0) throw systemError(call, this.#libc.errno());
  }
}

/** IF_NAMESIZE, its closing zero included. */
const longestInterfaceName = 16;

const zero = Int32Array.of(0);
const one = Int32Array.of(1);
/** No network interface has this number, and none needs to: the kernel does not look. */
const noInterface = Int32Array.of(0x7fff_ffff);
const keepAliveAfterSeconds = Int32Array.of(keepAliveDelayMs / 1_000);
/** struct linger: on, and no time at all. */
const noLinger = Int32Array.of(1, 0);
