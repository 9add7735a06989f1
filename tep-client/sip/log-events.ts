/** What the sidecar tells, as lines of a log: this is the only place that words them. */
import type { IoFault } from '../../io/io-fault.ts';
import type { Log } from '../../ops/log.ts';
import { type Rung, rungName } from './rungs.ts';

export type SipEvent =
  | { readonly type: 'listening'; readonly at: readonly string[] }
  | { readonly type: 'proven'; readonly rung: Rung }
  | { readonly type: 'lost'; readonly rung: Rung; readonly fault: IoFault }
  | { readonly type: 'unreachable' }
  | { readonly type: 'register-again'; readonly count: number }
  | { readonly type: 'registered' | 'unregistered'; readonly aor: string; readonly seconds: number }
  | { readonly type: 'without-tunnel' | 'abandoned'; readonly callId: string }
  | { readonly type: 'call-ended'; readonly callId: string };

export function logSipEvent(log: Log, event: SipEvent): void {
  switch (event.type) {
    case 'listening':
      log.info('outbound proxy for phones', { at: event.at.join(', ') });
      break;
    case 'proven':
      log.info('the core answers', { by: rungName(event.rung) });
      break;
    case 'lost':
      log.warn('no way to the core', {
        by: rungName(event.rung),
        code: event.fault.code,
        why: event.fault.text,
      });
      break;
    case 'unreachable':
      log.error('the core cannot be reached');
      break;
    case 'register-again':
      log.warn('phones must register again before calls reach them', { phones: event.count });
      break;
    case 'registered':
      log.info('registered', { aor: event.aor, seconds: event.seconds });
      break;
    case 'unregistered':
      log.info('unregistered', { aor: event.aor });
      break;
    case 'without-tunnel':
      log.warn('no public address in time: media without the tunnel', { call: event.callId });
      break;
    case 'abandoned':
      log.warn('call given up: nothing is heard of its phone', { call: event.callId });
      break;
    case 'call-ended':
      log.debug('call ended', { call: event.callId });
      break;
  }
}
