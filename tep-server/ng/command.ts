/** What the relay reads of a command to the media gateway: whose session it is about. */
import { textOf } from '../../framing/ng/bencode.ts';
import { type NgMessage, stringOf } from '../../framing/ng/message.ts';

export interface Command {
  /** `offer`, `answer`, `delete`, … */
  readonly name: string;
  readonly callId: string;
  /** Of the one who sent the offer, in its answer too. */
  readonly fromTag: string;
  /** Of the one who answers; in an offer only when the dialog has it already. */
  readonly toTag: string | undefined;
  /** Which of several forks; '' where the proxy does not say. */
  readonly branch: string;
  /** The interface of the gateway towards the receiver of the description (`direction`). */
  readonly towards: string | undefined;
}

/** Names that are longer are somebody's mistake, and would fill the memory. */
const MAX_NAME_LEN = 512;

/** Of commands without a session, as `ping`, what is missing is ''. */
export function commandOf(message: NgMessage): Command | 'long-name' {
  const text = (key: string) => stringOf(message, key) ?? '';
  const command = {
    name: text('command'),
    callId: text('call-id'),
    fromTag: text('from-tag'),
    toTag: stringOf(message, 'to-tag') || undefined,
    branch: text('via-branch'),
    towards: towardsOf(message),
  };
  const isLong = Object.values(command).some((one) => (one ?? '').length > MAX_NAME_LEN);
  return isLong ? 'long-name' : command;
}

/** Two names, from and to; as a list, which is how Kamailio writes them. */
function towardsOf(message: NgMessage): string | undefined {
  const value = message.dictionary.entries.get('direction')?.value;
  const second = value?.type === 'list' ? value.items[1] : undefined;
  return second?.type === 'string' ? textOf(message.octets, second) : undefined;
}
