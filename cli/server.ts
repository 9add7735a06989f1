/** `tep server`: TEP-S, the end of the tunnel beside the media gateway. */
import type { AgentStatus } from '../ops/status.ts';
import { startServer } from '../tep-server/daemon.ts';
import { checkServer, SERVER_FILE, SERVER_KEYS } from '../tep-server/settings.ts';
import { agentCommand } from './agent/command.ts';

export const command = agentCommand(
  {
    name: 'server',
    keys: SERVER_KEYS,
    check: checkServer,
    defaultFile: SERVER_FILE,
    start: startServer,
    summary,
  },
  {
    summary: 'run TEP-S, the end of the tunnel beside the media gateway',
    about: `
Listens for tunnels of TEP-C, plain, in TLS or behind an HTTP CONNECT on the same port, gives each
call a public address, and passes media between it and the media gateways that are allowed. Answers
ordinary STUN too. Runs until it is told to end, and writes its log to standard error.`,
    least: `
users: users
addresses.public: 198.51.100.7
media.allow: 203.0.113.0/24`,
    sample: { key: 'tls.certificate', value: 'cert.pem', flag: 'stun-udp' },
    examples: [
      ['tep server', `with ${SERVER_FILE}, as the service does`],
      ['tep server --check', 'is the configuration right, and what holds?'],
      ['tep server --config server.yaml --listen "[::]:8080"', 'on a port that needs no privilege'],
      ['tep server --log-format json', 'for machines'],
    ],
  },
);

function summary(status: AgentStatus): string {
  if (status.agent !== 'server') return '';
  const { tunnelCount, bindingCount, draining } = status;
  return `${tunnelCount} tunnels, ${bindingCount} public ports${draining ? ', draining' : ''}`;
}
