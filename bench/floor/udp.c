/*
 * The floor of the packet port `sockets`: the least that a program must do to carry datagrams between a TCP stream and
 * many UDP sockets of its own, one for each flow, all at one address.
 *
 *     udp listen ADDRESS PORT TARGET…      in place of TEP-S: takes one connection
 *     udp connect ADDRESS PORT TARGET…     in place of TEP-C
 *
 * A TARGET is the UDP port, at the same address, to which datagrams of one flow go; the first of the other end belongs
 * to the first here. Prints the ports of its sockets in a line "ports N N …", then as veth.c does.
 *
 *     stream -> sockets   read 64 KiB; one sendmmsg for neighbours of one flow
 *     sockets -> stream   all that have something are told by one epoll; one recvmmsg for each of them
 *
 * A record is its length and the number of its flow, 16 bits each in the order of this machine, and the payload.
 *
 * Linux. bench/compile.ts compiles it.
 */
#define _GNU_SOURCE
#include "stream.h"

#include <sys/epoll.h>

enum { MAX_FLOWS = 1024, BATCH = 64, SLOT_LEN = 2048, MAX_READY = 64, HEADER_LEN = 4, BUFFER_LEN = 4 << 20 };

static int epoll, flows;
static int sockets[MAX_FLOWS];
static struct sockaddr_in targets[MAX_FLOWS];

static struct mmsghdr sending[BATCH], receiving[BATCH];
static struct iovec sent_parts[BATCH], received_parts[BATCH];
/* 320 more than a slot holds: no power of two, which would put the beginnings of all into the same lines of a cache. */
static uint8_t slots[BATCH][SLOT_LEN + 320];

static void open_sockets(const char *address, char **ports) {
  epoll = must(epoll_create1(0), "epoll_create1");
  fputs("ports", stdout);
  for (int i = 0; i < flows; i++) {
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t length = sizeof at;
    inet_pton(AF_INET, address, &at.sin_addr);
    targets[i] = at;
    targets[i].sin_port = htons(atoi(ports[i]));
    sockets[i] = must(socket(AF_INET, SOCK_DGRAM, 0), "socket");
    option(sockets[i], SOL_SOCKET, SO_RCVBUF, BUFFER_LEN);
    must(bind(sockets[i], (struct sockaddr *)&at, sizeof at), "bind");
    must(getsockname(sockets[i], (struct sockaddr *)&at, &length), "getsockname");
    printf(" %d", ntohs(at.sin_port));
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
    must(epoll_ctl(epoll, EPOLL_CTL_ADD, sockets[i], &event), "epoll_ctl");
  }
  puts("");
  for (int i = 0; i < BATCH; i++) {
    received_parts[i] = (struct iovec){slots[i], SLOT_LEN};
    receiving[i].msg_hdr = (struct msghdr){.msg_iov = &received_parts[i], .msg_iovlen = 1};
    sending[i].msg_hdr = (struct msghdr){.msg_iov = &sent_parts[i], .msg_iovlen = 1};
  }
}

static void send_batch(int flow, int count) {
  for (int done = 0; done < count;) {
    int sent = sendmmsg(sockets[flow], sending + done, count - done, MSG_DONTWAIT);
    done += sent > 0 ? sent : 1; /* what the kernel does not take is lost */
  }
}

static size_t from_stream(void) {
  size_t at = 0;
  int count = 0, flow = 0;
  uint16_t head[2];
  while (in_len - at >= HEADER_LEN) {
    memcpy(head, in + at, HEADER_LEN);
    if (head[0] > in_len - at - HEADER_LEN || head[1] >= flows) break;
    if (count == BATCH || head[1] != flow) send_batch(flow, count), count = 0;
    flow = head[1];
    sent_parts[count] = (struct iovec){in + at + HEADER_LEN, head[0]};
    sending[count].msg_hdr.msg_name = &targets[flow];
    sending[count++].msg_hdr.msg_namelen = sizeof targets[flow];
    at += HEADER_LEN + head[0];
  }
  send_batch(flow, count);
  return at;
}

static int take(void) {
  struct epoll_event ready[MAX_READY];
  int count = 0;
  for (int n = MAX_READY; n == MAX_READY && out_len + BATCH * SLOT_LEN / 4 < sizeof out;) {
    n = epoll_wait(epoll, ready, MAX_READY, 0);
    for (int r = 0; r < n; r++) {
      uint16_t flow = ready[r].data.u32;
      int got = recvmmsg(sockets[flow], receiving, BATCH, MSG_DONTWAIT, NULL);
      for (int i = 0; i < got; i++, count++) {
        uint16_t head[] = {receiving[i].msg_len, flow};
        if (out_len + HEADER_LEN + head[0] > sizeof out) continue;
        memcpy(out + out_len, head, HEADER_LEN);
        memcpy(out + out_len + HEADER_LEN, slots[i], head[0]);
        out_len += HEADER_LEN + head[0];
      }
    }
  }
  return count;
}

int main(int argc, char **argv) {
  flows = argc - 4;
  if (flows < 1 || flows > MAX_FLOWS) {
    fprintf(stderr, "usage: udp listen|connect ADDRESS PORT TARGET…\n");
    return 2;
  }
  open_sockets(argv[2], argv + 4);
  stream = open_stream(argv[1], argv[2], argv[3]);
  run(epoll, from_stream, take);
}
