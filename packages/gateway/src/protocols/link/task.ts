import { LinkRefused } from "../../links/open-link.ts";
import type { Permit } from "../../permit.ts";
import type { Received } from "../../pipeline/receive.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import type { LinkKind } from "../../state/contract/fields.ts";
import { wantsPage } from "../page.ts";
import type { Task } from "../protocol.ts";
import type { Asked } from "./asked.ts";
import { withBrowserCookie } from "./cookies.ts";
import { folderTask } from "./folder-task.ts";
import type { LinkGrant, LinkProtocolOptions } from "./grant.ts";
import { objectTask, refuse } from "./object-task.ts";
import { readQuery } from "./path.ts";
import { routeLinkTask } from "./route-link.ts";

/** Chooses the row of a request. */
export function linkTask(options: LinkProtocolOptions): (permit: Permit<LinkGrant>, received: Received) => Task {
  return (permit, received) => {
    const { request } = received;
    const { grant } = permit;
    const asked: Asked = {
      grant,
      permit,
      received,
      request,
      options,
      query: readQuery(request.target),
      isPage: wantsPage(request),
    };
    if (!["GET", "HEAD", "POST"].includes(request.method)) {
      const refusal = new Refusal("METHOD_NOT_ALLOWED", `a link takes GET, HEAD and POST, not ${request.method}`);
      if (permit.object === undefined) throw refusal;
      return refuse(asked, permit.object, refusal);
    }
    return withBrowserCookie(asked, TASKS[grant.link.kind](asked));
  };
}

/** The task of each kind of link. A kind without one does not compile. */
const TASKS: Readonly<Record<LinkKind, (asked: Asked) => Task>> = {
  object(asked) {
    if (asked.permit.object === undefined) throw new LinkRefused("unknown");
    return objectTask(asked, asked.permit.object);
  },
  prefix: folderTask,
  set: folderTask,
  route: routeLinkTask,
  upload() {
    throw new LinkRefused("unknown");
  },
};
