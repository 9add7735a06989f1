/**
 * Every way in which octets or packets can be refused, in one table. A fault is a value, never an
 * exception: codecs return its number, daemons count it under its name and act as the table says.
 *
 * Actions: `drop` = this packet or message only · `answer` = an error response goes back ·
 * `close` = the connection is ended (a stream that broke its framing is never resynchronised).
 */

export type FaultAction = 'drop' | 'answer' | 'close';

interface FaultRow {
  readonly name: string;
  readonly action: FaultAction;
  readonly meaning: string;
}

/** Fault numbers. Always above zero, so that `0` can mean "no fault" and `-fault` "bad" in framings. */
export const FAULTS = {
  // IP and transport headers
  IP_SHORT: 1,
  IP_VERSION: 2,
  IP_LENGTH: 3,
  IP_CHECKSUM: 4,
  IP_FRAGMENT: 5,
  IP_EXTENSIONS: 6,
  IP_PROTOCOL: 7,
  UDP_SHORT: 8,
  UDP_LENGTH: 9,
  TCP_SHORT: 10,
  TCP_OFFSET: 11,
  ICMP_SHORT: 12,
  ICMP_TYPE: 13,
  ICMP_EMBEDDED: 14,
  RTP_SHORT: 15,
  RTP_VERSION: 16,
  RTP_LENGTH: 17,
  UDP_CHECKSUM_ABSENT: 18,
  IP_SOURCE_ROUTE: 19,
  TRANSPORT_CHECKSUM: 20,
  IP_TOO_LONG: 21,

  // STUN messages
  STUN_SHORT: 30,
  STUN_TYPE: 31,
  STUN_COOKIE: 32,
  STUN_LENGTH: 33,
  STUN_ATTRIBUTE: 34,
  STUN_FINGERPRINT: 35,
  STUN_INTEGRITY: 36,
  STUN_ATTRIBUTES_MANY: 37,
  STUN_UNKNOWN_REQUIRED: 38,
  STUN_UNEXPECTED: 39,
  STUN_NONCE: 40,
  STUN_BID_DOWN: 41,

  // Records on a stream
  FRAME_UNKNOWN: 60,
  FRAME_TOO_LONG: 61,
  FRAME_TYPE: 62,
  FRAME_BACKLOG: 63,
  FRAME_FOREIGN: 64,
  FRAME_IP_LENGTH: 65,
  FRAME_IP_CHECKSUM: 66,
  PROXY_HEADER: 67,

  // Sessions
  NOT_AUTHENTICATED: 80,
  UNAUTHENTICATED_LIMIT: 81,
  NO_BINDING: 82,
  FOREIGN_SOURCE: 83,
  DESTINATION_FORBIDDEN: 84,
  DESTINATION_DISGUISED: 85,
  NO_CONNECTION: 86,
  SEND_QUEUE_FULL: 87,
  ILLEGAL_EVENT: 88,
  QUOTA_TUNNELS: 89,
  QUOTA_BINDINGS: 90,
  IDLE: 91,
  TRANSACTION_TIMEOUT: 92,
  SOURCE_FORBIDDEN: 93,
  DESTINATION_OWN: 94,
  QUOTA_RATE: 95,
  MEDIA_TOO_OLD: 96,
  MEDIA_TOO_FULL: 97,
  MEDIA_FRAME: 98,
  MEDIA_ENDED: 99,

  // Flows at TEP-C that have no binding
  HELD_TOO_LONG: 100,
  HELD_TOO_MANY: 101,
  BINDING_REFUSED: 102,
  NO_TUNNEL: 103,
  LOCAL_ADDRESS_GONE: 104,

  // Answers to a CONNECT
  HTTP_BROKEN: 110,
  HTTP_TOO_LONG: 111,
  HTTP_CUT_OFF: 112,

  // SIP messages
  SIP_EMPTY: 120,
  SIP_HEAD_SHORT: 121,
  SIP_LINE_END: 122,
  SIP_FIELD: 123,
  SIP_FIELDS_MANY: 124,
  SIP_TOO_LONG: 125,
  SIP_CONTENT_LENGTH: 126,
  SIP_BODY_SHORT: 127,

  // Control of the media gateway: bencode and the ng protocol
  NG_COOKIE: 130,
  NG_TOO_LONG: 131,
  BENCODE_SHORT: 132,
  BENCODE_TYPE: 133,
  BENCODE_NUMBER: 134,
  BENCODE_KEY: 135,
  BENCODE_DEEP: 136,
  BENCODE_MANY: 137,
  BENCODE_REST: 138,
} as const;

export type Fault = (typeof FAULTS)[keyof typeof FAULTS];

const ROWS: Readonly<Record<Fault, FaultRow>> = {
  1: row('ip-short', 'drop', 'fewer octets than an IP header needs'),
  2: row('ip-version', 'drop', 'neither IPv4 nor IPv6'),
  3: row('ip-length', 'drop', 'header or total length impossible'),
  4: row('ip-checksum', 'drop', 'IPv4 header checksum wrong'),
  5: row('ip-fragment', 'drop', 'a fragment: ports are not in every piece'),
  6: row('ip-extensions', 'drop', 'IPv6 extension headers too many or broken'),
  7: row('ip-protocol', 'drop', 'transport protocol that a tunnel does not carry'),
  8: row('udp-short', 'drop', 'fewer octets than a UDP header needs'),
  9: row('udp-length', 'drop', 'UDP length field impossible'),
  10: row('tcp-short', 'drop', 'fewer octets than a TCP header needs'),
  11: row('tcp-offset', 'drop', 'TCP data offset impossible'),
  12: row('icmp-short', 'drop', 'fewer octets than an ICMP error needs'),
  13: row('icmp-type', 'drop', 'an ICMP message that is not an error about a packet'),
  14: row('icmp-embedded', 'drop', 'packet inside an ICMP error unreadable'),
  15: row('rtp-short', 'drop', 'fewer octets than an RTP or RTCP header needs'),
  16: row('rtp-version', 'drop', 'RTP version is not 2'),
  17: row('rtp-length', 'drop', 'RTP or RTCP length fields impossible'),
  18: row('udp-checksum-absent', 'drop', 'UDP over IPv6 without a checksum'),
  19: row('ip-source-route', 'drop', 'the addresses in the IP header are not those of the ends'),
  20: row('transport-checksum', 'drop', 'UDP, TCP or ICMP checksum wrong'),
  21: row('ip-too-long', 'drop', 'IP packet longer than a record of the tunnel can be'),
  30: row('stun-short', 'close', 'fewer octets than a STUN header needs'),
  31: row('stun-type', 'close', 'first two bits of a STUN message not zero'),
  32: row('stun-cookie', 'close', 'STUN magic cookie wrong'),
  33: row('stun-length', 'close', 'STUN length not a multiple of 4, or over the limit'),
  34: row('stun-attribute', 'answer', 'STUN attribute broken'),
  35: row('stun-fingerprint', 'drop', 'STUN FINGERPRINT wrong'),
  36: row('stun-integrity', 'answer', 'STUN message integrity missing or wrong'),
  37: row('stun-attributes-many', 'drop', 'more STUN attributes than any message needs'),
  38: row('stun-unknown-required', 'answer', 'unknown comprehension-required STUN attribute'),
  39: row('stun-unexpected', 'drop', 'STUN message that answers nothing we sent'),
  40: row('stun-nonce', 'answer', 'STUN nonce too old, or not ours for this client'),
  41: row('stun-bid-down', 'drop', 'STUN security feature announced, but taken away on the way'),
  60: row('frame-unknown', 'close', 'first octets of a record fit no record kind'),
  61: row('frame-too-long', 'close', 'record longer than its kind may be'),
  62: row('frame-type', 'close', 'record kind illegal at this stage'),
  63: row('frame-backlog', 'close', 'more octets waiting than one record can need'),
  64: row('frame-foreign', 'close', 'the stream speaks another protocol'),
  65: row('frame-ip-length', 'close', 'IP record whose length field cannot tell where it ends'),
  66: row('frame-ip-checksum', 'close', 'IPv4 record with a wrong header checksum'),
  67: row('proxy-header', 'close', 'no right PROXY header from a load balancer that must send one'),
  80: row('not-authenticated', 'close', 'data before the tunnel was authenticated'),
  81: row('unauthenticated-limit', 'close', 'too many octets before authentication'),
  82: row('no-binding', 'drop', 'no binding for this address'),
  83: row('foreign-source', 'drop', 'source address is not bound to this tunnel'),
  84: row('destination-forbidden', 'drop', 'destination is not an allowed media address'),
  85: row('destination-disguised', 'drop', 'destination hides an address that is not allowed'),
  86: row('no-connection', 'drop', 'the tunnel had no connection for as long as it may wait'),
  87: row('send-queue-full', 'drop', 'the peer reads too slowly; queue at its limit'),
  88: row('illegal-event', 'drop', 'event not legal in this state'),
  89: row('quota-tunnels', 'answer', 'user has all tunnels that the quota allows'),
  90: row('quota-bindings', 'answer', 'tunnel has all bindings that the quota allows'),
  91: row('idle', 'close', 'nothing received for too long'),
  92: row('transaction-timeout', 'close', 'no answer to a STUN request'),
  93: row('source-forbidden', 'drop', 'packet for the UE from no allowed media address'),
  94: row('destination-own', 'drop', 'destination is a port of the tunnel server itself'),
  95: row('quota-rate', 'drop', 'user sends or receives more than the quota allows'),
  96: row('media-too-old', 'drop', 'it waited for the connection until it was of no use any more'),
  97: row('media-too-full', 'drop', 'no room while the connection takes less than comes in'),
  98: row('media-frame', 'drop', 'rest of a video frame of which a piece was dropped'),
  99: row('media-ended', 'drop', 'its tunnel ended while it waited for a connection'),
  100: row('held-too-long', 'drop', 'its public address was not granted in time'),
  101: row('held-too-many', 'drop', 'newer packets pushed it out while all waited for a binding'),
  102: row('binding-refused', 'drop', 'no public address is to be had for this flow at the moment'),
  103: row('no-tunnel', 'drop', 'no tunnel can be had at the moment'),
  104: row('local-address-gone', 'close', 'this machine has lost the address of the connection'),
  110: row('http-broken', 'close', 'what answered a CONNECT does not speak HTTP/1'),
  111: row('http-too-long', 'close', 'head of an HTTP answer over the limit'),
  112: row('http-cut-off', 'close', 'connection closed before the HTTP answer was whole'),
  120: row('sip-empty', 'drop', 'datagram of line ends only: a keep-alive'),
  121: row('sip-head-short', 'drop', 'datagram ends before the head of its SIP message does'),
  122: row('sip-line-end', 'close', 'CR or LF alone in the head of a SIP message'),
  123: row('sip-field', 'close', 'line of a SIP head that is no header field'),
  124: row('sip-fields-many', 'close', 'more SIP header fields than any message needs'),
  125: row('sip-too-long', 'close', 'SIP message over the limit'),
  126: row('sip-content-length', 'close', 'Content-Length absent on a stream, or no single number'),
  127: row('sip-body-short', 'answer', 'datagram ends before the body of its SIP message does'),
  130: row('ng-cookie', 'drop', 'control message does not begin with a cookie and a space'),
  131: row('ng-too-long', 'drop', 'control message over the limit'),
  132: row('bencode-short', 'drop', 'bencoded value ends too early'),
  133: row('bencode-type', 'drop', 'octet that begins no bencoded value'),
  134: row('bencode-number', 'drop', 'bencoded number or length not in its one legal form'),
  135: row('bencode-key', 'drop', 'dictionary key that is no string, or comes twice'),
  136: row('bencode-deep', 'drop', 'bencoded values nested too deep'),
  137: row('bencode-many', 'drop', 'more bencoded values than any message needs'),
  138: row('bencode-rest', 'drop', 'octets behind a bencoded value'),
};

/** The word for logs, metric labels and JSON. */
export function faultName(fault: Fault): string {
  return ROWS[fault].name;
}

export function faultAction(fault: Fault): FaultAction {
  return ROWS[fault].action;
}

/** What a name says to people; undefined for a name that is none. */
export function faultMeaning(name: string): string | undefined {
  return Object.values(ROWS).find((row) => row.name === name)?.meaning;
}

/** One above the highest fault number: the length of an array of counters indexed by fault. */
export const FAULT_LIMIT = 160;

function row(name: string, action: FaultAction, meaning: string): FaultRow {
  return { name, action, meaning };
}
