/** Keys that both agents have, with the same meaning. */

import { DEFAULT_PLACE, type Place, placeFault } from '../io/rings/place.ts';
import { DEADLINES_MS, type Deadlines, MEDIA_CLASSES } from '../session/media/classes.ts';
import { type LoadedFile, path } from './file-kinds.ts';
import { group, type Kind, one, optional } from './key.ts';
import { choice, duration, number, text } from './kinds.ts';
import type { CrossCheck } from './read.ts';

export function operationKeys(agent: 'client' | 'server') {
  return group('Watching it', {
    status: one(fileOrAuto('the name of a socket'), {
      meaning:
        `UNIX socket on which "tep status" asks; auto is /run/tep/${agent}.sock, ` +
        `or $XDG_RUNTIME_DIR/tep/${agent}.sock without root`,
      default: 'auto',
      reload: 'restart',
    }),
    'log.level': one(choice('error', 'warn', 'info', 'debug'), {
      meaning: 'how much is told on standard error',
      default: 'info',
      reload: 'live',
    }),
    'log.format': one(choice('text', 'json'), {
      meaning: 'lines for people, or one JSON object a line',
      default: 'text',
      reload: 'restart',
    }),
  });
}

const MAX_U32 = 2 ** 32 - 1;

export function packetKeys(port: 'rings' | 'sockets', sockets: string) {
  return {
    'packets.port': one(choice('rings', 'sockets'), {
      meaning:
        'rings: packets of every program, by an interface of our own (CAP_NET_ADMIN, CAP_NET_RAW); ' +
        `sockets: ${sockets}, no privilege`,
      default: port,
      reload: 'restart',
    }),
    'packets.interface': one(text('NAME'), {
      meaning: 'name of that interface; its other end has a p behind it',
      default: DEFAULT_PLACE.name,
      reload: 'restart',
    }),
    'packets.table': one(number(1, MAX_U32), {
      meaning: 'routing table for it alone',
      default: String(DEFAULT_PLACE.table),
      reload: 'restart',
    }),
    'packets.priority': one(number(1, MAX_U32), {
      meaning: 'priority of the first of three routing rules',
      default: String(DEFAULT_PLACE.priority),
      reload: 'restart',
    }),
  };
}

interface PacketSettings {
  readonly 'packets.interface': string;
  readonly 'packets.table': number;
  readonly 'packets.priority': number;
  /** TEP-S only. */
  readonly 'packets.mark'?: number;
}

/** What the port `rings` calls its things in the system. */
export function placeOf(s: PacketSettings): Place {
  return {
    name: s['packets.interface'],
    table: s['packets.table'],
    priority: s['packets.priority'],
    mark: s['packets.mark'] ?? DEFAULT_PLACE.mark,
  };
}

export const checkPlace: CrossCheck<PacketSettings> = (s, tell) => {
  const fault = placeFault(placeOf(s));
  if (fault !== undefined) tell('packets', fault.text);
};

/** A file that has a usual place, and need not be there at all. */
export function fileOrAuto(what: string): Kind<string> {
  return {
    placeholder: 'FILE|auto|off',
    expects: `auto, off or ${what}`,
    read: (given, place) =>
      given === 'auto' || given === 'off' ? { value: given } : path.read(given, place),
  };
}

/** How the system sends what connections carry. */
export const transportKeys = group('TCP', {
  'transport.congestion': optional(text('NAME'), {
    meaning:
      'congestion control of tunnel connections, one that the system allows; absent: bbr where the round trip is 5 ms or more and it can be had, else the choice of the system',
    example: 'cubic',
    reload: 'restart',
  }),
});

const WAIT_LEAST = '20ms';
const WAIT_MOST = '10s';

/** What no connection can take at once: docs/media-over-tcp.md. */
export const waitingKeys = group('Media that wait for a connection', {
  'media.audio-deadline': one(duration(WAIT_LEAST, WAIT_MOST), {
    meaning: 'how long a packet of speech may wait before it is dropped: later it is of no use',
    default: `${DEADLINES_MS[MEDIA_CLASSES.AUDIO]}ms`,
    reload: 'restart',
  }),
  'media.video-deadline': one(duration(WAIT_LEAST, WAIT_MOST), {
    meaning: 'how long a packet of video may wait before its frame is dropped',
    default: `${DEADLINES_MS[MEDIA_CLASSES.VIDEO]}ms`,
    reload: 'restart',
  }),
  'media.other-deadline': one(duration(WAIT_LEAST, WAIT_MOST), {
    meaning: 'how long a packet of everything else may wait, such as TCP of messages',
    default: `${DEADLINES_MS[MEDIA_CLASSES.OTHER]}ms`,
    reload: 'restart',
  }),
});

interface WaitingSettings {
  readonly 'media.audio-deadline': number;
  readonly 'media.video-deadline': number;
  readonly 'media.other-deadline': number;
}

/** Those of STUN and RTCP follow from the protocols. */
export function deadlinesOf(s: WaitingSettings): Deadlines {
  const [stun, rtcp] = DEADLINES_MS;
  const { 'media.audio-deadline': audio, 'media.video-deadline': video } = s;
  return [stun, rtcp, audio, video, s['media.other-deadline']];
}

const VERSIONS = { '1.2': 'TLSv1.2', '1.3': 'TLSv1.3' } as const;

const tlsVersion: Kind<'TLSv1.2' | 'TLSv1.3'> = {
  placeholder: '1.2|1.3',
  expects: '1.2 or 1.3',
  read(given) {
    const value = given === '1.2' || given === '1.3' ? VERSIONS[given] : undefined;
    return value === undefined ? { wrong: 'must be 1.2 or 1.3' } : { value };
  },
};

/** TLS versions and old suites: what both ends say in the same words. */
export const tlsKeys = {
  'tls.min-version': one(tlsVersion, {
    meaning: 'oldest version of TLS that is spoken',
    default: '1.2',
    reload: 'live',
  }),
  'tls.legacy-ciphers': one(choice('none', 'cbc', 'null'), {
    meaning:
      'old suites beside the good ones. cbc: TLS_RSA_WITH_AES_128_CBC_SHA, without forward secrecy. ' +
      'null: NOTHING IS ENCRYPTED, everyone on the way reads and only changes are noticed',
    default: 'none',
    reload: 'live',
  }),
} as const;

interface TlsSettings {
  readonly 'tls.certificate': LoadedFile | undefined;
  readonly 'tls.key': LoadedFile | undefined;
  readonly 'tls.min-version': 'TLSv1.2' | 'TLSv1.3';
  readonly 'tls.legacy-ciphers': 'none' | 'cbc' | 'null';
}

export const checkTlsKeys: CrossCheck<TlsSettings> = (s, tell) => {
  const certificate = s['tls.certificate'];
  const key = s['tls.key'];
  if (certificate && !key) tell('tls.certificate', 'needs its private key in tls.key');
  if (key && !certificate) tell('tls.key', 'needs its certificate in tls.certificate');
  const legacy = s['tls.legacy-ciphers'];
  if (legacy === 'none') return;
  if (s['tls.min-version'] === 'TLSv1.3') {
    tell('tls.legacy-ciphers', 'TLS 1.3 has none of them: set tls.min-version: 1.2');
  }
  const text = legacy === 'null' ? 'null: calls may not be encrypted' : 'cbc: old, weaker suites';
  // Who set it shall be reminded at every start.
  tell('tls.legacy-ciphers', text, 'warning');
};
