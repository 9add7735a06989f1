/**
 * Which packets of this machine take the tunnel at the moment. Two things change it: outages, where
 * media are to go without the tunnel then, and new addresses of servers. The changes are made one
 * after the other, each to what holds by then.
 */
import type { IoFault } from '../io/io-fault.ts';
import type { Diversion, Exception, Routing } from '../io/rings/rules.ts';

/** What is asked of the packet port (`Rings`). */
export interface Router {
  route(routing: Routing): Promise<IoFault | undefined>;
}

export class Interception {
  readonly #router: Router;
  readonly #to: readonly Diversion[];
  readonly #failed: (fault: IoFault) => void;
  #except: readonly Exception[] = [];
  #isOn = true;
  #changes: Promise<void> = Promise.resolve();

  constructor(router: Router, to: readonly Diversion[], failed: (fault: IoFault) => void) {
    this.#router = router;
    this.#to = to;
    this.#failed = failed;
  }

  /** Off: packets go as if there were no agent. */
  set(isOn: boolean): void {
    if (isOn === this.#isOn) return;
    this.#isOn = isOn;
    void this.#change();
  }

  /** Resolves when these connections are sure not to enter the tunnel. */
  except(except: readonly Exception[]): Promise<void> {
    this.#except = except;
    return this.#change();
  }

  #change(): Promise<void> {
    this.#changes = this.#changes.then(async () => {
      const to = this.#isOn ? this.#to : [];
      const fault = await this.#router.route({ kind: 'divert', to, except: this.#except });
      if (fault !== undefined) this.#failed(fault);
    });
    return this.#changes;
  }
}
