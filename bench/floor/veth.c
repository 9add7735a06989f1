/*
 * The floor: the least that a program must do to carry packets between a TCP stream and one end of a veth pair.
 * It stands in place of an agent with the packet port `rings`, at either end of the tunnel:
 *
 *     veth listen IFACE ADDRESS PORT      in place of TEP-S: takes one connection
 *     veth connect IFACE ADDRESS PORT     in place of TEP-C
 *
 *     stream -> veth   read 64 KiB, cut whole IP packets by their own lengths, copy them into a sending ring of AF_XDP
 *     veth -> stream   a ring of AF_PACKET (TPACKET_V2), all packets that are there in one write
 *
 * Packets are IPv4, as in the tunnel: back to back, no other framing. Nothing is checked, looked up, rewritten or
 * counted. Prints "ready" once the stream stands; ends with it.
 *
 * Linux with AF_XDP, CAP_NET_RAW. bench/compile.ts compiles it.
 */
#define _GNU_SOURCE
#include "stream.h"

#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/mman.h>

enum {
  SLOT_LEN = 2048,
  SLOT_COUNT = 8192,
  BLOCK_LEN = 65536,
  FRAME_LEN = 2048,
  FRAME_COUNT = 256,
  PACKETS_PER_LOOK = 256,
  BUFFER_LEN = 16 << 20,
};

/* To the near end, from the far one: hardware addresses of io/rings/place.ts. */
static const uint8_t HEADER[ETH_HLEN] = {2, 0x74, 0x65, 0x70, 0, 0, 2, 0x74, 0x65, 0x70, 0, 1, 0x08, 0x00};

static int port;
static uint8_t *ring;
static unsigned next_slot;

/* Room i belongs to descriptor i; `produced` counts all that were ever written. */
static int sender;
static uint8_t *frames;
static struct xdp_desc *descriptors;
static uint32_t *producer, *consumer, *completed, *released;
static uint32_t produced;

static int open_port(const char *name) {
  int fd = must(socket(AF_PACKET, SOCK_RAW, 0), "socket");
  option(fd, SOL_PACKET, PACKET_VERSION, TPACKET_V2);
  option(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
  struct tpacket_req wanted = {BLOCK_LEN, SLOT_LEN * SLOT_COUNT / BLOCK_LEN, SLOT_LEN, SLOT_COUNT};
  must(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &wanted, sizeof wanted), "PACKET_RX_RING");
  ring = mmap(NULL, SLOT_LEN * SLOT_COUNT, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (ring == MAP_FAILED) must(-1, "mmap");
  struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
  at.sll_ifindex = if_nametoindex(name);
  must(bind(fd, (struct sockaddr *)&at, sizeof at), "bind");
  return fd;
}

static uint8_t *map(int fd, size_t length, off_t from) {
  uint8_t *at = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0), fd, from);
  if (at == MAP_FAILED) must(-1, "mmap");
  return at;
}

/* As io/rings/xdp-socket.ts does. */
static int open_sender(const char *name) {
  int fd = must(socket(AF_XDP, SOCK_RAW, 0), "socket of AF_XDP");
  option(fd, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_LEN);
  frames = map(-1, FRAME_LEN * FRAME_COUNT, 0);
  struct xdp_umem_reg memory = {.addr = (uintptr_t)frames, .len = FRAME_LEN * FRAME_COUNT, .chunk_size = FRAME_LEN};
  must(setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &memory, sizeof memory), "XDP_UMEM_REG");
  option(fd, SOL_XDP, XDP_UMEM_FILL_RING, 1);
  option(fd, SOL_XDP, XDP_UMEM_COMPLETION_RING, FRAME_COUNT);
  option(fd, SOL_XDP, XDP_TX_RING, FRAME_COUNT);
  struct xdp_mmap_offsets at;
  socklen_t length = sizeof at;
  must(getsockopt(fd, SOL_XDP, XDP_MMAP_OFFSETS, &at, &length), "XDP_MMAP_OFFSETS");
  uint8_t *tx = map(fd, at.tx.desc + FRAME_COUNT * sizeof *descriptors, XDP_PGOFF_TX_RING);
  uint8_t *done = map(fd, at.cr.desc + FRAME_COUNT * sizeof(uint64_t), XDP_UMEM_PGOFF_COMPLETION_RING);
  producer = (void *)(tx + at.tx.producer);
  consumer = (void *)(tx + at.tx.consumer);
  descriptors = (void *)(tx + at.tx.desc);
  completed = (void *)(done + at.cr.producer);
  released = (void *)(done + at.cr.consumer);
  for (int i = 0; i < FRAME_COUNT; i++) {
    memcpy(frames + i * FRAME_LEN, HEADER, sizeof HEADER);
    descriptors[i] = (struct xdp_desc){.addr = i * FRAME_LEN};
  }
  struct sockaddr_xdp to = {.sxdp_family = AF_XDP, .sxdp_ifindex = if_nametoindex(name), .sxdp_flags = XDP_COPY};
  must(bind(fd, (struct sockaddr *)&to, sizeof to), "bind of AF_XDP");
  return fd;
}

/* The length that the IPv4 header at `b` tells. */
static size_t packet_len(const uint8_t *b) {
  return b[2] << 8 | b[3];
}

/* Some at a time; those for which there is no room now are lost. */
static void send_all(void) {
  __atomic_store_n(producer, produced, __ATOMIC_RELEASE);
  for (int calls = 0; __atomic_load_n(consumer, __ATOMIC_ACQUIRE) != produced && calls < FRAME_COUNT; calls++) {
    sendto(sender, NULL, 0, MSG_DONTWAIT, NULL, 0);
    __atomic_store_n(released, __atomic_load_n(completed, __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
  }
}

static size_t from_stream(void) {
  size_t at = 0;
  while (in_len - at >= 4 && packet_len(in + at) >= 20 && packet_len(in + at) <= in_len - at) {
    size_t length = packet_len(in + at);
    if (produced - *consumer == FRAME_COUNT) send_all();
    if (produced - *consumer < FRAME_COUNT && length + ETH_HLEN <= FRAME_LEN) {
      memcpy(frames + produced % FRAME_COUNT * FRAME_LEN + ETH_HLEN, in + at, length);
      descriptors[produced++ % FRAME_COUNT].len = ETH_HLEN + length;
    }
    at += length;
  }
  send_all();
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
  sender = open_sender(argv[2]);
  stream = open_stream(argv[1], argv[3], argv[4]);
  run(port, from_stream, take);
}
