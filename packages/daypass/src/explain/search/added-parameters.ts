/** Parameters that mail senders, advertisers and social networks add to links. */
const TRACKING =
  /^(?:utm_\w+|(?:fb|g|d|tt|tw|y|ms)cl(?:k?id|src)|[gw]braid|mc_[ce]id|igshid|li_fat_id|mkt_tok|_g[al]|_hs(?:enc|mi)|vero_id|oly_(?:anon|enc)_id)$/i;
const MAX_LAST = 5;

/** Whether trackers add a parameter of this name. No store reads it. */
export function isTracking(name: string): boolean {
  return TRACKING.test(name);
}

/** Parameters that can have been added after signing. */
export interface Added<T> {
  readonly rest: readonly T[];
  /** The names of the added ones, in words. */
  readonly names: string;
}

/**
 * Groups of parameters that can have been added at once, which a search for two changes would not find: all trackers' parameters,
 * then the last two, three and so on. The caller tries single parameters.
 */
export function addedTogether<T>(
  tokens: readonly T[],
  { nameOf, isOwn }: { nameOf(token: T): string; isOwn(name: string): boolean },
): readonly Added<T>[] {
  const others = tokens.filter((token) => !isOwn(nameOf(token)));
  const last = Array.from({ length: MAX_LAST - 1 }, (_, i) => i + 2).filter((count) => count <= others.length);
  const groups = [others.filter((token) => TRACKING.test(nameOf(token))), ...last.map((count) => others.slice(-count))];
  const found = new Map<string, Added<T>>();
  for (const group of groups) {
    if (group.length < 2) continue;
    const names = listText(group.map(nameOf));
    if (!found.has(names)) found.set(names, { rest: tokens.filter((token) => !group.includes(token)), names });
  }
  return [...found.values()];
}

function listText(names: readonly string[]): string {
  return names.join(", ").replace(/, ([^,]*)$/, " and $1");
}

/** Each parameter that may have been added after signing, then several at once. `what` begins a sentence about them. */
export function removals<T>(
  tokens: readonly T[],
  names: { nameOf(token: T): string; isOwn(name: string): boolean },
): readonly { readonly rest: readonly T[]; readonly what: string }[] {
  const single = tokens.filter((token) => !names.isOwn(names.nameOf(token)));
  return [
    ...single.map((token) => ({
      rest: tokens.filter((other) => other !== token),
      what: `parameter ${names.nameOf(token)} was`,
    })),
    ...addedTogether(tokens, names).map((added) => ({ rest: added.rest, what: `parameters ${added.names} were` })),
  ];
}
