/**
 * The units of systemd for both agents. As little as works: a user of its own without any privilege, or
 * with the two capabilities of the packet port `rings`; nothing to write but /run/tep.
 */
import type { AgentName } from '../../ops/status.ts';

export interface UnitWishes {
  readonly agent: AgentName;
  /** Absolute names of Node and of this program. */
  readonly node: string;
  readonly program: string;
  /** The configuration says `packets.port: rings`. */
  readonly rings: boolean;
}

export const SERVICE_USER = 'tep';
/** What `ProtectHome` hides (systemd.exec(5)), and other users often may not read. */
const HOMES = /^\/(?:home|root|run\/user)\//;

/** In place of these `PrivateTmp` gives it folders of its own. */
const PRIVATE = /^\/(?:var\/)?tmp\//;

const DESCRIPTIONS: Readonly<Record<AgentName, string>> = {
  client: 'TEP-C, tunnel of IMS media through firewalls',
  server: 'TEP-S, tunnel server of IMS media',
};

export function serviceUnit({ agent, node, program, rings }: UnitWishes): string {
  const home = [node, program].some((path) => HOMES.test(path)) ? 'read-only' : 'yes';
  const socket = agent === 'server' ? 'Requires=tep-server.socket\nAfter=tep-server.socket\n' : '';
  const also = agent === 'server' ? 'Also=tep-server.socket\n' : '';
  return `[Unit]
Description=${DESCRIPTIONS[agent]}
After=network-online.target
Wants=network-online.target
${socket}
[Service]
Type=notify
ExecStart=${quoted(node)} ${quoted(program)} ${agent}
ExecReload=/bin/kill -HUP $MAINPID
# While calls end it asks for more time itself.
TimeoutStopSec=30
# Its helpers end by its own word; none survives it.
KillMode=mixed
Restart=on-failure
RestartSec=1
# A wrong configuration does not become right by being read again.
RestartPreventExitStatus=2
WatchdogSec=30
LimitNOFILE=65536

User=${SERVICE_USER}
RuntimeDirectory=tep
RuntimeDirectoryMode=0750
# The other agent of this machine has its socket there too.
RuntimeDirectoryPreserve=yes
UMask=0077

${privileges(rings)}NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=${home}
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectProc=invisible
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
LockPersonality=yes
KeyringMode=private
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
# JavaScript is compiled while it runs.
MemoryDenyWriteExecute=no

[Install]
WantedBy=multi-user.target
${also}`;
}

/**
 * Ports below 1024 are opened by systemd, so that the server needs no privilege for them: connections,
 * and datagrams for plain STUN. Families apart: a datagram socket of the server has one.
 */
export function socketUnit(): string {
  const at = ['80', '443'].flatMap((port) => [`0.0.0.0:${port}`, `[::]:${port}`]);
  return `[Unit]
Description=Ports of TEP-S (listen: systemd)

[Socket]
${at.map((address) => `ListenStream=${address}\nListenDatagram=${address}`).join('\n')}
BindIPv6Only=ipv6-only
Backlog=4096
NoDelay=yes

[Install]
WantedBy=sockets.target
`;
}

/** Whether the service may find nothing there, although whoever installs it does. */
export function mayBeHidden(path: string): boolean {
  return HOMES.test(path) || PRIVATE.test(path);
}

/** sysusers.d(5). */
export function userFile(): string {
  return `u ${SERVICE_USER} - "IMS media tunnel" - -\n`;
}

/** Rings write settings of their own interface below /proc/sys/net. */
function privileges(rings: boolean): string {
  const set = rings ? 'CAP_NET_ADMIN CAP_NET_RAW' : '';
  const families = rings
    ? 'AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_PACKET AF_XDP'
    : 'AF_UNIX AF_INET AF_INET6 AF_NETLINK';
  const reason = rings
    ? '# packets.port: rings makes an interface and routing rules of its own.'
    : '# packets.port: sockets needs no privilege; after a change to rings install again.';
  return `${reason}
AmbientCapabilities=${set}
CapabilityBoundingSet=${set}
RestrictAddressFamilies=${families}
ProtectKernelTunables=${rings ? 'no' : 'yes'}
`;
}

/** As systemd.service(5) reads words. */
function quoted(path: string): string {
  const escaped = path.replaceAll('%', '%%').replaceAll('$', '$$$$').replaceAll(/["\\]/g, '\\$&');
  return /[\s"'\\;]/.test(path) ? `"${escaped}"` : escaped;
}
