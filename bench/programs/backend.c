/*
 * A backend for loads that `backend.ts` would hold up: it answers each request with the same few bytes, and ends the
 * connection behind the answer where the request says `Connection: close`. A request has no body here, is not longer
 * than a segment, and comes whole.
 *
 *     backend      on a port of 127.0.0.1 that it prints; it ends with the process that has started it
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD "HTTP/1.1 200 OK\r\nContent-Length: 13\r\nContent-Type: text/plain\r\n"
#define BODY "\r\nHello, world\n"
static const char answer[] = HEAD BODY;
static const char last_answer[] = HEAD "Connection: close\r\n" BODY;
static int queue;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void watch(int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  if (epoll_ctl(queue, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
}

static void serve(int fd) {
  char requests[16384];
  ssize_t length = recv(fd, requests, sizeof requests - 1, 0);
  if (length <= 0) {
    close(fd);
    return;
  }
  requests[length] = 0;
  if (strstr(requests, "Connection: close")) {
    send(fd, last_answer, sizeof last_answer - 1, MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    return;
  }
  for (char *end = requests; (end = strstr(end, "\r\n\r\n")); end += 4)
    send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
}

int main(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t bytes = sizeof address;
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  int one = 1, listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (listening < 0 || bind(listening, (struct sockaddr *)&address, bytes) < 0 || listen(listening, 4096) < 0)
    fail("listen");
  // Connections have this from the socket that they were accepted from.
  setsockopt(listening, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  getsockname(listening, (struct sockaddr *)&address, &bytes);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  queue = epoll_create1(0);
  watch(listening);
  for (;;) {
    struct epoll_event events[256];
    int count = epoll_wait(queue, events, 256, -1);
    for (int i = 0; i < count; i++) {
      if (events[i].data.fd != listening) {
        serve(events[i].data.fd);
        continue;
      }
      for (int fd; (fd = accept(listening, NULL, NULL)) >= 0;) watch(fd);
    }
  }
}
