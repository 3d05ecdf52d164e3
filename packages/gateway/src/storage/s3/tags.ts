import { childrenOf, requiredText } from "../../http/xml-reader.ts";
import type { ObjectRef, SetTagsOptions } from "../contract/storage.ts";
import type { DriverContext } from "./driver-context.ts";
import { faultError } from "./fault.ts";
import { isStorable, type Place } from "./names.ts";
import { documentBody, type Upstream } from "./upstream.ts";

type Tags = Readonly<Record<string, string>>;

const QUERY = { tagging: "" };

/** The tags of an object; `undefined` if the object does not exist. */
export async function readTags(
  upstream: Upstream,
  { bucket, key }: Place,
  signal: AbortSignal | undefined,
): Promise<Tags | undefined> {
  const doing = "read the tags";
  const { document, fault } = await upstream.readOrFault({ doing, bucket, key, query: QUERY, signal }, "Tagging");
  if (fault?.status === 404) return undefined;
  if (document === undefined) throw faultError(fault, doing);
  const tags = childrenOf(document, "TagSet").flatMap((set) => childrenOf(set, "Tag"));
  return Object.fromEntries(tags.map((tag) => [requiredText(tag, "Key"), requiredText(tag, "Value")]));
}

/** Replaces the tags of an object. Resolves to whether the object exists. */
export async function setTags(
  { upstream, names }: Pick<DriverContext, "upstream" | "names">,
  ref: ObjectRef,
  { tags, signal }: SetTagsOptions & { readonly tags: Tags },
): Promise<boolean> {
  const bucket = await names.of(ref.bucket);
  const { key } = ref;
  if (!isStorable(key)) return false;
  const set = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  const change =
    set.length === 0 ? { method: "DELETE" } : { method: "PUT", ...documentBody("Tagging", { TagSet: { Tag: set } }) };
  const doing = "tag the object";
  const fault = await upstream.faultOf({ doing, bucket, key, query: QUERY, signal, ...change });
  if (fault === undefined) return true;
  if (fault.code === "NoSuchKey") return false;
  throw faultError(fault, doing);
}
