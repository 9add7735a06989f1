/** Is the direct way closed? Media packets are sent without any tunnel, and do not arrive. */
import { type Host, orFail } from './party.ts';

/** More than the longest way through the lab takes. */
const WAIT_MS = 400;
const PACKETS = 5;
const RTP_LEN = 172;

export interface Probe {
  readonly sent: number;
  readonly arrived: number;
}

export async function probeDirectly(phones: Host, gateways: Host): Promise<Probe> {
  let arrived = 0;
  const count = () => {
    arrived += 1;
  };
  const gateway = orFail(await gateways.open(0, count));
  const phone = orFail(await phones.open(0, () => {}));
  const { address, port } = gateway.local;
  for (let i = 0; i < PACKETS; i++) {
    phone.send(new Uint8Array(RTP_LEN), 0, RTP_LEN, address, 0, port);
  }
  await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
  await Promise.all([phone.close(), gateway.close()]);
  return { sent: PACKETS, arrived };
}
