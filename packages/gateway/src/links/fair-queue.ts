/** A queue in which a group or a client that asks often does not delay the others. */

/** Runs one job at a time. Returns `undefined` if too many jobs of this client wait. */
export type FairQueue = <T>(group: string, client: string, job: () => Promise<T>) => Promise<T> | undefined;

type Jobs = (() => Promise<unknown>)[];

/** Takes the groups in turn, and the clients of a group in turn. `mostWaiting` is the number of waiting jobs of one client. */
export function fairQueue(mostWaiting: number): FairQueue {
  const groups = new Map<string, Map<string, Jobs>>();
  let isBusy = false;

  /** Maps keep the order of insertion, so a group and a client that were served move to the end. */
  function take(): (() => Promise<unknown>) | undefined {
    for (const [group, clients] of groups) {
      groups.delete(group);
      for (const [client, jobs] of clients) {
        const job = jobs.shift();
        clients.delete(client);
        if (jobs.length > 0) clients.set(client, jobs);
        if (clients.size > 0) groups.set(group, clients);
        return job;
      }
    }
    return undefined;
  }

  function next(): void {
    const job = take();
    isBusy = job !== undefined;
    job?.().then(next, next);
  }

  return <T>(group: string, client: string, job: () => Promise<T>) => {
    const clients = groups.get(group) ?? new Map<string, Jobs>();
    const jobs = clients.get(client) ?? [];
    if (jobs.length >= mostWaiting) return undefined;
    groups.set(group, clients.set(client, jobs));
    const result = new Promise<T>((resolve, reject) => {
      jobs.push(() => job().then(resolve, reject));
    });
    if (!isBusy) next();
    return result;
  };
}
