/** Links, addresses and default routes of this machine, and how two states of them differ. */
import type { LinkState, NetworkEvent } from './rtnetlink.ts';

/** What has become different. Names of links, literal addresses. */
export interface NetworkChange {
  readonly linksUp: readonly string[];
  readonly linksDown: readonly string[];
  readonly addressesNew: readonly string[];
  readonly addressesGone: readonly string[];
  /** Packets to most of the world take another way than before, or none. */
  readonly defaultRoute: boolean;
}

interface Link {
  readonly name: string;
  readonly link: LinkState;
}

type Route = Extract<NetworkEvent, { readonly type: 'route' | 'route-gone' }>;

export class NetworkState {
  readonly #links = new Map<number, Link>();
  /** `index address`. */
  readonly #addresses = new Set<string>();
  readonly #routes = new Map<string, Route>();

  /** Changes nothing of it. */
  copy(): NetworkState {
    const copy = new NetworkState();
    for (const [index, link] of this.#links) copy.#links.set(index, link);
    for (const address of this.#addresses) copy.#addresses.add(address);
    for (const [key, route] of this.#routes) copy.#routes.set(key, route);
    return copy;
  }

  apply(event: NetworkEvent): void {
    switch (event.type) {
      case 'link':
        this.#links.set(event.index, event);
        // The kernel takes IPv4 routes of a link that is switched off away without a word.
        if (event.link === 'down') this.#forgetRoutes((route) => route.index === event.index);
        break;
      case 'link-gone':
        this.#links.delete(event.index);
        this.#forgetRoutes((route) => route.index === event.index);
        break;
      case 'address':
        this.#addresses.add(`${event.index} ${event.address}`);
        break;
      case 'address-gone':
        this.#addresses.delete(`${event.index} ${event.address}`);
        break;
      case 'route':
        if (event.replaces) this.#forgetRoutes((route) => rankOf(route) === rankOf(event));
        this.#routes.set(keyOf(event), event);
        break;
      case 'route-gone':
        this.#routes.delete(keyOf(event));
        break;
      case 'done':
        break;
    }
  }

  /** What differs from `before`, apart from what concerns links named in `ignored`. */
  since(before: NetworkState, ignored: ReadonlySet<string>): NetworkChange | undefined {
    const is = this.#view(ignored);
    const was = before.#view(ignored);
    const change = {
      linksUp: missing(is.links, was.links),
      linksDown: missing(was.links, is.links),
      addressesNew: missing(is.addresses, was.addresses),
      addressesGone: missing(was.addresses, is.addresses),
      defaultRoute: is.routes !== was.routes,
    };
    const lists = [change.linksUp, change.linksDown, change.addressesNew, change.addressesGone];
    return change.defaultRoute || lists.some((list) => list.length > 0) ? change : undefined;
  }

  #view(ignored: ReadonlySet<string>) {
    const isIgnored = (index: number) => ignored.has(this.#links.get(index)?.name ?? '');
    const isUp = (index: number) => (this.#links.get(index)?.link ?? 'up') === 'up';
    const links = [...this.#links].filter(([index]) => isUp(index) && !isIgnored(index));
    const addresses = [...this.#addresses]
      .map((entry) => entry.split(' '))
      .filter(([index]) => !isIgnored(Number(index)));
    const routes = [...this.#routes].filter(([, { index }]) => isUp(index) && !isIgnored(index));
    return {
      links: new Set(links.map(([, { name }]) => name)),
      addresses: new Set(addresses.map(([, address = '']) => address)),
      routes: routes
        .map(([key]) => key)
        .sort()
        .join(),
    };
  }

  #forgetRoutes(which: (route: Route) => boolean): void {
    for (const [key, route] of this.#routes) if (which(route)) this.#routes.delete(key);
  }
}

function rankOf({ family, metric }: Route): string {
  return `${family} ${metric}`;
}

function keyOf(route: Route): string {
  return `${rankOf(route)} ${route.hop}`;
}

/** Those of `all` that `others` does not have. */
function missing(all: ReadonlySet<string>, others: ReadonlySet<string>): string[] {
  return [...all].filter((entry) => !others.has(entry));
}
