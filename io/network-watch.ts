/**
 * Notices when the network of this machine changes: told by the kernel (rtnetlink) where system calls
 * are to be had and do not fail later, else by looking at the addresses every other second. What comes within a moment is told
 * together, because one change of network is a dozen messages.
 */
import { networkInterfaces } from 'node:os';
import { isIoFault } from './io-fault.ts';
import { watchByNetlink } from './network/netlink-watch.ts';
import { type NetworkChange, NetworkState } from './network/network-state.ts';
import { Teller } from './network/teller.ts';

export interface NetworkWatch {
  close(): void;
}

export interface NetworkWatchOptions {
  /** Links whose changes are our own doing. */
  readonly ignoredLinks?: readonly string[];
}

const POLL_MS = 2_000;

export function watchNetwork(
  onChange: (change: NetworkChange) => void,
  options: NetworkWatchOptions = {},
): NetworkWatch {
  const teller = new Teller(onChange, new Set(options.ignoredLinks));
  let polling: NetworkWatch | undefined;
  const poll = () => {
    polling ??= watchByPolling(teller);
  };
  const watch = watchByNetlink(teller, poll);
  if (isIoFault(watch)) poll();
  return {
    close: () => {
      if (!isIoFault(watch)) watch.close();
      polling?.close();
    },
  };
}

/** Without netlink: addresses are all that can be seen. */
function watchByPolling(teller: Teller): NetworkWatch {
  teller.became(seen());
  const timer = setInterval(() => teller.became(seen()), POLL_MS);
  return {
    close: () => {
      clearInterval(timer);
      teller.close();
    },
  };
}

function seen(): NetworkState {
  const state = new NetworkState();
  for (const list of Object.values(networkInterfaces())) {
    for (const { address, scopeid } of list ?? []) {
      // Those of the link itself reach no server.
      if (scopeid === undefined || scopeid === 0)
        state.apply({ type: 'address', index: 0, address });
    }
  }
  return state;
}
