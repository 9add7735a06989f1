/**
 * One call as the media gateway knows it: who has said what, and what the gateway has told whom. A party
 * is a tag; what is told to somebody whose tag is not known yet stands under the branch of the offer.
 *
 * Memory: MAX_PARTIES parties with at most MAX_PARTIES descriptions each, MAX_OCTETS in all or what two parties
 * have said and were told; the tags of as many who have left.
 */
import { type Pinhole, pinholeText } from '../../session/pinholes.ts';
import type { SessionCredentials } from '../../session/session-users.ts';
import type { Command } from './command.ts';
import { type Description, MAX_WAYS, octetsOf, usersBetween, waysBetween } from './description.ts';

/** Forks, and parties that came and went, as in transfers. */
const MAX_PARTIES = 32;

/** Of what is said and told: hundreds of descriptions as phones write them. */
const MAX_OCTETS = 1024 * 1024;
/** About what a party takes besides, and a way. */
const PARTY_OCTETS = 300;
const WAY_OCTETS = 150;

interface Party {
  /** What is in force, and an offer that nobody has answered yet: media may use either. */
  said: Description | undefined;
  offered: Description | undefined;
  /** To whom, when that is known: a change of what is in force, which may be refused. */
  offeredTo: string | undefined;
  /** An offer that was refused, as it seems: nothing goes there, unless it is answered after all. */
  lapsed: Description | undefined;
  /** Of the offer that it has answered; '' for one that has answered none. */
  branch: string;
  /** By the tag of the other end. */
  readonly told: Map<string, Description>;
}

/** What a gateway remembers of a party (`query`). */
export interface Remembered {
  readonly tag: string;
  readonly other: string;
  readonly said: Description;
  readonly told: Description;
}

/** What a call opens. */
export interface Ways {
  readonly pinholes: readonly Pinhole[];
  /** Who may open a tunnel while it lasts, where TEP-S lets sessions in. */
  readonly users: readonly SessionCredentials[];
}

/** What becomes of a call when somebody leaves it; `unknown`: by its names nobody has left. */
export type Leave = 'over' | 'goes-on' | 'unknown';

export class Call {
  readonly #parties = new Map<string, Party>();
  /** What was told to whoever will answer, by branch. */
  readonly #branches = new Map<string, Description>();
  /** Tags of those who have left, or made room. */
  readonly #left = new Map<string, true>();

  /** `said` went to the gateway, which made `told` of it for the other end. */
  offered(command: Command, said: Description, told: Description): void {
    const { fromTag, toTag, branch } = command;
    const offerer = this.#party(fromTag);
    offerer.offered = said;
    offerer.offeredTo = toTag;
    offerer.lapsed = undefined;
    if (toTag === undefined) {
      put(this.#branches, branch, told);
      return;
    }
    const other = this.#party(toTag);
    put(other.told, fromTag, told);
    // One offer at a time (RFC 3261 clause 14): theirs has been refused, or is going to be.
    if (other.offeredTo === fromTag) lapse(other);
  }

  answered(command: Command, said: Description, told: Description): void {
    const { fromTag, toTag = '', branch } = command;
    const answerer = this.#party(toTag);
    answerer.said = said;
    answerer.offered = undefined;
    answerer.lapsed = undefined;
    answerer.branch = branch;
    // The first answer of a fork: what its branch was told, it was told.
    const first = this.#branches.get(branch) ?? [...this.#branches.values()].at(-1);
    if (first !== undefined && !answerer.told.has(fromTag)) answerer.told.set(fromTag, first);
    const offerer = this.#party(fromTag);
    offerer.said = offerer.offered ?? offerer.lapsed ?? offerer.said;
    offerer.offeredTo = undefined;
    offerer.lapsed = undefined;
    put(offerer.told, toTag, told);
  }

  /** Nothing was heard of the call for so long that changes which are on offer must have been refused. */
  lapse(): void {
    for (const party of this.#parties.values()) if (party.offeredTo !== undefined) lapse(party);
  }

  /**
   * A gateway that was there before us tells what it knows. Whom we have heard, we know better; who has left it
   * may remember for half a minute (delete-delay).
   */
  remember({ tag, other, said, told }: Remembered): void {
    if (this.#left.has(tag)) return;
    const party = this.#party(tag);
    if (party.said !== undefined || party.offered !== undefined) return;
    party.said = said;
    party.told.set(other, told);
  }

  /**
   * Whether the receiver of the description that a command leads to has said that it can use the tunnel
   * on this m= line; undefined when it has not said anything. Lines that are new to it are as its others.
   */
  receiverCan({ name, fromTag, toTag }: Command, media: number): boolean | undefined {
    const receiver = this.#parties.get((name === 'answer' ? fromTag : toTag) ?? '');
    const said = receiver?.offered ?? receiver?.said;
    if (said === undefined) return undefined;
    const line = said[media];
    return line === undefined ? said.some(({ can }) => can) : line.can;
  }

  /**
   * A fork, or all of it, is over, whichever the gateway takes it for (rtpengine 10.5, call_delete_branch): the
   * branch when nobody's tag is given, then the tag, then the branch again; nothing when it knows neither.
   */
  leave({ fromTag, toTag, branch }: Command): Leave {
    if (fromTag === '') return 'over';
    const tag = toTag ?? fromTag;
    const hasBranch = branch !== '' && this.#branches.has(branch);
    if (toTag === undefined && hasBranch) this.#removeBranch(branch);
    else if (this.#parties.has(tag)) this.#remove(tag);
    else if (hasBranch) this.#removeBranch(branch);
    else return 'unknown';
    return this.#isOver() ? 'over' : 'goes-on';
  }

  /** When they say too much the oldest parties go, but for the two of this command. */
  shrink({ fromTag, toTag }: Command): void {
    const others = [...this.#parties.keys()].filter((tag) => tag !== fromTag && tag !== toTag);
    for (const tag of others) {
      if (this.#descriptionOctets() <= MAX_OCTETS) break;
      this.#remove(tag);
    }
  }

  /** About how much memory it takes, with these ways. */
  octets({ pinholes, users }: Ways): number {
    return this.#descriptionOctets() + WAY_OCTETS * (pinholes.length + users.length);
  }

  #descriptionOctets(): number {
    let sum = 0;
    const add = (name: string, description: Description) => {
      sum += name.length + octetsOf(description);
    };
    for (const [branch, told] of this.#branches) add(branch, told);
    for (const tag of this.#left.keys()) sum += tag.length;
    for (const [tag, { said, offered, lapsed, told }] of this.#parties) {
      sum += PARTY_OCTETS + tag.length;
      for (const own of new Set([said, offered, lapsed])) add('', own ?? []);
      for (const [other, far] of told) add(other, far);
    }
    return sum;
  }

  ways(): Ways {
    const pinholes = new Map<string, Pinhole>();
    const users = new Map<string, SessionCredentials>();
    for (const { said, offered, told } of this.#parties.values()) {
      for (const own of [said ?? [], offered ?? []]) {
        for (const far of told.values()) {
          for (const way of waysBetween(own, far)) pinholes.set(pinholeText(way), way);
          for (const user of usersBetween(own, far)) users.set(user.name, user);
        }
      }
    }
    return { pinholes: [...pinholes.values()].slice(0, MAX_WAYS), users: [...users.values()] };
  }

  /** Nobody who is left has been told about somebody who is left, or waits for who will answer. */
  #isOver(): boolean {
    const parties = [...this.#parties.values()];
    if (parties.some(({ told }) => told.size > 0)) return false;
    const isForking = [...this.#branches.keys()].some((branch) => branch !== '');
    return !isForking || !parties.some(({ offered }) => offered !== undefined);
  }

  #removeBranch(branch: string): void {
    this.#branches.delete(branch);
    for (const [tag, party] of this.#parties) if (party.branch === branch) this.#remove(tag);
  }

  #remove(tag: string): void {
    const branch = this.#parties.get(tag)?.branch ?? '';
    // Without a name it is where any other fork may still answer.
    if (branch !== '') this.#branches.delete(branch);
    this.#parties.delete(tag);
    put(this.#left, tag, true);
    for (const { told } of this.#parties.values()) told.delete(tag);
  }

  #party(tag: string): Party {
    const known = this.#parties.get(tag);
    if (known !== undefined) return known;
    const party = {
      ...{ said: undefined, offered: undefined, offeredTo: undefined, lapsed: undefined },
      ...{ branch: '', told: new Map() },
    };
    put(this.#parties, tag, party);
    this.#left.delete(tag);
    return party;
  }
}

/** Who has said nothing else goes on offering. */
function lapse(party: Party): void {
  if (party.said === undefined) return;
  party.lapsed = party.offered;
  party.offered = undefined;
  party.offeredTo = undefined;
}

/** The newest value; the oldest goes when there are too many. */
function put<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MAX_PARTIES && oldest !== undefined) map.delete(oldest);
}
