import type { WireRequest } from "daypass";
import type { UrlGrant } from "daypass/url";
import type { ResultOf } from "../../operations/operations.ts";
import type { Permit } from "../../permit.ts";
import type { Answer } from "../../pipeline/outcome.ts";
import { addDelivery, memoisedHeaders, overriddenHeaders, redirect, responseOverrides } from "../object-headers.ts";
import type { Exchange } from "../protocol.ts";
import { isRangeGranted } from "../request-fields.ts";
import type { UrlRequest } from "./operation.ts";

/** Writes down what an operation did, in plain HTTP. */
export function presentUrl(): (result: ResultOf<UrlRequest>, permit: Permit<UrlGrant>, exchange: Exchange) => Answer {
  const describe = memoisedHeaders(() => []);

  return (result, { grant, at }, { requestId, request }) => {
    switch (result.kind) {
      case "object": {
        const { info, range, notModified } = result;
        let { body } = result;
        const overrides = responseOverrides(grant);
        const secondsLeft = Math.floor((grant.expiresAt.getTime() - at) / 1000);
        if (body?.kind === "redirect") {
          const isOurs = isForAddress(request) || isRangeGranted(grant);
          const sentOn = isOurs ? undefined : redirect(body, info, { overrides, secondsLeft });
          if (sentOn !== undefined) return sentOn;
          body = body.bytes();
        }
        const headers = overrides === undefined ? describe(info).slice() : overriddenHeaders(info, overrides);
        addDelivery(headers, result, {
          wish: overrides?.cacheControl ?? info.headers.cacheControl,
          secondsLeft,
        });
        headers.push("x-request-id", requestId);
        return { status: notModified ? 304 : range === undefined ? 200 : 206, headers, body };
      }
      case "stored":
        return {
          status: 200,
          headers: ["ETag", `"${result.info.etag}"`, "content-length", "0", "x-request-id", requestId],
          body: undefined,
        };
      case "deleted":
        return { status: 204, headers: ["x-request-id", requestId], body: undefined };
    }
  };
}

/** The other place would let anybody in who has the URL that it is given. */
function isForAddress({ target }: WireRequest): boolean {
  return new URLSearchParams(target.slice(target.indexOf("?") + 1)).has("dp-ip");
}
