/** What a request for a link to an object asks for. */
import { deliveryToken, hashOf, isClaimKey, randomClaimKey } from "../../links/identifiers.ts";
import type { DeliverLink } from "../../operations/deliver-link.ts";
import type { HeadObject, ObjectRead } from "../../operations/get-object.ts";
import { downloadCommand, linkPage } from "../../pages/link-page.ts";
import type { PermittedObject } from "../../permit.ts";
import type { Answer } from "../../pipeline/outcome.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import { networkOf } from "../../pipeline/unverified-body-limit.ts";
import { messagesOf } from "../page.ts";
import type { Task } from "../protocol.ts";
import type { Asked } from "./asked.ts";
import { deliver, headOf, note, read } from "./bytes.ts";
import { claim } from "./claim.ts";
import { isPrefetch, openedPage } from "./link-use.ts";
import { expectLeft, fileKind, pageFields, proofOf } from "./page-fields.ts";
import { lineAnswer } from "./refuse.ts";
import { thumbnail } from "./thumbnail.ts";

export function objectTask(asked: Asked, object: PermittedObject): Task {
  const { grant, request, query, isPage } = asked;
  const isDelivery = grant.path.startsWith("/d/");
  if (request.method === "POST")
    return isDelivery || !grant.form?.claim ? showPage(asked, object) : claim(asked, object);
  if (grant.isCounted && isPrefetch(request))
    return { request: headOf(asked, object), present: () => needsClaim(asked) };
  if (isDelivery) return deliver(asked, object, { token: hashOf(grant.token ?? "") });
  const claimKey = query.get("dl");
  if (grant.isCounted && claimKey !== null) {
    if (!isClaimKey(claimKey)) {
      const message = "dl is not 16 to 64 letters, digits, - or _";
      return refuse(asked, object, new Refusal("INVALID_ARGUMENT", message, { parameter: "dl" }));
    }
    return deliver(asked, object, claimOf(asked, claimKey));
  }
  if (!grant.isCounted && query.has("thumb")) return thumbnail(asked, object);
  const wantsBytes = query.has("view") || query.has("download");
  if (isPage && !wantsBytes) return showPage(asked, object);
  if (grant.isCounted) return { request: headOf(asked, object), present: () => needsClaim(asked) };
  return read(asked, object);
}

/** Refuses a request. An object that is gone or changed is a reason that comes first. */
export function refuse(asked: Asked, object: PermittedObject, refusal: Refusal): Task<HeadObject> {
  return {
    request: headOf(asked, object),
    present() {
      throw refusal;
    },
  };
}

function claimOf({ grant, options, request }: Asked, claimKey: string): DeliverLink["by"] {
  const token = deliveryToken(options.stateKey, grant.variant.id, claimKey);
  return { claim: hashOf(claimKey), token: hashOf(token), address: networkOf(request.remoteAddress ?? "") };
}

function showPage(asked: Asked, object: PermittedObject): Task<HeadObject> {
  const { grant, request, options } = asked;
  const { link, variant, isCounted } = grant;
  return {
    request: headOf(asked, object),
    present: ({ info }: ObjectRead) => {
      note(asked, { action: "link.viewed", result: "ok" });
      const name = link.key.split("/").at(-1) || link.key;
      if (grant.delivery === undefined) expectLeft(variant);
      const fields = pageFields(asked, options.origin);
      const contentType = link.response?.contentType ?? info.contentType;
      const page = linkPage(messagesOf(request), {
        ...fields,
        kind: fileKind(name, contentType),
        name,
        size: info.size,
        contentType,
        proof: proofOf(asked),
        claimKey: isCounted ? randomClaimKey() : undefined,
        delivery: grant.delivery && `/d/${grant.token}`,
        continuesUntil: grant.delivery?.state === "started" ? new Date(grant.delivery.leaseUntil) : undefined,
        preview: link.preview && !isCounted,
      });
      return openedPage(asked, page);
    },
  };
}

/** 428 says that a plain GET takes nothing, and how to take it. */
function needsClaim({ grant, options, request }: Asked): Answer {
  const { link, variant, path } = grant;
  const url = `${options.origin}${path}?dl=${randomClaimKey()}`;
  const name = link.key.split("/").at(-1) || link.key;
  const command = downloadCommand(name, url, link.password === undefined ? "" : "-u :PASSWORD ");
  const reason = variant.max === undefined ? "this link has to be confirmed" : "this link is counted";
  const answer = lineAnswer(428, `${reason}. To take one delivery: ${command}`);
  return request.method === "HEAD" ? { ...answer, body: undefined } : answer;
}
