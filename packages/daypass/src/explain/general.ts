import { secretParameters } from "../schemes/secret-parameters.ts";
import { isMismatch, mismatchCause, otherCause, serverCause } from "./cause/server-cause.ts";
import type { Explainer, Subject } from "./explainer.ts";
import { readParameters } from "./parameters.ts";
import { spellings } from "./secrets.ts";
import { splitUrl } from "./split-url.ts";
import { urlTraps } from "./traps.ts";

/** A form or a header is not part of the URL. */
const IN_NO_URL = /\/(?:form|header)(?:\/|$)/;
const UNKNOWN = ["unknown: explain reads nothing of this scheme but its name"];

/**
 * Explains a URL of any registered scheme by the parameters that the registry names: for a scheme without an explainer.
 *
 * @param known the schemes that have an explainer
 */
export function generalExplainer(known: readonly string[]): Explainer {
  const found = (url: Subject["url"]) => {
    const parameters = readParameters(url);
    for (const [scheme, names] of Object.entries<readonly string[]>(secretParameters)) {
      const own = names.map((name) => name.split("=", 1)[0]);
      const values = parameters.filter(([name]) => own.includes(name.toLowerCase())).map(([, value]) => value);
      if (!known.includes(scheme) && !IN_NO_URL.test(scheme) && values.length > 0) return { scheme, values };
    }
    return undefined;
  };
  return {
    detects: ({ target }) => found(splitUrl(`https://localhost${target}`)) !== undefined,
    explain({ url, error, now }) {
      const { scheme = "", values = [] } = found(url) ?? {};
      const resource = `${url.protocol}://${url.authority}${url.wire.path}`;
      return {
        explanation: {
          scheme,
          summary: `A URL that is signed in the scheme ${scheme}, for ${resource}.`,
          signedBy: "",
          grants: { resource },
          binds: UNKNOWN,
          leavesOpen: UNKNOWN,
          mustSend: [],
          traps: urlTraps(url),
          cause: error && (isMismatch(error) ? mismatchCause() : (serverCause(error, now) ?? otherCause(error))),
        },
        hidden: values.flatMap(spellings),
      };
    },
  };
}
