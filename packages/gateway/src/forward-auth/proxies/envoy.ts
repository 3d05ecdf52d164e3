import { only, type ProxyDialect } from "../proxy-request.ts";

const PREFIX = "/-/auth/envoy";

/**
 * `ext_authz` over HTTP, with `path_prefix: /-/auth/envoy`: method, host and path come from the original request. A header that the answer lacks
 * would reach the app as the client sent it.
 */
export const envoy: ProxyDialect = {
  read({ method, target, authority, headers }) {
    if (!target.startsWith(`${PREFIX}/`) || authority === "") return undefined;
    const remoteAddress = only(headers, "x-envoy-external-address");
    return { method, target: target.slice(PREFIX.length), host: authority, remoteAddress };
  },
  wantsEmptyHeaders: true,
};
