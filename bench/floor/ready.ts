/** What a program of the floor prints when the other one may be started, or traffic. */
export const READY = { listen: /^listening (\d+)$/m, connect: /^ready$/m } as const;
