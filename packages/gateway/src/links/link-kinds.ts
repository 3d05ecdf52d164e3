/** What a link of each kind opens: the resource behind each address below it. */
import type { Link, LinkKind, LinkTarget } from "../state/contract/fields.ts";
import type { ObjectInfo } from "../storage/contract/storage.ts";
import { setNames } from "./set-names.ts";

/** What an address of a link names. */
export interface Place {
  readonly bucket: string;
  /** `undefined` for a folder. */
  readonly key: string | undefined;
  /** The beginning of the keys in a folder. */
  readonly prefix?: string | undefined;
  /** The targets of a set. */
  readonly parts?: readonly string[] | undefined;
  /** The folder that the link or its target opens, and the path below it; absent for an object, a route and a set as a whole. */
  readonly folder?: { readonly key: string; readonly rest: string } | undefined;
  /** The object as it was linked; absent if nothing is pinned. */
  readonly pin?: Pick<LinkTarget, "etag" | "size"> | undefined;
  /** Whether the link has nothing at the address. */
  readonly isUnknown?: boolean;
}

interface KindRow {
  /** Whether a delivery opens several objects, and so pins none. */
  readonly opensMany: boolean;
  /** @param rest the decoded path below the link; `undefined` without a slash after its address */
  placeAt(link: Link, rest: string | undefined): Place;
}

const object: KindRow = {
  opensMany: false,
  placeAt: (link) => ({ bucket: link.bucket, key: link.key, pin: link }),
};
const place: KindRow = { opensMany: false, placeAt: ({ bucket, key }) => ({ bucket, key }) };

/** A kind without a row does not compile. */
const linkKinds: Readonly<Record<LinkKind, KindRow>> = {
  object,
  prefix: { opensMany: true, placeAt: ({ bucket, key }, rest = "") => inFolder(bucket, key, rest) },
  set: { opensMany: true, placeAt: placeInSet },
  route: place,
  upload: place,
};

/** The row of the kind of a link. */
export function kindOfLink({ kind }: Pick<Link, "kind">): KindRow {
  return linkKinds[kind];
}

/** Whether an object is unchanged since it was linked: always, if nothing is pinned. */
export function isPinned(pin: Place["pin"], { etag, size }: Pick<ObjectInfo, "etag" | "size">): boolean {
  return pin?.etag === undefined || (pin.etag === etag && pin.size === size);
}

/** Whether a key is a prefix rather than the key of an object: it ends with `/` or is empty. */
export function isPrefix(key: string): boolean {
  return /^$|\/$/.test(key);
}

function inFolder(bucket: string, root: string, rest: string): Place {
  const key = root + rest;
  const folder = { key: root, rest };
  return isPrefix(key) ? { bucket, key: undefined, prefix: key, folder } : { bucket, key, folder };
}

function placeInSet({ bucket, key, targets = [] }: Link, rest = ""): Place {
  const whole = { bucket, key: undefined, prefix: key, parts: targets.map((target) => target.key) };
  if (rest === "") return whole;
  const names = setNames(bucket, whole.parts);
  const [name = ""] = /^[^/]*\/?/.exec(rest) ?? [];
  const at = names.indexOf(name);
  const target = targets[at];
  if (target === undefined) return { ...whole, isUnknown: true };
  if (isPrefix(target.key)) return inFolder(bucket, target.key, rest.slice(name.length));
  return { bucket, key: target.key, pin: target };
}
