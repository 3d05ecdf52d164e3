import { fromHeaders, type ProxyDialect } from "../proxy-request.ts";

/** `forward_auth`. Caddy 2.6 copies a missing header as the text of its placeholder. */
export const caddy: ProxyDialect = {
  read: fromHeaders({
    method: "x-forwarded-method",
    target: "x-forwarded-uri",
    host: "x-forwarded-host",
    address: "x-forwarded-for",
  }),
  wantsEmptyHeaders: true,
};
