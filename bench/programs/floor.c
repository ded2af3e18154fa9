/*
 * The least that a proxy on io_uring does: it accepts, dials, and moves bytes with multishot receives into buffers that
 * the kernel takes from one ring. It has no policy, no limits, no time-outs and no log, and does not hold back a sender
 * that is faster than its receiver. What it costs is nearly all the kernel's, so that it shows how far a proxy can go.
 *
 *     floor LISTEN-PORT BACKEND-PORT      both on 127.0.0.1
 *
 * It needs a C compiler and the kernel's headers, not liburing. See io_uring(7).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/io_uring.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ENTRIES = 1024, COMPLETIONS = 16384, MOST_FDS = 65536 };
/* The kernel takes them in turn: 256 stay in the processor's caches, as the first of sluice do; 4096 would not. */
enum { BUFFERS = 256, BUFFER_BYTES = 16384 };
enum { ACCEPT, CONNECT, RECEIVE, SEND };

/* One end of a connection; `queue` is what waits to be sent to it, the first of which is being sent. */
struct link {
  int fd, peer, first, last, operations;
  unsigned length;
  char receives, sends, got_fin, sent_fin, broken;
};
struct chunk {
  int next;
  unsigned length;
};

static struct link links[MOST_FDS];
static struct chunk chunks[BUFFERS];
static char *memory;
static struct io_uring_buf_ring *buffers;
static unsigned short buffers_tail;
static unsigned *sq_head, *sq_tail, *cq_head, *cq_tail, sq_mask, cq_mask;
static struct io_uring_sqe *sqes;
static struct io_uring_cqe *cqes;
static int ring, listening;
static struct sockaddr_in backend;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void enter(unsigned wait) {
  unsigned ready = *sq_tail - __atomic_load_n(sq_head, __ATOMIC_ACQUIRE);
  if (syscall(SYS_io_uring_enter, ring, ready, wait, IORING_ENTER_GETEVENTS, NULL, 0) < 0 && errno != EINTR)
    fail("io_uring_enter");
}

static struct io_uring_sqe *entry(int opcode, int fd, int what) {
  if (*sq_tail - __atomic_load_n(sq_head, __ATOMIC_ACQUIRE) > sq_mask) enter(0);
  struct io_uring_sqe *sqe = &sqes[*sq_tail & sq_mask];
  memset(sqe, 0, sizeof *sqe);
  sqe->opcode = opcode;
  sqe->fd = fd;
  sqe->user_data = (unsigned long long)what << 32 | fd;
  __atomic_store_n(sq_tail, *sq_tail + 1, __ATOMIC_RELEASE);
  links[fd].operations++;
  return sqe;
}

static void receive(struct link *link) {
  struct io_uring_sqe *sqe = entry(IORING_OP_RECV, link->fd, RECEIVE);
  sqe->flags = IOSQE_BUFFER_SELECT;
  sqe->ioprio = IORING_RECV_MULTISHOT;
  link->receives = 1;
}

static void give_back(int buffer) {
  struct io_uring_buf *slot = &buffers->bufs[buffers_tail++ & (BUFFERS - 1)];
  slot->addr = (unsigned long)memory + (unsigned long)buffer * BUFFER_BYTES;
  slot->len = BUFFER_BYTES;
  slot->bid = buffer;
  __atomic_store_n(&buffers->tail, buffers_tail, __ATOMIC_RELEASE);
}

static void send_first(struct link *link) {
  struct io_uring_sqe *sqe = entry(IORING_OP_SEND, link->fd, SEND);
  sqe->addr = (unsigned long)memory + (unsigned long)link->first * BUFFER_BYTES;
  sqe->len = chunks[link->first].length;
  sqe->msg_flags = MSG_WAITALL | MSG_NOSIGNAL;
  link->sends = 1;
}

/* Passes FIN on behind the bytes before it, and closes both ends once nothing is under way and none is owed. */
static void settle(struct link *link) {
  struct link *peer = &links[link->peer];
  struct link *pair[] = {link, peer};
  for (int i = 0; i < 2; i++) {
    struct link *to = pair[i], *from = pair[1 - i];
    if (!from->got_fin || to->sends || to->sent_fin) continue;
    to->sent_fin = 1;
    if (!to->got_fin || to->broken) shutdown(to->fd, to->broken ? SHUT_RDWR : SHUT_WR);
  }
  if (!link->got_fin || !peer->got_fin || link->operations > 0 || peer->operations > 0) return;
  close(link->fd);
  close(peer->fd);
}

static void accepted(int fd) {
  int one = 1, to = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (to < 0 || to >= MOST_FDS || fd >= MOST_FDS) fail("socket");
  setsockopt(to, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  links[fd] = (struct link){.fd = fd, .peer = to};
  links[to] = (struct link){.fd = to, .peer = fd};
  struct io_uring_sqe *sqe = entry(IORING_OP_CONNECT, to, CONNECT);
  sqe->addr = (unsigned long)&backend;
  sqe->off = sizeof backend;
}

static void received(struct link *link, int result, unsigned flags) {
  struct link *peer = &links[link->peer];
  link->receives = flags & IORING_CQE_F_MORE ? 1 : 0;
  if (flags & IORING_CQE_F_BUFFER) {
    int buffer = flags >> IORING_CQE_BUFFER_SHIFT;
    chunks[buffer] = (struct chunk){.next = -1, .length = result};
    if (!peer->sends) {
      peer->first = peer->last = buffer;
      send_first(peer);
    } else {
      chunks[peer->last].next = buffer;
      peer->last = buffer;
    }
  }
  if (result > 0 || result == -ENOBUFS) {
    /* Without buffers it goes on once its peer has sent one. */
    if (!link->receives && (result > 0 || !peer->sends)) receive(link);
    return;
  }
  link->got_fin = 1;
  link->broken = link->broken || result < 0;
  settle(link);
}

static void sent(struct link *link, int result) {
  struct link *peer = &links[link->peer];
  int buffer = link->first;
  int more = chunks[buffer].next;
  link->broken = link->broken || result < (int)chunks[buffer].length;
  give_back(buffer);
  for (; link->broken && more >= 0; more = chunks[more].next) give_back(more);
  link->sends = 0;
  if (more >= 0) {
    link->first = more;
    send_first(link);
  }
  if (!peer->receives && !peer->got_fin) receive(peer);
  if (peer->got_fin || link->broken) settle(link);
}

static void completed(struct io_uring_cqe *cqe) {
  int what = cqe->user_data >> 32;
  struct link *link = &links[(unsigned)cqe->user_data];
  if (!(cqe->flags & IORING_CQE_F_MORE)) link->operations--;
  if (what == ACCEPT) {
    if (cqe->res >= 0) accepted(cqe->res);
    if (!(cqe->flags & IORING_CQE_F_MORE)) entry(IORING_OP_ACCEPT, listening, ACCEPT)->ioprio = IORING_ACCEPT_MULTISHOT;
  } else if (what == CONNECT) {
    if (cqe->res < 0) links[link->peer].broken = link->broken = 1;
    receive(link);
    receive(&links[link->peer]);
  } else if (what == RECEIVE) {
    received(link, cqe->res, cqe->flags);
  } else {
    sent(link, cqe->res);
  }
}

static void *map(size_t bytes, int flags, int fd, off_t offset) {
  void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, offset);
  if (at == MAP_FAILED) fail("mmap");
  return at;
}

static void set_up_ring(void) {
  struct io_uring_params params = {
      .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE, .cq_entries = COMPLETIONS};
  ring = syscall(SYS_io_uring_setup, ENTRIES, &params);
  if (ring < 0) fail("io_uring_setup");
  /* The table of the submission queue lies behind the completions. */
  size_t bytes = params.sq_off.array + params.sq_entries * sizeof(unsigned);
  char *rings = map(bytes, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
  sqes = map(params.sq_entries * sizeof *sqes, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
  sq_head = (unsigned *)(rings + params.sq_off.head);
  sq_tail = (unsigned *)(rings + params.sq_off.tail);
  cq_head = (unsigned *)(rings + params.cq_off.head);
  cq_tail = (unsigned *)(rings + params.cq_off.tail);
  sq_mask = params.sq_entries - 1;
  cq_mask = params.cq_entries - 1;
  cqes = (struct io_uring_cqe *)(rings + params.cq_off.cqes);
  for (unsigned i = 0; i <= sq_mask; i++) ((unsigned *)(rings + params.sq_off.array))[i] = i;

  memory = map((size_t)BUFFERS * BUFFER_BYTES, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  buffers = map(BUFFERS * sizeof(struct io_uring_buf), MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct io_uring_buf_reg group = {.ring_addr = (unsigned long)buffers, .ring_entries = BUFFERS};
  if (syscall(SYS_io_uring_register, ring, IORING_REGISTER_PBUF_RING, &group, 1) < 0) fail("io_uring_register");
  for (int i = 0; i < BUFFERS; i++) give_back(i);
}

int main(int count, char **words) {
  if (count < 3) return 2;
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  set_up_ring();
  struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  backend = local;
  local.sin_port = htons(atoi(words[1]));
  backend.sin_port = htons(atoi(words[2]));
  int one = 1;
  listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  setsockopt(listening, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (bind(listening, (struct sockaddr *)&local, sizeof local) < 0 || listen(listening, 4096) < 0) fail("listen");
  entry(IORING_OP_ACCEPT, listening, ACCEPT)->ioprio = IORING_ACCEPT_MULTISHOT;
  for (;;) {
    enter(1);
    for (unsigned head = *cq_head; head != __atomic_load_n(cq_tail, __ATOMIC_ACQUIRE);) {
      struct io_uring_cqe cqe = cqes[head & cq_mask];
      __atomic_store_n(cq_head, ++head, __ATOMIC_RELEASE);
      completed(&cqe);
    }
  }
}
