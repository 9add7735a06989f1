/** What was written for a key, and where: the common form of file, environment and command line. */

/** The higher one wins. */
export const RANK = { FILE: 1, ENVIRONMENT: 2, FLAG: 3 } as const;
export type Rank = (typeof RANK)[keyof typeof RANK];

export interface Written {
  readonly name: string;
  readonly texts: readonly string[];
  /** `client.yaml:12`, `TEP_SERVERS`, `--servers`. */
  readonly where: string;
  readonly rank: Rank;
  /** Of the file, where it is in one. */
  readonly line?: number;
  /** Relative names of files begin here. */
  readonly folder: string;
}
