/** The links that a caller may see, and how an answer shows them. */
import type { Link, LinkChange } from "../state/contract/fields.ts";
import type { WholeLink } from "../state/contract/state.ts";
import { AdminProblem, type Caller } from "./http.ts";
import { linkResource } from "./link-resource.ts";
import type { AdminOptions } from "./options.ts";
import type { Call } from "./routes.ts";

const unknownLink = () => new AdminProblem(404, "NO_SUCH_LINK", "no link has this id");
const changed = () => new AdminProblem(412, "CHANGED", "the link was changed meanwhile: read it again");

/** Works with links on behalf of callers. */
export function linkAccess({ links: { state, revocations }, origin, clock }: AdminOptions) {
  const shown = (found: WholeLink) => linkResource(found, { origin, now: clock().getTime(), revocations });
  return {
    shown,

    /** A link that the caller may see: a token sees its own. An address of a recipient, and a slug, name it, too. */
    async find({ token, owner }: Caller, address: string) {
      const found = await state.getLink((await state.findLink(address))?.link.id ?? address);
      if (found === undefined || (token !== undefined && found.link.owner !== owner)) throw unknownLink();
      return found;
    },

    /** The link as it is now, with its version as the ETag. */
    async show(call: Pick<Call, "header">, id: string) {
      const found = await state.getLink(id);
      if (found === undefined) throw unknownLink();
      call.header("etag", `"${found.link.version}"`);
      return shown(found);
    },

    /** An edit must name the version that it saw, or the latest edit would be lost. */
    expectVersion({ version }: Link, given: string | undefined): void {
      if (given === undefined) throw new AdminProblem(428, "NO_VERSION", "send If-Match with the ETag of the link");
      if (given !== "*" && given !== `"${version}"`) throw changed();
    },

    async change({ id, version }: Link, edit: LinkChange, { owner }: Caller): Promise<void> {
      if ((await state.updateLink(id, version, edit, owner)) === undefined) throw changed();
    },
  };
}
