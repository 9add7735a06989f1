/** Waiting for something that no event tells. Only a hang takes as long as the deadline. */
const POLL_MS = 25;
const HANG_MS = 120_000;

export async function until(
  isTrue: () => boolean | Promise<boolean>,
  hangMs: number = HANG_MS,
): Promise<void> {
  const deadline = performance.now() + hangMs;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`still not true: ${isTrue}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
