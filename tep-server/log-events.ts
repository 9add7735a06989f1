/** What TEP-S tells, as lines of a log: this is the only place that words them. */
import { logFlowEnded } from '../ops/flow-log.ts';
import type { Log } from '../ops/log.ts';
import { logStateChange, protocolName } from '../ops/state-log.ts';
import type { FlowProtocol } from '../session/outputs.ts';
import { type Endpoint, formatEndpoint } from '../wire/address.ts';
import { faultName } from '../wire/faults.ts';
import type { NgEvent } from './ng/relay.ts';
import type { ServerEvent } from './options.ts';

/** Load balancers ask by HTTP every few seconds whether somebody is there. */
const EVERYDAY_VISIT = 'http';

export function logServerEvent(log: Log, event: ServerEvent): void {
  switch (event.type) {
    case 'tunnel-opened': {
      const { tunnel, user } = event;
      log.info('tunnel opened', { tunnel, user, peer: formatEndpoint(event.peer) });
      break;
    }
    case 'login-refused': {
      // Not the name: it may be a password that was typed into the wrong field.
      log.warn('login refused', {
        peer: formatEndpoint(event.peer),
        fault: faultName(event.fault),
      });
      break;
    }
    case 'tunnel-joined': {
      const { tunnel, stripe } = event;
      log.info('connection joined a tunnel', { tunnel, peer: formatEndpoint(event.peer), stripe });
      break;
    }
    case 'tunnel-closed':
      log.info('tunnel closed', { tunnel: event.tunnel, why: event.why });
      break;
    case 'bound':
    case 'released':
      log.info(event.type, { tunnel: event.tunnel, ...flowOf(event) });
      break;
    case 'flow-ended':
      logFlowEnded(log, event);
      break;
    case 'listen-failed':
      log.error('a public address cannot be opened', { why: event.fault.text });
      break;
    case 'turned-away': {
      const fields = { peer: formatEndpoint(event.peer), reason: event.reason };
      log[event.reason === EVERYDAY_VISIT ? 'debug' : 'info']('turned away', fields);
      break;
    }
    case 'close':
      if (event.fault !== 0) {
        log.info('connection cut', { conn: event.conn, fault: faultName(event.fault) });
      }
      break;
    case 'listen':
    case 'listen-end':
      log.debug(event.type, { id: event.id, ...flowOf(event) });
      break;
    case 'connection-state':
    case 'tunnel-state':
      logStateChange(log, event);
      break;
  }
}

export function logNgEvent(log: Log, event: NgEvent): void {
  switch (event.type) {
    case 'call-opened':
      log.info('call opened', { call: event.callId, ways: event.ways });
      break;
    case 'call-closed':
      log.info('call closed', { call: event.callId, why: event.why });
      break;
    case 'gateway-answers':
      if (event.yes) log.info('the media gateway answers');
      else log.warn('the media gateway does not answer');
      break;
    case 'calls-remembered': {
      const { calls, ways } = event;
      if (calls > 0) log.info('the media gateway has calls already', { calls, ways });
      break;
    }
  }
}

function flowOf({ address, protocol }: { address: Endpoint; protocol: FlowProtocol }) {
  return { public: formatEndpoint(address), protocol: protocolName(protocol) };
}
