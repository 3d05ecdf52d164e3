import { type XmlElement, xmlDocument } from "../../http/xml.ts";
import { childrenOf, requiredText } from "../../http/xml-reader.ts";
import type { ObjectRef, SetTagsOptions } from "../contract/storage.ts";
import { document } from "./document.ts";
import { faultError } from "./fault.ts";
import { isStorable, type Names } from "./names.ts";
import type { Upstream } from "./upstream.ts";
import { drop } from "./wire.ts";

type Tags = Readonly<Record<string, string>>;

export interface ObjectTags {
  /** @param place bucket and key of the upstream */
  of(place: ObjectRef, signal?: AbortSignal | undefined): Promise<Tags | undefined>;
  set(ref: ObjectRef, tags: Tags, options: SetTagsOptions): Promise<boolean>;
}

const QUERY = { tagging: "" };

export function objectTags(upstream: Upstream, names: Names): ObjectTags {
  return {
    async of({ bucket, key }, signal) {
      const doing = "read the tags";
      const { document: found, fault } = await upstream.readOrFault(
        { doing, bucket, key, query: QUERY, signal },
        "Tagging",
      );
      if (fault?.status === 404) return undefined;
      if (found === undefined) throw faultError(fault, doing);
      const tags = childrenOf(found, "TagSet").flatMap((set) => childrenOf(set, "Tag"));
      return Object.fromEntries(tags.map((tag) => [requiredText(tag, "Key"), requiredText(tag, "Value")]));
    },
    async set(ref, tags, { signal }) {
      const bucket = await names.of(ref.bucket);
      const { key } = ref;
      if (!isStorable(key)) return false;
      const entries = Object.entries(tags);
      const set = entries.map(
        ([name, value]): XmlElement => [
          "Tag",
          [
            ["Key", name],
            ["Value", value],
          ],
        ],
      );
      const doing = "tag the object";
      const { answer, fault } = await upstream.ask({
        doing,
        bucket,
        key,
        query: QUERY,
        signal,
        ...(entries.length === 0
          ? { method: "DELETE" }
          : { method: "PUT", ...document(xmlDocument("Tagging", [["TagSet", set]])) }),
      });
      drop(answer);
      if (fault === undefined) return true;
      if (fault.code === "NoSuchKey") return false;
      throw faultError(fault, doing);
    },
  };
}
