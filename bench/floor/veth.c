/*
 * The floor: the least that a program must do to carry packets between a TCP stream and one end of a veth pair.
 * It stands in place of an agent with the packet port `rings`, at either end of the tunnel:
 *
 *     veth listen IFACE ADDRESS PORT      in place of TEP-S: takes one connection
 *     veth connect IFACE ADDRESS PORT     in place of TEP-C
 *
 *     stream -> veth   read 64 KiB, cut whole IP packets by their own lengths, one sendmmsg for all of them
 *     veth -> stream   a ring of AF_PACKET (TPACKET_V2), all packets that are there in one write
 *
 * Packets are IPv4, as in the tunnel: back to back, no other framing. Nothing is checked, looked up, rewritten or
 * counted. Prints "ready" once the stream stands; ends with it.
 *
 * Linux, CAP_NET_RAW. bench/compile.ts compiles it.
 */
#define _GNU_SOURCE
#include "stream.h"

#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/mman.h>

enum {
  SLOT_LEN = 2048,
  SLOT_COUNT = 8192,
  BLOCK_LEN = 65536,
  MAX_BATCH = 512,
  PACKETS_PER_LOOK = 256,
  BUFFER_LEN = 16 << 20,
};

/* To the near end, from the far one: hardware addresses of io/rings/place.ts. */
static const uint8_t HEADER[ETH_HLEN] = {2, 0x74, 0x65, 0x70, 0, 0, 2, 0x74, 0x65, 0x70, 0, 1, 0x08, 0x00};

static int port;
static uint8_t *ring;
static unsigned next_slot;

static struct mmsghdr vector[MAX_BATCH];
static struct iovec parts[MAX_BATCH][2];

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

static size_t from_stream(void) {
  size_t at = 0;
  int count = 0;
  while (in_len - at >= 4 && packet_len(in + at) >= 20 && packet_len(in + at) <= in_len - at) {
    parts[count++][1] = (struct iovec){in + at, packet_len(in + at)};
    at += packet_len(in + at);
    if (count == MAX_BATCH) send_batch(count), count = 0;
  }
  send_batch(count);
  return at;
}

static int take(void) {
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
  return count;
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: veth listen|connect IFACE ADDRESS PORT\n");
    return 2;
  }
  port = open_port(argv[2]);
  stream = open_stream(argv[1], argv[3], argv[4]);
  run(port, from_stream, take);
}
