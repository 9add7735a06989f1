/** What `tep doctor` found out about one thing. */

export interface Finding {
  /** What was looked at, in a word or two. */
  readonly check: string;
  readonly result: 'ok' | 'warning' | 'problem';
  readonly text: string;
  /** One line what to do. */
  readonly todo?: string;
}

/** Findings of one check. */
export class Findings {
  readonly #check: string;
  readonly list: Finding[] = [];

  constructor(check: string) {
    this.#check = check;
  }

  ok(text: string): void {
    this.list.push({ check: this.#check, result: 'ok', text });
  }

  warning(text: string, todo: string): void {
    this.list.push({ check: this.#check, result: 'warning', text, todo });
  }

  problem(text: string, todo: string): void {
    this.list.push({ check: this.#check, result: 'problem', text, todo });
  }
}
