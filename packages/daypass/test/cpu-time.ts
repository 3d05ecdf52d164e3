/** Milliseconds of processor time that this process takes for some work: what else runs on the machine does not count. */
export async function cpuMilliseconds(work: () => unknown): Promise<number> {
  const start = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

/**
 * The quickest of some turns, of which there is no other once one took less than `limit` milliseconds. A slow or busy machine takes
 * longer for one or another; what grows too fast is slow in each.
 */
export async function quickest(limit: number, work: () => unknown): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let turn = 0; best >= limit && turn < 50; turn++) best = Math.min(best, await cpuMilliseconds(work));
  return best;
}
