import { fromHeaders, type ProxyDialect } from "../proxy-request.ts";

/** `forward_auth`. */
export const caddy: ProxyDialect = {
  read: fromHeaders({
    method: "x-forwarded-method",
    target: "x-forwarded-uri",
    host: "x-forwarded-host",
    address: "x-forwarded-for",
  }),
};
