/** Milliseconds of processor time of this process for some work. Other processes do not count. */
export async function cpuMilliseconds(work: () => unknown): Promise<number> {
  const start = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

/** The least of some turns, for limits of a few milliseconds, which one collection of garbage takes alone. What grows too fast is slow in each. */
export async function leastCpuMilliseconds(turns: number, work: () => unknown): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < turns; turn++) least = Math.min(least, await cpuMilliseconds(work));
  return least;
}
