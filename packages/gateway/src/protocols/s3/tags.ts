/** Tags of objects, in the header and in XML. */
import type { XmlElements } from "../../http/xml.ts";
import { childrenOf, expectOnly, malformed, type ReadElement, requiredText } from "../../http/xml-reader.ts";
import type { PermittedObject } from "../../permit.ts";
import { permitObject } from "../../pipeline/authorize.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import { invalidArgument } from "./arguments.ts";
import type { S3Call } from "./row.ts";

/** In the order of the request. */
type Tags = Readonly<Record<string, string>>;
type TagPairs = readonly (readonly [key: string, value: string])[];

export const TAGGING = "x-amz-tagging";

/** "You can associate up to 10 tags with an object." */
const MAX_TAGS = 10;
/** "A tag key can be up to 128 Unicode characters in length, and tag values can be up to 256 Unicode characters". */
const MAX_KEY = 128;
const MAX_VALUE = 256;
/** Letters, numbers and spaces of any script, and a few signs. */
const TAG_TEXT = /^[\p{L}\p{N}\p{Z}+\-=._:/@]*$/u;

/**
 * The tags of an upload or a copy. Setting tags is a separate action.
 *
 * @throws {DaypassError} `KEY_SCOPE`
 */
export function readUploadTags(call: S3Call, object: PermittedObject): Tags | undefined {
  const header = call.amz.get(TAGGING);
  if (header === undefined) return undefined;
  permitTagging(call, object);
  return readTaggingHeader(header);
}

/** @throws {DaypassError} `KEY_SCOPE` */
export function permitTagging({ permit, received }: S3Call, object: PermittedObject): void {
  permitObject(permit, object, { method: received.request.method, action: "s3:PutObjectTagging" });
}

/** Reads `x-amz-tagging: a=1&b=2`, which is encoded like a form. */
export function readTaggingHeader(header: string): Tags {
  const malformedHeader = (): Refusal =>
    invalidArgument(
      TAGGING,
      header,
      "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
    );
  const decode = (text: string): string => {
    try {
      return decodeURIComponent(text.replaceAll("+", " "));
    } catch {
      throw malformedHeader();
    }
  };
  const pairs = header
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair): readonly [string, string] => {
      const [key = "", ...value] = pair.split("=");
      if (value.length > 1) throw malformedHeader();
      return [decode(key), decode(value.join(""))];
    });
  if (new Set(pairs.map(([key]) => key)).size < pairs.length) throw malformedHeader();
  return checkedTags(pairs);
}

/** Reads a `<Tagging>` document. */
export function readTagging(document: ReadElement): Tags {
  expectOnly(document, ["TagSet"]);
  const [set, another] = childrenOf(document, "TagSet");
  if (set === undefined || another !== undefined) throw malformed("Tagging has no TagSet, or several. Send one");
  expectOnly(set, ["Tag"]);
  return checkedTags(
    childrenOf(set, "Tag").map((tag) => {
      expectOnly(tag, ["Key", "Value"]);
      return [requiredText(tag, "Key"), requiredText(tag, "Value")];
    }),
  );
}

export function taggingElements(tags: Tags): XmlElements {
  return { TagSet: { Tag: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) } };
}

function checkedTags(pairs: TagPairs): Tags {
  if (pairs.length > MAX_TAGS)
    throw new Refusal("TOO_MANY_TAGS", `${pairs.length} tags are too many. Send at most ${MAX_TAGS}`);
  const keys = new Set<string>();
  for (const [key, value] of pairs) {
    if (key === "" || key.length > MAX_KEY || !TAG_TEXT.test(key)) {
      throw invalidTag("The TagKey you have provided is invalid", { key });
    }
    if (value.length > MAX_VALUE || !TAG_TEXT.test(value)) {
      throw invalidTag("The TagValue you have provided is invalid", { key, value });
    }
    if (/^aws:/i.test(key)) throw invalidTag("System tags cannot be added/updated by requester", { key });
    if (keys.has(key)) throw invalidTag("Cannot provide multiple Tags with the same key", { key });
    keys.add(key);
  }
  return Object.fromEntries(pairs);
}

function invalidTag(text: string, details: { readonly key: string; readonly value?: string }): Refusal {
  return new Refusal("INVALID_TAG", `a tag is not valid. ${text}`, { ...details, text });
}
