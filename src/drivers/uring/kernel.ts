/**
 * Numbers and layouts of the Linux kernel that this driver relies on. All of it is ABI, which Linux never changes.
 * Names are the kernel's own, so that they can be looked up:
 * - `linux/io_uring.h` (also in the man pages io_uring_setup(2), io_uring_enter(2), io_uring_register(2)),
 * - `linux/filter.h`, `linux/bpf_common.h`, `asm-generic/socket.h`, `linux/tcp.h`, `linux/in6.h`, `asm-generic/mman.h`, `asm-generic/errno.h`.
 *
 * The asm-generic numbers hold on the architectures below; 64-bit fields are written as two words, low one first.
 */
export const knownArchitectures: readonly string[] = ['x64', 'arm64', 'riscv64', 'loong64'];

/** System calls that came after 5.0 have one number on every architecture. */
export const SYS_io_uring_setup = 425;
export const SYS_io_uring_enter = 426;
export const SYS_io_uring_register = 427;

export const IORING_SETUP_CQSIZE = 1 << 3;
export const IORING_SETUP_CLAMP = 1 << 4;
export const IORING_SETUP_SUBMIT_ALL = 1 << 7;
export const IORING_SETUP_SINGLE_ISSUER = 1 << 12;
export const IORING_SETUP_DEFER_TASKRUN = 1 << 13;
/** Since 6.6. */
export const IORING_SETUP_NO_SQARRAY = 1 << 16;

export const IORING_FEAT_SINGLE_MMAP = 1 << 0;
export const IORING_FEAT_NODROP = 1 << 1;
export const IORING_FEAT_SUBMIT_STABLE = 1 << 2;
export const IORING_FEAT_EXT_ARG = 1 << 8;
/** Since 6.12. */
export const IORING_FEAT_MIN_TIMEOUT = 1 << 15;

export const IORING_OFF_SQ_RING = 0;
export const IORING_OFF_SQES = 0x10000000;

export const IORING_ENTER_GETEVENTS = 1 << 0;
export const IORING_ENTER_EXT_ARG = 1 << 3;

export const IORING_REGISTER_PBUF_RING = 22;

export const IORING_OP_POLL_ADD = 6;
export const IORING_OP_ASYNC_CANCEL = 14;
export const IORING_OP_CONNECT = 16;
export const IORING_OP_CLOSE = 19;
export const IORING_OP_SEND = 26;
export const IORING_OP_RECV = 27;

export const IOSQE_BUFFER_SELECT = 1 << 5;
export const IOSQE_CQE_SKIP_SUCCESS = 1 << 6;
export const IORING_RECV_MULTISHOT = 1 << 1;
export const IORING_ASYNC_CANCEL_ALL = 1 << 0;
export const IORING_ASYNC_CANCEL_FD = 1 << 1;

export const IORING_CQE_F_BUFFER = 1 << 0;
export const IORING_CQE_F_MORE = 1 << 1;
export const IORING_CQE_BUFFER_SHIFT = 16;

/** `struct io_uring_params`: 120 bytes, of which these are read and written; offsets in 32-bit words. */
export const params = {
  words: 30,
  sqEntries: 0,
  cqEntries: 1,
  flags: 2,
  features: 5,
  sqOffsets: { head: 10, tail: 11, ringMask: 12, array: 16 },
  cqOffsets: { head: 20, tail: 21, ringMask: 22, cqes: 25 },
} as const;

/** `struct io_uring_sqe`: 64 bytes; offsets in 32-bit words. */
export const sqe = {
  words: 16,
  opcodeFlagsIoprio: 0,
  fd: 1,
  offset: 2,
  address: 4,
  length: 6,
  operationFlags: 7,
  userData: 8,
  bufferGroup: 10,
  /** `optlen`: with a multishot receive, how many bytes it ends after. Since 6.17. */
  mostBytes: 11,
} as const;

/** `struct io_uring_cqe`: 16 bytes; offsets in 32-bit words. */
export const cqe = { words: 4, userData: 0, result: 2, flags: 3 } as const;

/** `struct io_uring_buf`: 16 bytes. The ring's tail lies in the last two bytes of the first one. */
export const bufferEntry = { bytes: 16, idHalfWord: 6, tailHalfWord: 7 } as const;

/**
 * `struct tcp_info`: its beginning, with `tcpi_unacked`, which of a socket that listens is how many connections wait to
 * be accepted; offsets in 32-bit words.
 */
export const tcpInfo = { words: 7, waiting: 6 } as const;

export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_STREAM = 1;
export const SOCK_CLOEXEC = 0o2000000;
export const SOCK_NONBLOCK = 0o4000;

export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_KEEPALIVE = 9;
export const SO_LINGER = 13;
export const SO_REUSEPORT = 15;
export const SO_ATTACH_FILTER = 26;
export const SO_DETACH_FILTER = 27;
export const SO_BINDTOIFINDEX = 62;
export const IPPROTO_TCP = 6;
export const TCP_NODELAY = 1;
export const TCP_KEEPIDLE = 4;
export const TCP_INFO = 11;
export const IPPROTO_IPV6 = 41;
export const IPV6_V6ONLY = 26;

export const BPF_LD = 0x00;
export const BPF_ALU = 0x04;
export const BPF_JMP = 0x05;
export const BPF_RET = 0x06;
export const BPF_B = 0x10;
export const BPF_ABS = 0x20;
export const BPF_AND = 0x50;
export const BPF_JEQ = 0x10;
export const BPF_K = 0x00;
export const TH_SYN = 0x02;
export const TH_ACK = 0x10;

export const MSG_PEEK = 0x02;
export const MSG_DONTWAIT = 0x40;
export const MSG_WAITALL = 0x100;
export const MSG_NOSIGNAL = 0x4000;
export const MSG_MORE = 0x8000;
export const SHUT_RD = 0;
export const SHUT_WR = 1;
export const F_SETFL = 4;
export const O_NONBLOCK = 0o4000;
export const POLLIN = 1;
export const POLLERR = 0x8;
export const POLLRDHUP = 0x2000;
export const EFD_CLOEXEC = 0o2000000;
export const EFD_NONBLOCK = 0o4000;

export const MAP_SHARED = 0x01;
export const MAP_PRIVATE = 0x02;
export const MAP_ANONYMOUS = 0x20;
export const MAP_NORESERVE = 0x4000;
export const MAP_POPULATE = 0x8000;
export const MADV_DONTNEED = 4;
export const MADV_NOHUGEPAGE = 15;

export const EPERM = 1;
export const EINTR = 4;
export const EBADF = 9;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EBUSY = 16;
export const EINVAL = 22;
export const ENFILE = 23;
export const EMFILE = 24;
export const EPIPE = 32;
export const ENOSYS = 38;
export const ETIME = 62;
export const ENOBUFS = 105;
export const ECONNRESET = 104;
export const ECONNREFUSED = 111;
export const ECANCELED = 125;
