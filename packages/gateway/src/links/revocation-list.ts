/** The revocations in force, in memory: what a stateless URL is checked against without touching the state. */
import type { Millis } from "../state/contract/deliveries.ts";
import type { RevocationReader } from "../state/contract/revocation-pages.ts";
import type { RevocationChange, RevocationSelector } from "../state/contract/revocations.ts";
import { idSet } from "./id-set.ts";
import { prefixTrie } from "./prefix-trie.ts";

/** What a revocation may match. */
export interface Revocable {
  /** The grant's id, never its signature. */
  readonly id: string;
  /** The key, or the owner of the link: `key:<id>`, `operator` or `token:<id>`. */
  readonly keyId?: string | undefined;
  readonly subject?: string | undefined;
  /** The link behind the grant. */
  readonly link?: string | undefined;
  readonly bucket: string;
  readonly key?: string | undefined;
  /** The beginning of the keys, for a listing or a zip. */
  readonly prefix?: string | undefined;
  /** The keys and prefixes of a set. It is revoked with the last of them. */
  readonly parts?: readonly string[] | undefined;
  /** When it was signed, if the scheme signs a date. */
  readonly signedAt?: Millis | undefined;
}

/** Answers whether a grant is revoked. */
export interface RevocationList extends Omit<RevocationReader, "apply"> {
  /** Whether nothing is revoked: then a request need not be described. */
  readonly isEmpty: boolean;
  /**
   * Adds and lifts, in the order of their revisions; an older change of the same selector is left out. With `complete`, every change up to
   * that revision is known. Returns the prefixes that the list did not contain.
   */
  apply(changes: readonly RevocationChange[], complete?: number): readonly string[];
  /** Whether a grant is refused. */
  isRevoked(grant: Revocable): boolean;
  /** Visits of a link that were sealed before this instant are read from the state. */
  visitsBefore(link: string): Millis | undefined;
  /** The revoked prefix that contains `bucket/key`, or everything below `bucket/prefix`. */
  findPrefix(resource: string): string | undefined;
}

/** An empty list. */
export function revocationList(): RevocationList {
  // Millions of URLs, links and recipients may be revoked, but few keys.
  const ids = { grant: idSet(), link: idSet(), subject: idSet(), key: new Set<string>() };
  // A token revokes its own links only, so the owner of the link is part of the name.
  const ownLinks = idSet();
  const instants = { "signed-before": new Map<string, Set<Millis>>(), "visits-before": new Map<string, Set<Millis>>() };
  const prefixes = prefixTrie();
  // Changes that came as messages, before the pages that contain them. A page must not undo them.
  const ahead = new Map<string, number>();
  let revision = 0;

  const change = (selector: RevocationSelector, does: "add" | "delete"): boolean => {
    const { kind, id } = selector;
    // The state decides about uses, in the transaction that counts them.
    if (kind === "uses-before") return false;
    if (kind === "prefix") return prefixes[does](oneSpelling(id), id) === true;
    if ("before" in selector) {
      const rules = instants[selector.kind];
      const of = rules.get(id) ?? new Set();
      of[does](selector.before);
      if (of.size === 0) rules.delete(id);
      else rules.set(id, of);
    } else if (selector.kind === "link" && selector.by !== undefined) ownLinks[does](`${id} ${selector.by}`);
    else ids[selector.kind][does](id);
    return false;
  };
  const latest = (rules: Map<string, Set<Millis>>, id: string): Millis | undefined => {
    const of = rules.get(id);
    return of && Math.max(...of);
  };
  const findPrefix = (resource: string): string | undefined =>
    prefixes.size === 0 ? undefined : prefixes.find(oneSpelling(resource));

  return {
    get revision() {
      return revision;
    },
    get isEmpty() {
      const { grant, link, subject, key } = ids;
      return [grant, link, subject, key, ownLinks, prefixes, ...Object.values(instants)].every(
        ({ size }) => size === 0,
      );
    },
    apply(changes, complete = revision) {
      const added: string[] = [];
      for (const { revision: at, selector, liftedAt } of changes) {
        if (at <= revision) continue;
        // Within a page, the order decides. The texts of a million changes would be garbage.
        if (ahead.size > 0 || at > complete) {
          const name = JSON.stringify(selector);
          if (at <= (ahead.get(name) ?? 0)) continue;
          ahead.set(name, at);
        }
        if (change(selector, liftedAt === undefined ? "add" : "delete")) added.push(selector.id);
      }
      revision = Math.max(revision, complete);
      for (const [name, at] of ahead) if (at <= revision) ahead.delete(name);
      return added;
    },
    restart() {
      revision = 0;
      ahead.clear();
    },
    isRevoked({ id, keyId, subject, link, signedAt, bucket, key, prefix, parts }) {
      if (ids.grant.has(id) || (subject !== undefined && ids.subject.has(subject))) return true;
      if (keyId !== undefined && ids.key.has(keyId)) return true;
      if (link !== undefined) {
        if (ids.link.has(link) || ownLinks.has(`${link} ${keyId}`)) return true;
        if (keyId !== undefined && ids.key.has(keyId.replace(/^key:/, ""))) return true;
      }
      if (keyId !== undefined && signedAt !== undefined) {
        if (signedAt < (latest(instants["signed-before"], keyId) ?? signedAt)) return true;
      }
      const within = key ?? prefix;
      if (within === undefined) return findPrefix(bucket) !== undefined;
      return (parts ?? [within]).every((part) => findPrefix(`${bucket}/${part}`) !== undefined);
    },
    visitsBefore: (link) => latest(instants["visits-before"], link),
    findPrefix,
  };
}

/** Whether a revoked prefix takes a part of a listing or a zip. */
export function isPartOf(revoked: string, { bucket, prefix, parts }: Revocable): boolean {
  if (parts === undefined) return prefix !== undefined && revoked.startsWith(`${bucket}/${prefix}`);
  const targets = parts.map((part) => `${bucket}/${part}`);
  return targets.some((one) => one.startsWith(revoked) || (one.endsWith("/") && revoked.startsWith(one)));
}

/** On a route, `(` and `%28` are the same character to the upstream. Keys of objects are compared as they are. */
function oneSpelling(resource: string): string {
  if (!resource.startsWith("route:")) return resource;
  try {
    return decodeURIComponent(resource);
  } catch {
    return resource;
  }
}
