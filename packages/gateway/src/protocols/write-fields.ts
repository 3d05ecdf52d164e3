/**
 * What a write depends on and what its body stands for, read alike in every dialect. What nothing here acts on is refused: the write
 * would happen all the same.
 * @module
 */
import { parseEntityTag } from "../http/entity-tag.ts";
import type { WriteConditions } from "../operations/write-conditions.ts";
import type { RequestFields } from "../pipeline/receive.ts";
import { Refusal } from "../pipeline/refusal.ts";

/**
 * The conditions of a write: `If-None-Match: *`, and `If-Match` with one tag. `If-Modified-Since` is none: RFC 9110 §13.1.3 has it
 * ignored with methods other than GET and HEAD.
 *
 * @param unsupported the refusal of a header in a form that no storage can hold a write to
 * @throws {Refusal} what `unsupported` makes, `PRECONDITION_FAILED` for a weak tag
 */
export function readWriteConditions(
  { ifMatch, ifNoneMatch, ifUnmodifiedSince }: RequestFields,
  unsupported: (header: string) => Refusal,
): WriteConditions {
  // RFC 9110 §13.1.4: "A recipient MUST ignore If-Unmodified-Since if the request contains an If-Match header field".
  if (ifUnmodifiedSince !== undefined && ifMatch === undefined) throw unsupported("If-Unmodified-Since");
  if (ifNoneMatch !== undefined && ifNoneMatch.trim() !== "*") throw unsupported("If-None-Match");
  return {
    createOnly: ifNoneMatch !== undefined,
    ifMatch: readIfMatch(ifMatch, () => unsupported("If-Match")),
  };
}

/** The one ETag of a write's `If-Match`, without quotes, or `*`. A storage compares one at the moment of commit, not a list. */
export function readIfMatch(value: string | undefined, unsupported: () => Refusal): string | undefined {
  const text = value?.trim();
  if (text === undefined || text === "*") return text;
  const tag = parseEntityTag(text);
  if (tag === undefined) {
    // Old SDKs send the tag without its quotes.
    if (/^[\x21\x23-\x2b\x2d-\x7e]+$/.test(text)) return text;
    throw unsupported();
  }
  if (!tag.weak) return tag.opaque;
  // RFC 9110 §13.1.1: If-Match compares strongly, and a weak tag never matches so.
  throw new Refusal("PRECONDITION_FAILED", "expected a strong ETag, found a weak one", { condition: "If-Match" });
}

/**
 * Refuses an upload that says it is a piece: stored, it would stand in the place of the whole. RFC 9110 §14.5: "An origin server
 * SHOULD respond with a 400 (Bad Request) status code if it receives Content-Range on a PUT for a target resource that does not
 * support partial PUT requests".
 *
 * @throws {Refusal} `INVALID_ARGUMENT`
 */
export function expectWhole({ contentRange }: RequestFields): void {
  if (contentRange === undefined) return;
  throw new Refusal(
    "INVALID_ARGUMENT",
    "expected a whole body, found Content-Range: send all of it, or upload in parts",
    {
      argument: "Content-Range",
      value: contentRange,
      text: "What is uploaded is stored whole: send it without Content-Range",
    },
  );
}
