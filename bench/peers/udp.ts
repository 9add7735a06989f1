/** No tunnel at all: the limit of what any can do, and the truth about the link. */
import { ADDRESSES } from '../link/ground.ts';
import { Endpoints } from '../media/endpoints.ts';
import { made, type Peer } from './peer.ts';

export const udp: Peer = {
  name: 'udp',
  title: 'UDP, no tunnel',
  isTcp: false,
  async open({ network }, flows) {
    const phones = await Endpoints.start(network, 'ue');
    const gateways = await Endpoints.start(network, 'core');
    const ues = await phones.open(ADDRESSES.ue, flows);
    const media = await gateways.open(ADDRESSES.relay, flows);
    phones.aim(media);
    gateways.aim(ues);
    return { phones, gateways, ...made([], []) };
  },
};
