/** Session descriptions of phones, and dialogs about them as Kamailio tells them to a media gateway. */
import type { Dictionary } from './proxies.ts';

export const MARK = 'a=3gpp-tep:443 TLS IN IP4 198.51.100.7';
export const ADVERTISE = 'tls://198.51.100.7:443';
const TOKEN = 'a=ice-options:tep';

export interface Phone {
  readonly address: string;
  /** Of RTP; RTCP is on the next one. */
  readonly port: number;
  /** Says that it can use the tunnel. */
  readonly can?: boolean;
  readonly more?: readonly string[];
}

export function sdpOf({ address, port, can = false, more = [] }: Phone): string {
  return lines(
    ...['v=0', `o=- 1 1 IN IP4 ${address}`, 's=-', `c=IN IP4 ${address}`, 't=0 0'],
    ...[`m=audio ${port} RTP/AVP 0 8`, 'a=sendrecv', ...more],
    ...(can ? [TOKEN, 'a=3gpp-tep:9 TCP'] : []),
  );
}

export function lines(...all: readonly string[]): string {
  return all.map((line) => `${line}\r\n`).join('');
}

export interface Dialog {
  readonly callId: string;
  readonly fromTag: string;
  readonly toTag: string;
}

/** `replace` as `rtpengine_manage("replace-origin replace-session-connection")` says it. */
export function offer({ callId, fromTag }: Dialog, sdp: string, more: Dictionary = {}): Dictionary {
  const replace = ['origin', 'session-connection'];
  return { command: 'offer', 'call-id': callId, 'from-tag': fromTag, sdp, replace, ...more };
}

export function answer(dialog: Dialog, sdp: string, more: Dictionary = {}): Dictionary {
  const { callId, fromTag, toTag } = dialog;
  const tags = { 'call-id': callId, 'from-tag': fromTag, 'to-tag': toTag };
  return { command: 'answer', ...tags, sdp, replace: ['origin', 'session-connection'], ...more };
}

export function bye({ callId, fromTag, toTag }: Dialog): Dictionary {
  return { command: 'delete', 'call-id': callId, 'from-tag': fromTag, 'to-tag': toTag };
}
