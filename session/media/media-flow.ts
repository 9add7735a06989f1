/** What one binding sends: its classifier, and a lane for each class that it has shown. */
import type { MediaKind } from '../../sdp/media.ts';
import type { PacketView } from '../../wire/packet.ts';
import { CLASS_NAMES, KIND_CLASSES, type MediaClass } from './classes.ts';
import { FlowClassifier } from './flow-classifier.ts';
import { LANE_DROPS, Lane } from './lane.ts';

/** One class of a flow as a status page may show it. */
export interface LaneStatus {
  readonly class: (typeof CLASS_NAMES)[number];
  /** Packets that went to the other end, by how long they had waited: below 1, 2, 5, 10, 20 … ms (lane.ts). */
  readonly waitedMs: readonly number[];
  readonly tooOld: number;
  readonly tooFull: number;
  readonly brokenFrame: number;
  readonly tunnelEnded: number;
  readonly noConnection: number;
}

export class MediaFlow {
  readonly #classifier = new FlowClassifier();
  readonly #lanes: (Lane | undefined)[] = [];
  /** That of the last packet, and nearly always of the next: found without a look at the others. */
  #last: Lane | undefined;

  /** What its RTP is; undefined: not known. */
  carry(kind: MediaKind | undefined): void {
    this.#classifier.declared = kind && KIND_CLASSES[kind];
  }

  laneOf(b: Uint8Array, view: PacketView): Lane {
    const mediaClass = this.#classifier.classOf(b, view);
    if (this.#last?.mediaClass !== mediaClass) this.#last = this.#laneFor(mediaClass);
    return this.#last;
  }

  #laneFor(mediaClass: MediaClass): Lane {
    const lane = this.#lanes[mediaClass] ?? new Lane(mediaClass);
    this.#lanes[mediaClass] = lane;
    return lane;
  }

  /** Those that something came for. */
  status(): LaneStatus[] {
    return this.#lanes.flatMap((lane) => (lane === undefined ? [] : [statusOf(lane)]));
  }
}

function statusOf({ mediaClass, ages, drops }: Lane): LaneStatus {
  return {
    class: CLASS_NAMES[mediaClass],
    waitedMs: ages,
    tooOld: drops[LANE_DROPS.AGE] ?? 0,
    tooFull: drops[LANE_DROPS.FULL] ?? 0,
    brokenFrame: drops[LANE_DROPS.FRAME] ?? 0,
    tunnelEnded: drops[LANE_DROPS.ENDED] ?? 0,
    noConnection: drops[LANE_DROPS.UNREACHED] ?? 0,
  };
}
