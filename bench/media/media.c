// Telephones or media gateways of the laboratory: many flows of RTP, each packet with its time of sending in
// it, and a record of every packet sent and received. CLOCK_MONOTONIC is the same in all namespaces, so the
// difference of two times is the delay one way.
//
//     media SENT_FILE RECEIVED_FILE
//
// Commands on standard input, one a line; those that open a flow are answered with one line. Flows are numbered
// in the order in which they are opened; both ends number them alike.
//
//     udp ADDRESS PORT          a socket (PORT 0: any); answer: udp FLOW ADDRESS PORT
//     channel FD NUMBER         a TURN channel (RFC 8656 12.4) on an inherited TCP connection; answer: channel FLOW
//     to FLOW ADDRESS PORT      where it sends to
//     speech FLOW               G.711: 172 octets every 20 ms
//     wideband FLOW SEED        AMR-WB 12.65 with DTX: 46 octets every 20 ms while speaking, 20 every 160 ms else
//     video FLOW KBIT           30 frames a second in packets of at most 1,200 octets, a key frame every 3 s
//     run AT_MS MS              sends from AT_MS (CLOCK_MONOTONIC) on for MS; answer: running
//     end                       writes the records and ends
//
// A record is 32 octets: flow, sequence number, RTP timestamp, marker (u32 each), time of sending, time of
// arrival (doubles, ms since AT_MS; arrival 0 in SENT_FILE). Runs before everything but the link (SCHED_FIFO): a
// generator that has to wait for the processor would measure itself. Memory: 32 octets a packet of a run.
#define _GNU_SOURCE
#include "../commands.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_FLOWS 1024
#define MAX_PACKET 2048
#define MAX_STREAM 65536
#define PRIORITY 10
#define RTP_HEADER 12
#define CHANNEL_HEADER 4
#define BUFFER_OCTETS (4 << 20)
#define NS_PER_MS 1e6
#define FRAME_MS 20
#define VIDEO_FRAME_MS (1000.0 / 30)
#define VIDEO_PACKET 1200
#define KEY_EVERY 90
#define KEY_TIMES 3
#define SILENCE_MS 160
#define READS_A_TURN 32

enum kind { QUIET, SPEECH, WIDEBAND, VIDEO };

struct record {
  uint32_t flow, sequence, timestamp, marker;
  double sent_ms, arrived_ms;
};

struct log {
  struct record *records;
  size_t count, room;
  const char *file;
};

struct flow {
  int fd, channel;  // channel 0: datagrams
  struct sockaddr_in to;
  enum kind kind;
  double due_ms;  // of the next frame, since the start
  uint32_t sequence, frame;
  uint64_t random;
  double spurt_until_ms;
  int is_speaking;
  double kbit;
  uint32_t highest;  // received, extended
  uint8_t *in, *rest;
  size_t in_len, rest_len;
};

static struct flow flows[MAX_FLOWS];
static int flow_count, epoll_fd;
static struct log sent, received;
static double start_ms = -1, length_ms;

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / NS_PER_MS;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void note(struct log *log, struct record record) {
  if (log->count == log->room) {
    log->room = log->room == 0 ? 65536 : log->room * 2;
    log->records = realloc(log->records, log->room * sizeof record);
    if (log->records == NULL) fail("memory");
  }
  log->records[log->count++] = record;
}

static void write_log(const struct log *log) {
  FILE *file = fopen(log->file, "w");
  if (file == NULL) fail(log->file);
  fwrite(log->records, sizeof *log->records, log->count, file);
  if (fclose(file) != 0) fail(log->file);
}

static double draw(struct flow *f) {
  f->random = f->random * 6364136223846793005ULL + 1442695040888963407ULL;
  return (f->random >> 11) * 0x1.0p-53;
}

// --- Sending ---------------------------------------------------------------------------------------------

static void put32(uint8_t *b, uint32_t v) {
  v = htonl(v);
  memcpy(b, &v, 4);
}

// As a TURN client does: what does not fit into the connection is not sent, but a frame begun is finished.
static void send_channel(struct flow *f, const uint8_t *packet, size_t len) {
  size_t padded = (len + 3) & ~3UL;
  uint8_t b[CHANNEL_HEADER + MAX_PACKET + 4] = {f->channel >> 8, f->channel, len >> 8, len};
  memcpy(b + CHANNEL_HEADER, packet, len);
  if (f->rest_len > 0) {
    ssize_t n = send(f->fd, f->rest, f->rest_len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n <= 0) return;
    f->rest_len -= n;
    memmove(f->rest, f->rest + n, f->rest_len);
    if (f->rest_len > 0) return;
  }
  ssize_t n = send(f->fd, b, CHANNEL_HEADER + padded, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n <= 0) return;
  f->rest_len = CHANNEL_HEADER + padded - n;
  memcpy(f->rest, b + n, f->rest_len);
}

static void send_packet(struct flow *f, size_t len, uint8_t payload_type, uint32_t timestamp, int marker) {
  uint8_t b[MAX_PACKET] = {0x80, payload_type | (marker ? 0x80 : 0), f->sequence >> 8, f->sequence};
  uint32_t number = f - flows;
  put32(b + 4, timestamp);
  put32(b + 8, 0x7e000000 | number);
  double ms = now_ms() - start_ms;
  memcpy(b + RTP_HEADER, &ms, sizeof ms);
  note(&sent, (struct record){number, f->sequence++, timestamp, marker, ms, 0});
  if (f->channel != 0) send_channel(f, b, len);
  else sendto(f->fd, b, len, MSG_DONTWAIT, (void *)&f->to, sizeof f->to);
}

static void send_speech(struct flow *f) {
  send_packet(f, 172, 0, f->frame++ * 160, 0);
  f->due_ms += FRAME_MS;
}

// Talk spurts and pauses of ITU-T P.59: exponential, 1.004 s and 1.587 s on average.
static void send_wideband(struct flow *f) {
  while (f->due_ms >= f->spurt_until_ms) {
    f->is_speaking = !f->is_speaking;
    f->spurt_until_ms += -log(1 - draw(f)) * (f->is_speaking ? 1004 : 1587);
  }
  send_packet(f, f->is_speaking ? 46 : 20, 97, f->frame * 320, 0);
  int frames = f->is_speaking ? 1 : SILENCE_MS / FRAME_MS;
  f->frame += frames;
  f->due_ms += frames * FRAME_MS;
}

// A key frame is KEY_TIMES as large as the others; together they have the rate that is asked.
static void send_video(struct flow *f) {
  double usual = f->kbit * 125 * VIDEO_FRAME_MS / 1000 * KEY_EVERY / (KEY_EVERY - 1 + KEY_TIMES);
  size_t left = f->frame % KEY_EVERY == 0 ? usual * KEY_TIMES : usual;
  while (left > 0) {
    size_t part = left > VIDEO_PACKET ? VIDEO_PACKET : left;
    left -= part;
    send_packet(f, part + RTP_HEADER + 8, 96, f->frame * 3000, left == 0);
  }
  f->frame++;
  f->due_ms += VIDEO_FRAME_MS;
}

static void send_frame(struct flow *f) {
  if (f->kind == SPEECH) send_speech(f);
  else if (f->kind == WIDEBAND) send_wideband(f);
  else send_video(f);
}

// Sends what is due; gives when the next frame is, since the start.
static double send_due(void) {
  double next = INFINITY, now = now_ms() - start_ms;
  for (int i = 0; i < flow_count; i++) {
    struct flow *f = &flows[i];
    while (f->kind != QUIET && f->due_ms <= now && f->due_ms < length_ms) send_frame(f);
    if (f->kind != QUIET && f->due_ms < length_ms) next = fmin(next, f->due_ms);
  }
  return next;
}

// --- Receiving -------------------------------------------------------------------------------------------

static void take(struct flow *f, const uint8_t *b, size_t len) {
  double ms, now = now_ms() - start_ms;
  uint32_t timestamp;
  if (len < RTP_HEADER + sizeof ms || b[8] != 0x7e || start_ms < 0) return;
  memcpy(&ms, b + RTP_HEADER, sizeof ms);
  memcpy(&timestamp, b + 4, 4);
  int16_t ahead = (uint16_t)(b[2] << 8 | b[3]) - (uint16_t)f->highest;
  uint32_t sequence = f->highest + ahead;
  if (ahead > 0) f->highest = sequence;
  note(&received, (struct record){f - flows, sequence, ntohl(timestamp), b[1] >> 7, ms, now});
}

static void read_datagrams(struct flow *f) {
  uint8_t b[MAX_PACKET];
  for (int i = 0; i < READS_A_TURN; i++) {
    ssize_t n = recv(f->fd, b, sizeof b, MSG_DONTWAIT);
    if (n < 0) return;
    take(f, b, n);
  }
}

static void read_channel(struct flow *f) {
  ssize_t n = recv(f->fd, f->in + f->in_len, MAX_STREAM - f->in_len, MSG_DONTWAIT);
  if (n == 0) epoll_ctl(epoll_fd, EPOLL_CTL_DEL, f->fd, NULL);
  if (n <= 0) return;
  f->in_len += n;
  size_t at = 0;
  while (f->in_len - at >= CHANNEL_HEADER) {
    const uint8_t *b = f->in + at;
    size_t len = b[2] << 8 | b[3], whole = CHANNEL_HEADER + ((len + 3) & ~3UL);
    if (f->in_len - at < whole) break;
    take(f, b + CHANNEL_HEADER, len);
    at += whole;
  }
  f->in_len -= at;
  memmove(f->in, f->in + at, f->in_len);
}

// --- Commands ---------------------------------------------------------------------------------------------

static struct flow *open_flow(int fd, int channel) {
  if (fd < 0 || flow_count == MAX_FLOWS) fail("flow");
  struct flow *f = &flows[flow_count++];
  f->fd = fd;
  f->channel = channel;
  struct epoll_event event = {EPOLLIN, {.ptr = f}};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll");
  return f;
}

static void open_udp(const char *address, int port) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
  int fd = socket(AF_INET, SOCK_DGRAM, 0), octets = BUFFER_OCTETS;
  socklen_t len = sizeof at;
  inet_pton(AF_INET, address, &at.sin_addr);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets);
  if (bind(fd, (void *)&at, sizeof at) < 0) fail("bind");
  getsockname(fd, (void *)&at, &len);
  struct flow *f = open_flow(fd, 0);
  printf("udp %ld %s %d\n", f - flows, address, ntohs(at.sin_port));
}

static void open_channel(int fd, int number) {
  struct flow *f = open_flow(fd, number);
  f->in = malloc(MAX_STREAM);
  f->rest = malloc(CHANNEL_HEADER + MAX_PACKET + 4);
  if (f->in == NULL || f->rest == NULL) fail("memory");
  printf("channel %ld\n", f - flows);
}

static void aim(struct flow *f, const char *address, int port) {
  f->to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
  inet_pton(AF_INET, address, &f->to.sin_addr);
}

// Flows begin one after the other within a frame, as calls do that know nothing of each other.
static void set_kind(struct flow *f, enum kind kind, double value) {
  f->kind = kind;
  f->kbit = value;
  f->random = (uint64_t)value * 2654435761u + 1;
}

static void run(double at_ms, double ms) {
  for (int i = 0; i < flow_count; i++) {
    flows[i].due_ms = (double)FRAME_MS * i / flow_count;
  }
  start_ms = at_ms;
  length_ms = ms;
  printf("running\n");
}

static void end(void) {
  write_log(&sent);
  write_log(&received);
  exit(0);
}

static void command(const char *line) {
  char word[16] = "", address[64] = "";
  double a = 0, b = 0;
  int port = 0;
  sscanf(line, "%15s %lf %lf", word, &a, &b);
  struct flow *f = &flows[(int)a < MAX_FLOWS && a >= 0 ? (int)a : 0];
  if (strcmp(word, "udp") == 0 && sscanf(line, "%*s %63s %d", address, &port) == 2) open_udp(address, port);
  else if (strcmp(word, "channel") == 0) open_channel(a, b);
  else if (strcmp(word, "to") == 0 && sscanf(line, "%*s %*d %63s %d", address, &port) == 2) aim(f, address, port);
  else if (strcmp(word, "speech") == 0) set_kind(f, SPEECH, 0);
  else if (strcmp(word, "wideband") == 0) set_kind(f, WIDEBAND, b);
  else if (strcmp(word, "video") == 0) set_kind(f, VIDEO, b);
  else if (strcmp(word, "run") == 0) run(a, b);
  else if (strcmp(word, "end") == 0) end();
  else printf("unknown: %s\n", word);
}

static struct timespec until(double due_ms) {
  double ms = fmax(0, fmin(due_ms - (now_ms() - start_ms), 1000));
  int64_t ns = ms * NS_PER_MS;
  return (struct timespec){ns / 1000000000, ns % 1000000000};
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  sent.file = argv[1];
  received.file = argv[2];
  epoll_fd = epoll_create1(0);
  struct epoll_event commands = {EPOLLIN, {.ptr = NULL}}, ready[64];
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, 0, &commands) < 0) fail("standard input");
  struct sched_param soon = {PRIORITY};
  if (sched_setscheduler(0, SCHED_FIFO, &soon) < 0) fail("SCHED_FIFO");
  for (;;) {
    struct timespec wait = until(start_ms < 0 ? INFINITY : send_due());
    int n = epoll_pwait2(epoll_fd, ready, 64, &wait, NULL);
    for (int i = 0; i < n; i++) {
      struct flow *f = ready[i].data.ptr;
      if (f == NULL) read_commands(command);
      else if (f->channel != 0) read_channel(f);
      else read_datagrams(f);
    }
  }
}
