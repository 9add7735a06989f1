/** `tep client`: TEP-C, the end of the tunnel beside the phone. */
import type { AgentStatus } from '../ops/status.ts';
import { startClient } from '../tep-client/daemon.ts';
import { CLIENT_FILE, CLIENT_KEYS, checkClient } from '../tep-client/settings.ts';
import { agentCommand } from './agent/command.ts';

export const command = agentCommand(
  {
    name: 'client',
    keys: CLIENT_KEYS,
    check: checkClient,
    defaultFile: CLIENT_FILE,
    start: startClient,
    summary,
  },
  {
    summary: 'run TEP-C, the end of the tunnel beside the phone',
    about: `
Takes the media of IMS calls to media gateways off the routes of this machine, or from sockets, and
carries them to TEP-S in TCP or TLS, through an HTTP proxy where there is one. The application on
the phone does not change. Runs until it is told to end, and writes its log to standard error.`,
    least: `
servers: tls://tep.example
user: alice
password-file: client.password
media.to: 203.0.113.0/24`,
    sample: { key: 'tls.ca', value: 'ca.pem', flag: 'stun.discover' },
    examples: [
      ['tep client', `with ${CLIENT_FILE}, as the service does`],
      ['tep client --check', 'is the configuration right, and what holds?'],
      [
        'tep client --packets-port sockets --maps 127.0.0.1:4000=203.0.113.9:30000',
        'without privileges: a socket stands for a media address',
      ],
      ['tep client --config client.yaml --log-level debug', 'everything that happens'],
    ],
  },
);

function summary(status: AgentStatus): string {
  if (status.agent !== 'client') return '';
  const { tunnel, bindings } = status;
  const server = tunnel.server === undefined ? '' : ` to ${tunnel.server}`;
  return `tunnel ${tunnel.state}${server}, ${bindings.length} bindings`;
}
