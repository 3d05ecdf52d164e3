import type { Readable } from "node:stream";
import { randomId } from "../links/identifiers.ts";
import { type HeldLease, holdLease } from "../links/lease.ts";
import { isPinned } from "../links/link-kinds.ts";
import { LinkRefused } from "../links/open-link.ts";
import { BLOCK, reserveBlocks } from "../links/reserve-blocks.ts";
import { bytesOf, streamOf, type ZipEntry, zipOf } from "../links/zip.ts";
import type { PermittedPrefix } from "../permit.ts";
import type { Variant } from "../state/contract/state.ts";
import { type ListEntry, positionAfter } from "../storage/contract/listing.ts";
import type { ObjectRef } from "../storage/contract/storage.ts";
import { expectLinks } from "./deliver-link.ts";
import type { NamedTarget } from "./list-set.ts";
import type { OperationContext } from "./operation-context.ts";
import { visiblePage } from "./visible-page.ts";

/** A folder, or the targets of a set, as one zip of stored entries. */
export interface ZipTargets {
  readonly operation: "zip-targets";
  /** The name of a target begins the names of its entries. It is empty for a folder that is zipped alone. */
  readonly targets: readonly NamedTarget[];
  /** What the record of the delivery names. */
  readonly record: string;
  readonly variant: Variant;
  /** The visit whose bytes are counted; `undefined` if the link counts none. */
  readonly token: string | undefined;
}

/** A zip that is made while it is sent. */
export interface Zipped extends Pick<HeldLease, "settle"> {
  readonly stream: Readable;
  /** Absent if the link counts no bytes. */
  readonly onRunning?: HeldLease["onRunning"];
}

const PAGE = 1000;

/** Begins a zip. Objects that vanish or change before their turn are left out. @throws {StorageError} `NO_SUCH_BUCKET`, `UNAVAILABLE` */
export async function zipTargets(request: ZipTargets, context: OperationContext): Promise<Zipped> {
  const entries = entriesOf(request, context);
  const body = zipOf(entries);
  const { token, variant, record: target } = request;
  if (token === undefined) return { stream: streamOf(body), settle: () => undefined };
  const { state } = expectLinks(context);
  const attempt = randomId();
  const started = await state.deliver(variant.id, { type: "start", token, attempt, length: 0, target });
  if (!started.ok) throw new LinkRefused(started.reason, started.retryAt);
  const reservation = { variant: variant.id, token, attempt };
  const lease = holdLease(state, reservation);
  // The first block is reserved before the response head, so that a link without bytes left answers 410.
  const first = await state.deliver(variant.id, { type: "reserve", token, attempt, bytes: BLOCK });
  if (!first.ok) {
    lease.settle(0);
    throw new LinkRefused(first.reason, first.retryAt);
  }
  return { stream: streamOf(reserveBlocks(state, reservation, body, BLOCK)), ...lease };
}

async function* entriesOf({ targets }: ZipTargets, context: OperationContext): AsyncGenerator<ZipEntry> {
  for (const { name, target, pin } of targets) {
    if (target.isRevoked()) continue;
    if (target.keys !== undefined) yield* entriesBelow(target.keys, name, context);
    else yield* entryOf(target.object, { name, pin }, context);
  }
}

async function* entriesBelow(
  keys: PermittedPrefix,
  folder: string,
  context: OperationContext,
): AsyncGenerator<ZipEntry> {
  const { bucket, prefix } = keys;
  let after: ReturnType<typeof positionAfter> | undefined;
  for (;;) {
    const page = await visiblePage<ListEntry>(keys, { after, limit: PAGE }, (more) =>
      context.storage.list(bucket, { prefix, signal: context.signal, ...more }),
    );
    for (const entry of page.entries) {
      if (entry.kind === "prefix") continue;
      yield* entryOf({ bucket, key: entry.key }, { name: folder + entry.key.slice(prefix.length) }, context);
    }
    const last = page.entries.at(-1);
    if (!page.truncated || last === undefined) return;
    after = positionAfter(last);
  }
}

async function* entryOf(
  ref: ObjectRef,
  { name, pin }: Pick<NamedTarget, "name"> & Partial<Pick<NamedTarget, "pin">>,
  { storage, signal }: OperationContext,
): AsyncGenerator<ZipEntry> {
  const path = entryName(name);
  // A key that ends with a slash marks a folder, which has no bytes.
  if (path === undefined) return;
  const open = await storage.get(ref, { signal, once: true });
  if (open === undefined) return;
  const { info } = open;
  if (!isPinned(pin, info)) return open.close();
  yield { name: path, lastModified: info.lastModified, size: info.size, input: bytesOf(open.body()) };
}

/** A name that no program unpacks outside of its folder; `undefined` if the key has none. Two keys never have the same name. */
function entryName(key: string): string | undefined {
  if (key === "" || key.endsWith("/")) return undefined;
  const segments = key.split("/").map((segment) => {
    if (segment === "") return "%2F";
    if (/^\.{1,2}$/.test(segment)) return segment.replaceAll(".", "%2E");
    // A percent sign is encoded if it would read as one of these codes.
    return segment.replace(/[\\:\p{Cc}]|%(?=[0-9A-F]{2})/giu, encodeURIComponent);
  });
  return segments.join("/");
}
