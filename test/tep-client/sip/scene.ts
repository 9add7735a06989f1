/** A simulated phone and core with a sidecar and its tunnel between them. */
import type { ExecutionContext } from 'ava';
import { parseEndpoint } from '../../../wire/address.ts';
import { openPair } from '../../daemon/pair.ts';
import { start, urlOf } from '../started.ts';
import { SimCore, SimPhone } from './simulated.ts';

export const AOR = '<sip:alice@example.org>';

export async function openScene(t: ExecutionContext, ...more: string[]) {
  const server = await openPair();
  const core = await SimCore.open();
  const tep = await start(
    t,
    `--servers=${urlOf(server)}`,
    '--sip-listen=127.0.0.1:0',
    ...(more.some((word) => word.startsWith('--sip-core=')) ? [] : [`--sip-core=${core.url}`]),
    '--sip-media=tunnel',
    ...more,
  );
  const [listening = ''] = tep.status().sip?.listening ?? [];
  const proxy = parseEndpoint(listening);
  if (proxy === undefined) throw new Error('the sidecar listens nowhere');
  const phone = await SimPhone.open(proxy);
  t.teardown(async () => {
    await tep.running.stop();
    await Promise.all([phone.close(), core.close(), server.stop()]);
  });
  return { server, core, phone, proxy, ...tep };
}
