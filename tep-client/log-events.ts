/** What TEP-C tells, as lines of a log: this is the only place that words them. */
import { logFlowEnded } from '../ops/flow-log.ts';
import type { Log } from '../ops/log.ts';
import { logStateChange, protocolName } from '../ops/state-log.ts';
import type { FlowProtocol } from '../session/outputs.ts';
import { type Endpoint, formatEndpoint } from '../wire/address.ts';
import { type Fault, faultName } from '../wire/faults.ts';
import type { ClientEvent } from './options.ts';

export function logClientEvent(log: Log, event: ClientEvent): void {
  switch (event.type) {
    case 'opened': {
      const { resumed, software } = event;
      const outer = formatEndpoint(event.outer);
      log.info(resumed ? 'tunnel resumed' : 'tunnel opened', { outer, software });
      break;
    }
    case 'refused':
      log.error('the server does not let us in', reasonOf(event));
      break;
    case 'closed':
      if (event.why === 'asked' || event.why === 'idle') log.info('tunnel closed', reasonOf(event));
      else log.error('the server does not let us in', reasonOf(event));
      break;
    case 'outage':
      if (event.on) log.warn('no tunnel can be had');
      else log.info('outage is over');
      break;
    case 'connect-failed':
    case 'connection-broken': {
      const { stage, code, text } = event.fault;
      const broken = event.type === 'connection-broken';
      log.warn(broken ? 'connection broke' : 'cannot connect', { stage, code, why: text });
      break;
    }
    case 'bound': {
      const { changed, pair } = event;
      const fields = { ...flowOf(event), public: formatEndpoint(event.address), pair };
      if (changed) log.warn('public address changed, the call must be told', fields);
      else log.info('bound', fields);
      break;
    }
    case 'bind-failed':
      log.warn('no public address', { ...flowOf(event), code: event.code, why: event.reason });
      break;
    case 'released':
      log.info('released', flowOf(event));
      break;
    case 'flow-ended':
      logFlowEnded(log, event);
      break;
    case 'close':
      log.debug('connection ends', { conn: event.conn, fault: nameOf(event.fault) });
      break;
    case 'connect':
      log.debug('connecting', { conn: event.conn, stripe: event.stripe });
      break;
    case 'connection-state':
    case 'tunnel-state':
      logStateChange(log, event);
      break;
  }
}

function reasonOf({ why, code, reason }: { why: string; code: number; reason: string }) {
  return { why, ...(code > 0 && { code }), ...(reason !== '' && { reason }) };
}

function flowOf({ ue, protocol }: { ue: Endpoint; protocol: FlowProtocol }) {
  return { ue: formatEndpoint(ue), protocol: protocolName(protocol) };
}

function nameOf(fault: Fault | 0): string {
  return fault === 0 ? 'none' : faultName(fault);
}
