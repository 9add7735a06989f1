/*
 * What both floors share: the TCP stream of the tunnel, what waits to be written to it, and when to look for packets:
 * as the agents do (io/kernel/paced-watch.ts), at once while little comes, after 2 ms while much comes; so both have
 * batches of equal size.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK_LEN = 65536, PACE_NS = 2000000 };

static int stream;
/* What came from the stream; the first octet is that of a record. */
static uint8_t in[CHUNK_LEN];
static size_t in_len;
/* What goes to the stream, not taken yet. */
static uint8_t out[CHUNK_LEN];
static size_t out_len;

static int must(int value, const char *what) {
  if (value >= 0) return value;
  perror(what);
  exit(1);
}

static void option(int fd, int level, int name, int value) {
  must(setsockopt(fd, level, name, &value, sizeof value), "setsockopt");
}

/* Prints "listening PORT" before somebody is there. */
static int open_stream(const char *mode, const char *address, const char *number) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(number))};
  inet_pton(AF_INET, address, &at.sin_addr);
  int fd = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
  if (strcmp(mode, "connect") == 0) {
    must(connect(fd, (struct sockaddr *)&at, sizeof at), "connect");
  } else {
    option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    must(bind(fd, (struct sockaddr *)&at, sizeof at), "bind");
    must(listen(fd, 1), "listen");
    socklen_t length = sizeof at;
    must(getsockname(fd, (struct sockaddr *)&at, &length), "getsockname");
    printf("listening %d\n", ntohs(at.sin_port));
    fflush(stdout);
    fd = must(accept(fd, NULL, NULL), "accept");
  }
  option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  return fd;
}

/* As much as the kernel takes now. */
static void write_out(void) {
  ssize_t sent = send(stream, out, out_len, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent <= 0) return;
  out_len -= sent;
  memmove(out, out + sent, out_len);
}

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/*
 * Until the stream ends: `from_stream` handles what `in` holds and gives how many octets it used, `take` puts what has
 * arrived at `port` into `out` and gives how many packets that were.
 */
static void run(int port, size_t (*from_stream)(void), int (*take)(void)) {
  puts("ready");
  fflush(stdout);
  struct pollfd watched[] = {{stream, POLLIN, 0}, {port, POLLIN, 0}};
  /* When to look at the port again; 0: as soon as it has something. */
  for (int64_t due = 0;;) {
    int64_t rest = due - now_ns();
    struct timespec wait = {0, rest > 0 ? rest : 0};
    must(ppoll(watched, due == 0 ? 2 : 1, due == 0 ? NULL : &wait, NULL), "ppoll");
    if (watched[0].revents != 0) {
      ssize_t got = recv(stream, in + in_len, sizeof in - in_len, MSG_DONTWAIT);
      if (got == 0 || (got < 0 && errno != EAGAIN)) exit(0);
      in_len += got > 0 ? got : 0;
      size_t used = from_stream();
      in_len -= used;
      memmove(in, in + used, in_len);
    }
    if (due != 0 && now_ns() < due) continue;
    int count = take();
    if (out_len > 0) write_out();
    due = count > 1 || out_len > 0 ? now_ns() + PACE_NS : 0;
  }
}
