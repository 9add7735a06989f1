/*
 * The floor: the least that a program must do to carry packets between a TCP stream and one end of a veth pair.
 * It stands in place of an agent with the packet port `rings`, at either end of the tunnel:
 *
 *     floor listen IFACE ADDRESS PORT      in place of TEP-S: takes one connection
 *     floor connect IFACE ADDRESS PORT     in place of TEP-C
 *
 *     stream -> veth   read 64 KiB, cut whole IP packets by their own lengths, one sendmmsg for all of them
 *     veth -> stream   a ring of AF_PACKET (TPACKET_V2), all packets that are there in one write
 *
 * Packets are IPv4, as in the tunnel: back to back, no other framing. Nothing is checked, looked up, rewritten or
 * counted. When to look at the ring is what the agents do (io/kernel/paced-watch.ts): at once while little comes, after
 * 2 ms while much comes; so both have batches of equal size. Prints "ready" once the stream stands; ends with it.
 *
 * Linux, CAP_NET_RAW. bench/floor/floor.ts compiles it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
  SLOT_LEN = 2048,
  SLOT_COUNT = 8192,
  BLOCK_LEN = 65536,
  CHUNK_LEN = 65536,
  MAX_BATCH = 512,
  PACKETS_PER_LOOK = 256,
  PACE_NS = 2000000,
  BUFFER_LEN = 16 << 20,
};

/* To the near end, from the far one: hardware addresses of io/rings/place.ts. */
static const uint8_t HEADER[ETH_HLEN] = {2, 0x74, 0x65, 0x70, 0, 0, 2, 0x74, 0x65, 0x70, 0, 1, 0x08, 0x00};

static int stream, port;
static uint8_t *ring;
static unsigned next_slot;

/* What came from the stream; the first octet is that of a packet. */
static uint8_t in[CHUNK_LEN];
static size_t in_len;
/* What goes to the stream, not taken yet. */
static uint8_t out[CHUNK_LEN];
static size_t out_len;

static struct mmsghdr vector[MAX_BATCH];
static struct iovec parts[MAX_BATCH][2];

static int must(int value, const char *what) {
  if (value >= 0) return value;
  perror(what);
  exit(1);
}

static void option(int fd, int level, int name, int value) {
  must(setsockopt(fd, level, name, &value, sizeof value), "setsockopt");
}

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
    puts("listening");
    fflush(stdout);
    fd = must(accept(fd, NULL, NULL), "accept");
  }
  option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  return fd;
}

static int open_port(const char *name) {
  int fd = must(socket(AF_PACKET, SOCK_RAW, 0), "socket");
  option(fd, SOL_PACKET, PACKET_VERSION, TPACKET_V2);
  option(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
  option(fd, SOL_PACKET, PACKET_QDISC_BYPASS, 1);
  option(fd, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_LEN);
  struct tpacket_req wanted = {BLOCK_LEN, SLOT_LEN * SLOT_COUNT / BLOCK_LEN, SLOT_LEN, SLOT_COUNT};
  must(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &wanted, sizeof wanted), "PACKET_RX_RING");
  ring = mmap(NULL, SLOT_LEN * SLOT_COUNT, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (ring == MAP_FAILED) must(-1, "mmap");
  struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
  at.sll_ifindex = if_nametoindex(name);
  must(bind(fd, (struct sockaddr *)&at, sizeof at), "bind");
  for (int i = 0; i < MAX_BATCH; i++) {
    parts[i][0] = (struct iovec){(void *)HEADER, sizeof HEADER};
    vector[i].msg_hdr = (struct msghdr){.msg_iov = parts[i], .msg_iovlen = 2};
  }
  return fd;
}

/* The length that the IPv4 header at `b` tells. */
static size_t packet_len(const uint8_t *b) {
  return b[2] << 8 | b[3];
}

static void send_batch(int count) {
  for (int done = 0; done < count;) {
    int sent = sendmmsg(port, vector + done, count - done, MSG_DONTWAIT);
    done += sent > 0 ? sent : 1; /* what the kernel does not take is lost */
  }
}

static void from_stream(void) {
  ssize_t got = recv(stream, in + in_len, sizeof in - in_len, MSG_DONTWAIT);
  if (got == 0 || (got < 0 && errno != EAGAIN)) exit(0);
  if (got < 0) return;
  in_len += got;
  size_t at = 0;
  int count = 0;
  while (in_len - at >= 4 && packet_len(in + at) >= 20 && packet_len(in + at) <= in_len - at) {
    parts[count++][1] = (struct iovec){in + at, packet_len(in + at)};
    at += packet_len(in + at);
    if (count == MAX_BATCH) send_batch(count), count = 0;
  }
  send_batch(count);
  in_len -= at;
  memmove(in, in + at, in_len);
}

static void write_out(void) {
  ssize_t sent = send(stream, out, out_len, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent <= 0) return;
  out_len -= sent;
  memmove(out, out + sent, out_len);
}

/* Gives how many packets there were. */
static int from_ring(void) {
  int count = 0;
  for (; count < PACKETS_PER_LOOK && out_len + SLOT_LEN <= sizeof out; count++) {
    struct tpacket2_hdr *slot = (void *)(ring + (size_t)next_slot * SLOT_LEN);
    if (!(__atomic_load_n(&slot->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER)) break;
    const uint8_t *packet = (uint8_t *)slot + slot->tp_net;
    if (packet[0] >> 4 == 4 && packet_len(packet) + slot->tp_net <= SLOT_LEN) {
      memcpy(out + out_len, packet, packet_len(packet));
      out_len += packet_len(packet);
    }
    __atomic_store_n(&slot->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    next_slot = (next_slot + 1) % SLOT_COUNT;
  }
  if (out_len > 0) write_out();
  return count;
}

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: floor listen|connect IFACE ADDRESS PORT\n");
    return 2;
  }
  port = open_port(argv[2]);
  stream = open_stream(argv[1], argv[3], argv[4]);
  puts("ready");
  fflush(stdout);
  struct pollfd watched[] = {{stream, POLLIN, 0}, {port, POLLIN, 0}};
  /* When to look at the ring again; 0: as soon as it has something. */
  for (int64_t due = 0;;) {
    int64_t rest = due - now_ns();
    struct timespec wait = {0, rest > 0 ? rest : 0};
    must(ppoll(watched, due == 0 ? 2 : 1, due == 0 ? NULL : &wait, NULL), "ppoll");
    if (watched[0].revents != 0) from_stream();
    if (due == 0 || now_ns() >= due) due = from_ring() > 1 || out_len > 0 ? now_ns() + PACE_NS : 0;
  }
}
