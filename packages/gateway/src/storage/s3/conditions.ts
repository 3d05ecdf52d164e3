import { randomUUID } from "node:crypto";
import { requiredText } from "../../http/xml-reader.ts";
import { preconditionFailed } from "../contract/preconditions.ts";
import type { ObjectRef, PutOptions } from "../contract/storage.ts";
import { type FaultError, faultError, unavailable } from "./fault.ts";
import type { Place } from "./names.ts";
import { unquoted } from "./object-info.ts";
import { documentBody, type Upstream, type UpstreamCall } from "./upstream.ts";
import { drop } from "./wire.ts";

/** Calls that can carry a condition on the existing object. */
export type ConditionalCall = "put" | "copy" | "complete" | "delete";
type Condition = "if-match" | "if-none-match";
type Headers = Readonly<Record<string, string>>;

export interface WriteConditions {
  /**
   * The headers that make a call conditional.
   * @param place bucket and key of the upstream
   * @throws {StorageError} `PRECONDITION_FAILED` if a condition already fails; `UNAVAILABLE` if the upstream ignores such conditions
   */
  headers(call: ConditionalCall, place: ObjectRef, options: ConditionOptions): Promise<Headers>;
}

export type ConditionOptions = Pick<PutOptions, "ifMatch" | "ifNoneMatch" | "signal">;

/** The error of a conditional write. Amazon reports "NoSuchKey" if the object to replace does not exist. */
export function conditionalFault(conditions: Headers): FaultError {
  return (fault, doing) =>
    fault.code === "NoSuchKey" && "if-match" in conditions ? preconditionFailed() : faultError(fault, doing);
}

/** An ETag that no object has. */
const NO_ETAG = `"${"0".repeat(32)}"`;
const RETRY_MS = 60_000;

/**
 * Sends conditions only to an upstream that is known to enforce them: others overwrite silently. Each kind of call is tried once in
 * each bucket, on a temporary object.
 */
export function writeConditions(upstream: Upstream): WriteConditions {
  const known = new Map<string, Promise<boolean>>();

  async function enforces(call: ConditionalCall, bucket: string, condition: Condition): Promise<boolean> {
    const key = `.daypass-probe/${randomUUID()}`;
    const place = { doing: "try whether conditions are kept", bucket, key };
    const headers = { [condition]: condition === "if-match" ? NO_ETAG : "*" };
    await upstream.send({ ...place, method: "PUT", body: Buffer.from("x") });
    try {
      const { call: trial, undo } = await TRIALS[call](upstream, place, headers);
      const outcome = await upstream.readOrFault(trial, "anything").catch(() => undefined);
      if (undo !== undefined) await upstream.faultOf(undo);
      return outcome?.fault?.status === 412;
    } finally {
      await upstream.faultOf({ ...place, method: "DELETE" });
    }
  }

  async function expectEnforced(call: ConditionalCall, bucket: string, condition: Condition): Promise<void> {
    const id = `${call}/${condition}/${bucket}`;
    let trial = known.get(id);
    if (trial === undefined) {
      trial = enforces(call, bucket, condition);
      known.set(id, trial);
      // A failed trial is repeated at once, a missing feature after a while: the upstream may have been updated.
      trial.then(
        (enforced) => enforced || setTimeout(() => known.delete(id), RETRY_MS).unref(),
        () => known.delete(id),
      );
    }
    if (await trial) return;
    throw unavailable(`${call} on a condition`, `the upstream does not keep ${condition}`);
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
        await expectEnforced(call, place.bucket, "if-none-match");
        sent["if-none-match"] = ifNoneMatch;
      }
      if (ifMatch !== undefined) {
        await expectEnforced(call, place.bucket, "if-match");
        // Amazon accepts an ETag here, but not `*`.
        const etag = ifMatch === "*" ? await etagOf(place, signal) : ifMatch;
        if (etag === undefined) throw preconditionFailed();
        sent["if-match"] = `"${etag}"`;
      }
      return sent;
    },
  };
}

/** Prepares a call on an existing object that the upstream must refuse, and a call that removes what was prepared. */
type Trial = (
  upstream: Upstream,
  place: Place & Pick<UpstreamCall, "doing">,
  headers: Headers,
) => Promise<{ readonly call: UpstreamCall; readonly undo?: UpstreamCall }>;

const TRIALS: Readonly<Record<ConditionalCall, Trial>> = {
  put: async (_, place, headers) => ({ call: { ...place, method: "PUT", headers, body: Buffer.from("y") } }),
  delete: async (_, place, headers) => ({ call: { ...place, method: "DELETE", headers } }),
  async copy(_, place, headers) {
    const source = { "x-amz-copy-source": `/${place.bucket}/${place.key}`, "x-amz-metadata-directive": "REPLACE" };
    return { call: { ...place, method: "PUT", headers: { ...headers, ...source } } };
  },
  async complete(upstream, place, headers) {
    const create = { ...place, method: "POST", query: { uploads: "" } };
    const { document } = await upstream.read(create, "InitiateMultipartUploadResult");
    const uploadId = requiredText(document, "UploadId");
    const query = { partNumber: "1", uploadId };
    const part = await upstream.send({ ...place, method: "PUT", query, body: Buffer.from("y") });
    const parts = { Part: { PartNumber: 1, ETag: part.headers.etag ?? "" } };
    const { body, headers: described } = documentBody("CompleteMultipartUpload", parts);
    return {
      call: { ...place, method: "POST", query: { uploadId }, headers: { ...headers, ...described }, body },
      undo: { ...place, method: "DELETE", query: { uploadId } },
    };
  },
};
