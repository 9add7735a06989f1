/** What the media gateway remembers of its calls, out of its answers to `list` and `query`. */
import { type DictionaryValue, textOf, type Value } from '../../framing/ng/bencode.ts';
import type { NgMessage } from '../../framing/ng/message.ts';
import { type Endpoint, parseEndpoint } from '../../wire/address.ts';
import { PROTOCOL as UDP } from '../../wire/udp.ts';
import type { Remembered } from './call.ts';
import type { Description, End, MediaLine } from './description.ts';

/** Call-IDs, at most those of one answer. */
export function callsIn(message: NgMessage): string[] {
  const calls = message.dictionary.entries.get('calls')?.value;
  if (calls?.type !== 'list') return [];
  return calls.items.flatMap((one) => (one.type === 'string' ? textOf(message.octets, one) : []));
}

/**
 * Each party with its own addresses, as its description told them, and the gateway's towards it. That it can
 * use a tunnel nobody remembers: it is taken from whether `isOurs` knows its address as one of ours.
 */
export function partiesIn(
  message: NgMessage,
  isOurs: (address: Uint8Array) => boolean,
): Remembered[] {
  const look = new Look(message.octets);
  const tags = look.dictionary(message.dictionary, 'tags');
  return [...(tags?.entries ?? [])].flatMap(([tag, { value }]) => {
    if (value.type !== 'dictionary') return [];
    const [subscription] = look.list(value, 'subscriptions');
    const other = (subscription && look.text(subscription, 'tag')) ?? '';
    const lines = look.list(value, 'medias').map((media) => look.list(media, 'streams'));
    const said = lines.map((streams) => saidBy(look, streams, isOurs));
    const told = lines.map((streams) => lineOf(streams.flatMap((one) => look.gatewayEnd(one))));
    return [{ tag, other, said, told: told satisfies Description }];
  });
}

function saidBy(
  look: Look,
  streams: readonly DictionaryValue[],
  isOurs: (address: Uint8Array) => boolean,
): MediaLine {
  const ends = streams.flatMap((one) => look.partyEnd(one));
  const can = ends.some(({ at }) => isOurs(at.address));
  return { ...lineOf(ends), can, opens: true };
}

function lineOf(ends: readonly End[]): MediaLine {
  return { can: false, opens: false, muxes: false, ends, ice: undefined };
}

/** Values of dictionaries that may be anything. */
class Look {
  readonly #octets: Uint8Array;

  constructor(octets: Uint8Array) {
    this.#octets = octets;
  }

  dictionary(of: DictionaryValue, key: string): DictionaryValue | undefined {
    const value = of.entries.get(key)?.value;
    return value?.type === 'dictionary' ? value : undefined;
  }

  /** Dictionaries of a list. */
  list(of: DictionaryValue, key: string): DictionaryValue[] {
    const value = of.entries.get(key)?.value;
    const items: readonly Value[] = value?.type === 'list' ? value.items : [];
    return items.flatMap((one) => (one.type === 'dictionary' ? one : []));
  }

  text(of: DictionaryValue, key: string): string | undefined {
    const value = of.entries.get(key)?.value;
    return value?.type === 'string' ? textOf(this.#octets, value) : undefined;
  }

  partyEnd(stream: DictionaryValue): End[] {
    const at = this.dictionary(stream, 'advertised endpoint');
    return at === undefined ? [] : this.#end(stream, at, 'address', 'port');
  }

  gatewayEnd(stream: DictionaryValue): End[] {
    return this.#end(stream, stream, 'local address', 'local port');
  }

  #end(stream: DictionaryValue, of: DictionaryValue, address: string, port: string): End[] {
    const number = of.entries.get(port)?.value;
    const text = this.text(of, address);
    if (text === undefined || number?.type !== 'integer') return [];
    const at: Endpoint | undefined = parseEndpoint(
      text.includes(':') ? `[${text}]:${number.value}` : `${text}:${number.value}`,
    );
    if (at === undefined || at.port === 0) return [];
    const component = this.#isRtp(stream) ? 1 : 2;
    return [{ component, protocol: UDP, at }];
  }

  #isRtp(stream: DictionaryValue): boolean {
    const flags = stream.entries.get('flags')?.value;
    if (flags?.type !== 'list') return true;
    return flags.items.some((one) => one.type === 'string' && textOf(this.#octets, one) === 'RTP');
  }
}
