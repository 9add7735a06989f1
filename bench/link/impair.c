// A link with faults: holds packets that iptables hands over (NFQUEUE), loses some, lets the others go later.
//
//     impair QUEUE…        one queue for each direction of the link
//
// Commands on standard input, one a line, for all directions; each is answered with one line:
//
//     delay MS             every packet
//     jitter MS            beside the delay, evenly between -MS and +MS; packets keep their order
//     loss PERCENT [RUN]   of packets; RUN: how many in a row are lost on average (1: independent)
//     rate KBIT MS         a bottleneck of KBIT/s with a queue of MS before it (0 0: none)
//     blackout MS          nothing arrives from now on for so long
//     seed N               both draws, loss and jitter, from the beginning
//     stats                seen, lost, overflowed, of each direction
//
// Raw netlink and nothing else: no library to install. Runs before everything else on the machine
// (SCHED_FIFO), else other load would be jitter. Memory: the kernel holds at most MAX_HELD packets of a direction.
#define _GNU_SOURCE
#include "../commands.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_DIRECTIONS 4
#define MAX_HELD 65536
#define HEADER_SEEN 40
#define RECEIVE_OCTETS (8 << 20)
#define PRIORITY 20
#define READS_A_TURN 128  // what is due must not wait for a flood
#define VERDICTS_A_CALL 64
#define LINK_OVERHEAD 14
#define NS_PER_MS 1e6

struct held {
  int64_t due_ns;
  uint32_t id;
};

struct direction {
  uint16_t queue;
  struct held *line;  // a ring: packets keep their order
  uint32_t first, count;
  int64_t latest_ns;  // when the last one in the line is due
  int64_t free_ns;    // when the bottleneck has sent everything before
  uint64_t loss_state, jitter_state;
  int in_run;
  uint64_t seen, lost, overflowed;
};

static struct direction directions[MAX_DIRECTIONS];
static int direction_count, netlink_fd;
static double delay_ms, jitter_ms, loss, run_length = 1, rate_kbit, queue_ms;
static int64_t dark_until_ns;

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

// splitmix64: between 0 and 1.
static double draw(uint64_t *state) {
  uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return ((z ^ (z >> 31)) >> 11) * 0x1.0p-53;
}

static void seed(uint64_t n) {
  for (int i = 0; i < direction_count; i++) {
    directions[i].loss_state = n * 4 + i;
    directions[i].jitter_state = ~(n * 4 + i);
    directions[i].in_run = 0;
  }
}

// Two states (Gilbert): in a run everything is lost; runs are RUN long and begin as often as the share asks.
static int is_lost(struct direction *d) {
  if (loss <= 0) return 0;
  double begin = loss / (run_length * (1 - loss));
  double go_on = 1 - 1 / run_length;
  double chance = run_length <= 1 ? loss : d->in_run ? go_on : begin;
  d->in_run = draw(&d->loss_state) < chance;
  return d->in_run;
}

// Behind the bottleneck; negative when its queue is full.
static int64_t through_bottleneck(struct direction *d, int64_t now, uint32_t octets) {
  if (rate_kbit <= 0) return now;
  int64_t start = d->free_ns > now ? d->free_ns : now;
  if (start - now > queue_ms * NS_PER_MS) return -1;
  d->free_ns = start + (int64_t)((octets + LINK_OVERHEAD) * 8 * NS_PER_MS / rate_kbit);
  return d->free_ns;
}

static void verdict(const struct direction *d, uint32_t id, uint32_t what);

static void arrived(struct direction *d, uint32_t id, uint32_t octets) {
  int64_t now = now_ns();
  d->seen++;
  int dark = now < dark_until_ns;
  if (is_lost(d) || dark) {
    d->lost++;
    verdict(d, id, NF_DROP);
    return;
  }
  int64_t due = through_bottleneck(d, now, octets);
  if (due < 0 || d->count == MAX_HELD) {
    d->overflowed++;
    verdict(d, id, NF_DROP);
    return;
  }
  double late_ms = delay_ms + (jitter_ms > 0 ? (draw(&d->jitter_state) * 2 - 1) * jitter_ms : 0);
  due += (int64_t)(late_ms * NS_PER_MS);
  if (due < d->latest_ns) due = d->latest_ns;
  d->latest_ns = due;
  d->line[(d->first + d->count++) % MAX_HELD] = (struct held){due, id};
}

// --- Netlink -------------------------------------------------------------------------------------------

static char out[VERDICTS_A_CALL * 64];
static size_t out_len;

static void flush_verdicts(void) {
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  if (out_len > 0) sendto(netlink_fd, out, out_len, 0, (void *)&kernel, sizeof kernel);
  out_len = 0;
}

// Begins a message to the kernel in `out`.
static struct nlmsghdr *begin(int type, uint16_t queue, int flags) {
  struct nlmsghdr *h = (void *)(out + out_len);
  struct nfgenmsg *g = NLMSG_DATA(h);
  h->nlmsg_len = NLMSG_LENGTH(sizeof *g);
  h->nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | type;
  h->nlmsg_flags = NLM_F_REQUEST | flags;
  h->nlmsg_seq = h->nlmsg_pid = 0;
  *g = (struct nfgenmsg){AF_UNSPEC, NFNETLINK_V0, htons(queue)};
  return h;
}

static void add(struct nlmsghdr *h, uint16_t type, const void *value, uint16_t len) {
  struct nlattr *a = (void *)((char *)h + NLMSG_ALIGN(h->nlmsg_len));
  a->nla_type = type;
  a->nla_len = NLA_HDRLEN + len;
  memcpy((char *)a + NLA_HDRLEN, value, len);
  h->nlmsg_len = NLMSG_ALIGN(h->nlmsg_len) + NLA_ALIGN(a->nla_len);
}

static void verdict(const struct direction *d, uint32_t id, uint32_t what) {
  struct nfqnl_msg_verdict_hdr v = {htonl(what), htonl(id)};
  struct nlmsghdr *h = begin(NFQNL_MSG_VERDICT, d->queue, 0);
  add(h, NFQA_VERDICT_HDR, &v, sizeof v);
  out_len += NLMSG_ALIGN(h->nlmsg_len);
  if (out_len > sizeof out - 64) flush_verdicts();
}

static void configure(uint16_t queue, uint16_t attribute, const void *value, uint16_t len) {
  struct nlmsghdr *h = begin(NFQNL_MSG_CONFIG, queue, NLM_F_ACK);
  add(h, attribute, value, len);
  out_len += NLMSG_ALIGN(h->nlmsg_len);
  flush_verdicts();
  char in[256];
  ssize_t n = recv(netlink_fd, in, sizeof in, 0);
  struct nlmsghdr *answer = (void *)in;
  struct nlmsgerr *e = NLMSG_DATA(answer);
  if (n < 0 || answer->nlmsg_type != NLMSG_ERROR) fail("netlink");
  if (e->error != 0) {
    errno = -e->error;
    fail("NFQUEUE");
  }
}

static void bind_queue(uint16_t queue) {
  struct nfqnl_msg_config_cmd bind = {.command = NFQNL_CFG_CMD_BIND, .pf = htons(AF_UNSPEC)};
  struct nfqnl_msg_config_params copy = {htonl(HEADER_SEEN), NFQNL_COPY_PACKET};
  uint32_t most = htonl(MAX_HELD);
  configure(queue, NFQA_CFG_CMD, &bind, sizeof bind);
  configure(queue, NFQA_CFG_PARAMS, &copy, sizeof copy);
  configure(queue, NFQA_CFG_QUEUE_MAXLEN, &most, sizeof most);
}

// Whole length of an IP packet of which the header was copied.
static uint32_t ip_length(const uint8_t *ip) {
  return ip[0] >> 4 == 4 ? ip[2] << 8 | ip[3] : 40 + (ip[4] << 8 | ip[5]);
}

static void packet(struct nlmsghdr *h) {
  struct nfgenmsg *g = NLMSG_DATA(h);
  struct nfqnl_msg_packet_hdr *header = NULL;
  const uint8_t *ip = NULL;
  char *end = (char *)h + h->nlmsg_len;
  for (char *p = (char *)g + NLMSG_ALIGN(sizeof *g); p + NLA_HDRLEN <= end;) {
    struct nlattr *a = (void *)p;
    if (a->nla_type == NFQA_PACKET_HDR) header = (void *)(p + NLA_HDRLEN);
    if (a->nla_type == NFQA_PAYLOAD) ip = (void *)(p + NLA_HDRLEN);
    p += NLA_ALIGN(a->nla_len);
  }
  if (header == NULL || ip == NULL) return;
  for (int i = 0; i < direction_count; i++) {
    if (directions[i].queue == ntohs(g->res_id)) arrived(&directions[i], ntohl(header->packet_id), ip_length(ip));
  }
}

static void read_packets(void) {
  static char in[65536];
  for (int i = 0; i < READS_A_TURN; i++) {
    ssize_t n = recv(netlink_fd, in, sizeof in, MSG_DONTWAIT);
    if (n <= 0) return;
    size_t left = n;
    for (struct nlmsghdr *h = (void *)in; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
      if (h->nlmsg_type == (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET)) packet(h);
    }
  }
}

static void open_netlink(void) {
  netlink_fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
  struct sockaddr_nl self = {.nl_family = AF_NETLINK};
  if (netlink_fd < 0 || bind(netlink_fd, (void *)&self, sizeof self) < 0) fail("netlink");
  int octets = RECEIVE_OCTETS, on = 1;
  setsockopt(netlink_fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets);
  setsockopt(netlink_fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof on);
}

// --- Time and commands -----------------------------------------------------------------------------------

// Lets go what is due; gives when the next one is, or INT64_MAX.
static int64_t release(void) {
  int64_t next = INT64_MAX, now = now_ns();
  for (int i = 0; i < direction_count; i++) {
    struct direction *d = &directions[i];
    for (; d->count > 0 && d->line[d->first].due_ns <= now; d->count--) {
      verdict(d, d->line[d->first].id, NF_ACCEPT);
      d->first = (d->first + 1) % MAX_HELD;
    }
    if (d->count > 0 && d->line[d->first].due_ns < next) next = d->line[d->first].due_ns;
  }
  flush_verdicts();
  return next;
}

static void print_stats(void) {
  printf("stats");
  for (int i = 0; i < direction_count; i++) {
    const struct direction *d = &directions[i];
    printf(" %lu %lu %lu", d->seen, d->lost, d->overflowed);
  }
  printf("\n");
}

static void command(const char *line) {
  char word[16] = "";
  double a = 0, b = 1;
  sscanf(line, "%15s %lf %lf", word, &a, &b);
  if (strcmp(word, "delay") == 0) delay_ms = a;
  else if (strcmp(word, "jitter") == 0) jitter_ms = a;
  else if (strcmp(word, "loss") == 0) loss = a / 100, run_length = b;
  else if (strcmp(word, "rate") == 0) rate_kbit = a, queue_ms = b;
  else if (strcmp(word, "blackout") == 0) dark_until_ns = now_ns() + (int64_t)(a * NS_PER_MS);
  else if (strcmp(word, "seed") == 0) seed((uint64_t)a);
  else if (strcmp(word, "stats") == 0) return print_stats();
  else {
    printf("unknown: %s\n", word);
    return;
  }
  // When it holds from, on the clock of everybody on this machine.
  printf("%s %.3f\n", word, now_ns() / NS_PER_MS);
}

int main(int argc, char **argv) {
  open_netlink();
  for (int i = 1; i < argc && direction_count < MAX_DIRECTIONS; i++) {
    struct direction *d = &directions[direction_count++];
    d->queue = atoi(argv[i]);
    d->line = calloc(MAX_HELD, sizeof *d->line);
    if (d->line == NULL) fail("memory");
    bind_queue(d->queue);
  }
  seed(1);
  struct sched_param first = {PRIORITY};
  if (sched_setscheduler(0, SCHED_FIFO, &first) < 0) fail("SCHED_FIFO");
  printf("ready\n");
  fflush(stdout);
  struct pollfd fds[2] = {{netlink_fd, POLLIN, 0}, {0, POLLIN, 0}};
  for (;;) {
    int64_t next = release(), wait = next - now_ns();
    struct timespec t = {wait / 1000000000, wait % 1000000000};
    if (wait < 0) t = (struct timespec){0, 0};
    ppoll(fds, 2, next == INT64_MAX ? NULL : &t, NULL);
    if (fds[0].revents != 0) read_packets();
    if (fds[1].revents != 0) read_commands(command);
  }
}
