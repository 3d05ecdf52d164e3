import { randomUUID } from "node:crypto";
import { xmlDocument } from "../../http/xml.ts";
import { requiredText } from "../../http/xml-reader.ts";
import { preconditionFailed } from "../contract/preconditions.ts";
import { type ObjectRef, type PutOptions, StorageError } from "../contract/storage.ts";
import { document } from "./document.ts";
import { faultError, type UpstreamFault } from "./fault.ts";
import { unquoted } from "./object-info.ts";
import type { Upstream, UpstreamCall } from "./upstream.ts";
import { drop } from "./wire.ts";

/** Calls that can carry a condition on what is there. */
export type ConditionalCall = "put" | "copy" | "complete" | "delete";
type Condition = "if-match" | "if-none-match";

export interface WriteConditions {
  /**
   * The headers that make a call conditional.
   * @param place bucket and key of the upstream
   * @throws {StorageError} `PRECONDITION_FAILED` where it shows already, `UNAVAILABLE` where the upstream does not keep such conditions
   */
  headers(
    call: ConditionalCall,
    place: ObjectRef,
    options: ConditionOptions,
  ): Promise<Readonly<Record<string, string>>>;
}

export type ConditionOptions = Pick<PutOptions, "ifMatch" | "ifNoneMatch" | "signal">;

/** What a conditional write was refused with. Amazon says "NoSuchKey" of a replacement of nothing. */
export function conditionalFault(fault: UpstreamFault, doing: string, conditions: object): StorageError {
  return fault.code === "NoSuchKey" && "if-match" in conditions ? preconditionFailed() : faultError(fault, doing);
}

/** The ETag of nothing. */
const NOBODY = `"${"0".repeat(32)}"`;

/**
 * Conditions are only sent where it was seen that they are kept: an upstream that does not know them overwrites without a word. Each
 * kind of call is tried once in each bucket, on an object of its own that is removed again.
 */
export function writeConditions(upstream: Upstream): WriteConditions {
  const known = new Map<string, Promise<boolean>>();

  async function keeps(call: ConditionalCall, bucket: string, condition: Condition): Promise<boolean> {
    const key = `.daypass-probe/${randomUUID()}`;
    const doing = "try whether conditions are kept";
    const place = { doing, bucket, key };
    const headers = { [condition]: condition === "if-match" ? NOBODY : "*" };
    await upstream.tell({ ...place, method: "PUT", body: Buffer.from("x") });
    try {
      return await isRefused(TRIALS[call], place, headers);
    } finally {
      const { answer } = await upstream.ask({ ...place, method: "DELETE" });
      drop(answer);
    }
  }

  async function isRefused(trial: Trial, place: Place, headers: Record<string, string>): Promise<boolean> {
    const { call, undo } = await trial(upstream, place, headers);
    const outcome = await upstream.readOrFault(call, "anything").catch(() => undefined);
    await undo?.();
    return outcome?.fault?.status === 412;
  }

  async function expectKept(call: ConditionalCall, bucket: string, condition: Condition): Promise<void> {
    const id = `${call}/${condition}/${bucket}`;
    let trial = known.get(id);
    if (trial === undefined) {
      trial = keeps(call, bucket, condition);
      known.set(id, trial);
      // What went wrong once may go right; and what is missing may be there after an update.
      trial.then(
        (kept) => kept || setTimeout(() => known.delete(id), 60_000).unref(),
        () => known.delete(id),
      );
    }
    if (await trial) return;
    throw new StorageError("UNAVAILABLE", `could not ${call} on a condition: the upstream does not keep ${condition}`);
  }

  async function etagOf({ bucket, key }: ObjectRef, signal: AbortSignal | undefined): Promise<string | undefined> {
    const doing = "look at the object";
    const { answer, fault } = await upstream.ask({ doing, method: "HEAD", bucket, key, signal });
    drop(answer);
    if (fault !== undefined && fault.status !== 404) throw faultError(fault, doing);
    return answer === undefined ? undefined : unquoted(answer.headers.etag);
  }

  return {
    async headers(call, place, { ifMatch, ifNoneMatch, signal }) {
      const sent: Record<string, string> = {};
      if (ifNoneMatch !== undefined) {
        await expectKept(call, place.bucket, "if-none-match");
        sent["if-none-match"] = ifNoneMatch;
      }
      if (ifMatch !== undefined) {
        await expectKept(call, place.bucket, "if-match");
        // Amazon takes an ETag here and no `*`.
        const etag = ifMatch === "*" ? await etagOf(place, signal) : ifMatch;
        if (etag === undefined) throw preconditionFailed();
        sent["if-match"] = `"${etag}"`;
      }
      return sent;
    },
  };
}

type Place = Pick<UpstreamCall, "doing" | "bucket" | "key"> & { readonly bucket: string; readonly key: string };

/** Makes a call that has to be refused, for an object that is there. */
type Trial = (
  upstream: Upstream,
  place: Place,
  headers: Record<string, string>,
) => Promise<{ readonly call: UpstreamCall; undo?(): Promise<void> }>;

const TRIALS: Readonly<Record<ConditionalCall, Trial>> = {
  put: async (_, place, headers) => ({ call: { ...place, method: "PUT", headers, body: Buffer.from("y") } }),
  delete: async (_, place, headers) => ({ call: { ...place, method: "DELETE", headers } }),
  copy: async (_, place, headers) => ({
    call: {
      ...place,
      method: "PUT",
      headers: {
        ...headers,
        "x-amz-copy-source": `/${place.bucket}/${place.key}`,
        "x-amz-metadata-directive": "REPLACE",
      },
    },
  }),
  async complete(upstream, place, headers) {
    const begun = await upstream.read(
      { ...place, method: "POST", query: { uploads: "" } },
      "InitiateMultipartUploadResult",
    );
    const uploadId = requiredText(begun.document, "UploadId");
    const query = { partNumber: "1", uploadId };
    const { headers: answered } = await upstream.tell({ ...place, method: "PUT", query, body: Buffer.from("y") });
    const parts = xmlDocument("CompleteMultipartUpload", [
      [
        "Part",
        [
          ["PartNumber", 1],
          ["ETag", answered.etag ?? ""],
        ],
      ],
    ]);
    const { body, headers: described } = document(parts);
    return {
      call: { ...place, method: "POST", query: { uploadId }, headers: { ...headers, ...described }, body },
      async undo() {
        const { answer } = await upstream.ask({ ...place, method: "DELETE", query: { uploadId } });
        drop(answer);
      },
    };
  },
};
