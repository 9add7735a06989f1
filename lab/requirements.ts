/** What the lab needs of the machine, and how to get it. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Debian's packages of each program that the lab may run. */
const PACKAGE_OF = {
  ip: 'iproute2',
  nft: 'nftables',
  ethtool: 'ethtool',
  sysctl: 'procps',
  conntrack: 'conntrack',
  tcpdump: 'tcpdump',
  squid: 'squid',
  htpasswd: 'apache2-utils',
  tinyproxy: 'tinyproxy',
  baresip: 'baresip',
  linphonec: 'linphone-cli',
  sipp: 'sip-tester',
  ffmpeg: 'ffmpeg',
  nmap: 'nmap',
  ping: 'iputils-ping',
  openssl: 'openssl',
  iptables: 'iptables',
  cc: 'build-essential',
  turnserver: 'coturn',
  udptunnel: 'udptunnel',
  openvpn: 'openvpn',
  kamailio: 'kamailio kamailio-tls-modules',
  rtpengine: 'rtpengine-daemon',
} as const;

export type LabProgram = keyof typeof PACKAGE_OF;

/** What every network needs. */
const ALWAYS: readonly LabProgram[] = ['ip', 'nft', 'sysctl'];
/**
 * Where system programs are. Before the caller's PATH: that of an ordinary user has no `sbin`, and what
 * npm runs finds programs of packages first, among them another `nft`.
 */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin', '/bin'];

const SETTING = /^TEP_|_proxy$/i;

/** Why no lab can be built here, in one line; undefined when it can. */
export function labMissing(programs: readonly LabProgram[] = []): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are a part of Linux';
  if (process.getuid?.() !== 0) return 'network namespaces need root: run it with sudo';
  const missing = [...ALWAYS, ...programs].filter((program) => !isInstalled(program));
  if (missing.length === 0) return undefined;
  const packages = packagesOf(missing).join(' ');
  return `not installed: ${missing.join(', ')} (on Debian: apt-get install ${packages})`;
}

/** Debian's packages of what is not there. */
export function packagesMissing(programs: readonly LabProgram[]): string[] {
  return packagesOf([...ALWAYS, ...programs].filter((program) => !isInstalled(program)));
}

function packagesOf(programs: readonly LabProgram[]): string[] {
  return [...new Set(programs.flatMap((program) => PACKAGE_OF[program].split(' ')))];
}

/**
 * The environment for the lab's programs: the caller's, with the folders of system programs first, and
 * without what would be a setting of the agents or a proxy that no host of the lab reaches.
 */
export function systemEnvironment(): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(([name]) => !SETTING.test(name));
  return { ...Object.fromEntries(others), PATH: searchFolders().join(delimiter), LC_ALL: 'C' };
}

function isInstalled(program: string): boolean {
  return searchFolders().some((folder) => isExecutable(join(folder, program)));
}

function searchFolders(): string[] {
  const own = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...new Set([...SYSTEM_FOLDERS, ...own])];
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
